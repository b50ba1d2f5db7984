"""Which file is read ahead of libsystemd: the only one with the next number."""

from pathlib import Path

import pytest

from journal_exporter.journal.file_format import NO_HEADER
from journal_exporter.journal.files import JournalFile
from journal_exporter.journal.read_ahead import next_file
from tests.support.fakes import SEQNUM_ID, cursor


def file(
    name: str, head: int, tail: int, *, state: str = "readable", seqnum_id: str = SEQNUM_ID
) -> JournalFile:
    header = NO_HEADER._replace(
        file_id=name, seqnum_id=seqnum_id, head_seqnum=head, tail_seqnum=tail
    )
    return JournalFile(Path(name), 1, 4096, state, header)


FIRST, SECOND, EMPTY = file("first", 1, 100), file("second", 101, 200), file("empty", 0, 0)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(1, "first"), (99, "first"), (100, "second"), (199, "second"), (200, None)],
)
def test_it_is_the_file_with_the_next_number(after: int, expected: str | None) -> None:
    found = next_file([SECOND, EMPTY, FIRST], cursor(after))
    assert (found and found.path) == (expected and Path(expected))


@pytest.mark.parametrize(
    "other",
    [
        file("copy", 1, 100),
        file("overlaps", 100, 150),
        file("inside", 30, 40),
        file("around", 1, 300),
        file("of another sequence", 900, 950, seqnum_id="d" * 32),
        file("of another sequence, empty", 0, 0, seqnum_id="d" * 32),
        file("that only a newer libsystemd reads", 0, 0, state="unsupported", seqnum_id=""),
    ],
    ids=lambda other: str(other.path),
)
def test_beside_some_files_the_order_is_uncertain(other: JournalFile) -> None:
    assert next_file([FIRST, other], cursor(50)) is None


@pytest.mark.parametrize("state", ["corrupt", "denied", "set_aside"])
def test_files_that_libsystemd_does_not_read_do_not_matter(state: str) -> None:
    assert next_file([FIRST, file("other", 1, 100, state=state)], cursor(50)) == FIRST
