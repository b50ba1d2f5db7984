"""How far behind reading is, and how long the journal keeps what is unread."""

import math
from pathlib import Path

import pytest

from journal_exporter.journal.file_format import NO_HEADER
from journal_exporter.journal.files import JournalFile
from journal_exporter.journal.position import FilePosition, Position
from journal_exporter.journal.run import Place
from journal_exporter.monitoring.lag import default_max_use_bytes, lag, seconds_to_vacuum

START_US = 1_000_000_000
MIB = 1 << 20


def file(
    file_id: str = "a", entries: int = 100, *, size_bytes: int = 8 * MIB, head_us: int = START_US
) -> JournalFile:
    header = NO_HEADER._replace(
        file_id=file_id,
        entries=entries,
        head_realtime_us=head_us,
        tail_realtime_us=START_US + entries,
    )
    return JournalFile(Path("x.journal"), 1, size_bytes, "readable", header)


def read(**entries: int) -> Position:
    """Return the place after so many entries of each file, a microsecond apart."""
    return Position(
        None,
        {
            file_id: FilePosition(
                Place(64 * count, count, count, START_US + count, "b0" * 16),
                count,
                count,
                "",
                "",
                is_runtime=False,
            )
            for file_id, count in entries.items()
        },
    )


def test_a_journal_that_is_read_to_its_end_has_no_lag() -> None:
    assert lag([file("a", 100), file("b", 7)], read(a=100, b=7)) == (0, 0)


def test_entries_on_disk_that_are_not_read_are_counted() -> None:
    assert lag([file("a", 130)], read(a=100)) == (30, START_US + 100)


def test_the_lag_of_several_files_adds_up_and_the_oldest_entry_counts() -> None:
    files = [file("a", 110), file("b", 55)]
    assert lag(files, read(a=100, b=50)) == (15, START_US + 50)


def test_a_file_with_fewer_entries_than_were_read_does_not_hide_another() -> None:
    files = [file("a", 90), file("b", 55)]
    assert lag(files, read(a=100, b=50)) == (5, START_US + 50)


def test_a_file_that_is_read_to_its_end_has_no_part_in_the_age() -> None:
    files = [file("a", 110), file("b", 50)]
    assert lag(files, read(a=100, b=50)) == (10, START_US + 100)


def test_a_file_that_was_never_read_is_unread_from_its_first_entry() -> None:
    files = [file("new", 30, head_us=START_US - 9), file("a", 100)]
    assert lag(files, read(a=100)) == (30, START_US - 9)


def test_before_anything_is_read_all_of_the_journal_is_the_lag() -> None:
    files = [file("a", 100, head_us=2), file("b", 30, head_us=4), file("c", 0)]
    assert lag(files, Position(None)) == (130, 2)
    assert lag([file("c", 0)], Position(None)) == lag([], Position(None)) == (0, 0)


@pytest.mark.parametrize(
    ("disk", "limit"),
    [(0, 0), (20 << 30, 2 << 30), (40 << 30, 4 << 30), (400 << 30, 4 << 30)],
    ids=["none", "tenth", "just", "capped"],
)
def test_journald_keeps_a_tenth_of_the_disk_and_4_gib_at_most(disk: int, limit: int) -> None:
    assert default_max_use_bytes(disk) == limit


def to_vacuum(files: list[JournalFile], growth: float = MIB, limit: int = 100 * MIB) -> float:
    return seconds_to_vacuum(files, read(a=100), growth_bytes_per_s=growth, max_use_bytes=limit)


@pytest.mark.parametrize("growth", [0.0, -1.0])
def test_a_journal_that_does_not_grow_is_never_vacuumed(growth: float) -> None:
    assert to_vacuum([file(entries=130)], growth=growth) == math.inf


def test_what_is_left_below_the_limit_is_the_time_that_is_left() -> None:
    assert to_vacuum([file(entries=130, size_bytes=40 * MIB)]) == 60.0
    assert to_vacuum([file(entries=130, size_bytes=40 * MIB)], growth=2 * MIB) == 30.0
    assert to_vacuum([file(entries=130, size_bytes=0)], growth=0.5, limit=10) == 20.0


def test_files_that_are_read_already_are_a_reserve() -> None:
    files = [file("a", 100, size_bytes=30 * MIB), file("b", 101, size_bytes=40 * MIB)]
    assert to_vacuum(files) == 60.0


def test_over_the_limit_there_is_no_time_left() -> None:
    assert to_vacuum([file(entries=130, size_bytes=200 * MIB)]) == 0.0
