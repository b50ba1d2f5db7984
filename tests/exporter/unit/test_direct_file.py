"""One written file, read while it grows."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from journal_exporter.journal.direct_file import DirectFile, read_header
from journal_exporter.journal.run import Place, Run
from tests.support.fakes import BOOT, START_US
from tests.support.machine.file_writer import JournalFile, Stamp

Open = Callable[[], DirectFile]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    """Return a file that is being written."""
    with ExitStack() as stack:
        made = JournalFile(tmp_path / "system.journal", file_id=b"f" * 16, machine_id=b"m" * 16)
        stack.callback(made.close)
        yield made


@pytest.fixture
def reader(file: JournalFile) -> Iterator[Open]:
    """Open the file."""
    with ExitStack() as stack:

        def open_reader() -> DirectFile:
            descriptor = os.open(file.path, os.O_RDONLY)
            header = read_header(descriptor)
            assert header is not None
            made = DirectFile(descriptor, header, lambda _fields: ())
            stack.callback(made.close)
            return made

        yield open_reader


def put(file: JournalFile, *numbers: int) -> None:
    for number in numbers:
        stamp = Stamp(number, START_US + number, number, bytes.fromhex(BOOT))
        file.append([b"MESSAGE=%d" % number, b"PRIORITY=6"], stamp)


def rest(reader: DirectFile) -> list[int]:
    """Return the messages of what is left; nothing of it is lost."""
    run = Run()
    while reader.entries_left:
        reader.read(run, entries=1000, room_bytes=1 << 18)
    assert not run.lost
    return [int(bytes(message)) for message in run.messages]  # type: ignore[arg-type]


def test_entries_are_read_whole_as_soon_as_they_are_written(
    file: JournalFile, reader: Open
) -> None:
    """What was read ahead of their place, up to the file's end, was empty then."""
    opened = reader()
    for number in range(1, 200):
        put(file, number)
        opened.refresh()
        assert rest(opened) == [number]


def test_a_place_before_is_gone_back_to(file: JournalFile, reader: Open) -> None:
    put(file, *range(1, 200))
    opened = reader()
    opened.read(Run(), entries=50, room_bytes=1 << 18)
    place = opened.place
    assert rest(opened) == list(range(51, 200))
    put(file, *range(200, 300))
    opened.refresh()
    assert opened.seek(place)
    assert rest(opened) == list(range(51, 300))
    assert opened.seek(Place())
    assert rest(opened) == list(range(1, 300))


def test_a_page_that_cannot_be_read_costs_the_entries_on_it(file: JournalFile) -> None:
    put(file, *range(1, 3001))
    bad = 8192

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        """Read as from a disk with a bad page: up to it, or not at all."""
        if bad <= offset < bad + 4096:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.pread(descriptor, min(size, bad - offset) if offset < bad else size, offset)

    descriptor = os.open(file.path, os.O_RDONLY)
    header = read_header(descriptor)
    assert header is not None
    with closing(DirectFile(descriptor, header, lambda _: (), pread_file=pread)) as opened:
        run = Run()
        while opened.entries_left:
            opened.read(run, entries=1000, room_bytes=1 << 18)
    lost = sum(run.lost.values())
    assert len(run.heads) + lost == 3000
    assert 0 < lost < 40, "no entry takes less than a hundred bytes"
    assert [head[3] for head in run.heads][-2900:] == list(range(101, 3001))
