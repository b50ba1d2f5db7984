"""Files that can't be opened for a while, or that somebody copied, are read once all the same."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from journal_exporter.journal.files import find_files
from journal_exporter.journal.inotify import DirectoryWatch
from journal_exporter.journal.libsystemd_file import LibsystemdFile
from journal_exporter.journal.open_files import OpenFiles
from journal_exporter.journal.position import Position
from journal_exporter.journal.reader import JournalReader
from tests.support.fakes import BOOT, START_US
from tests.support.machine.file_writer import JournalFile, Stamp

Make = Callable[[str], JournalFile]
Put = Callable[[JournalFile, int], None]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make files that are being written, below ``tmp_path/journal``."""
    with ExitStack() as stack:

        def make(name: str) -> JournalFile:
            path = tmp_path / f"journal/{name}.journal"
            file = JournalFile(path, file_id=name.encode().ljust(16, b"."), machine_id=b"m" * 16)
            stack.callback(file.close)
            return file

        yield make


@pytest.fixture
def put() -> Put:
    """Append so many entries, whose numbers go on over all files."""
    numbers = itertools.count(1)

    def put(file: JournalFile, entries: int) -> None:
        for number in itertools.islice(numbers, entries):
            stamp = Stamp(number, START_US + 1000 * number, 1000 * number, bytes.fromhex(BOOT))
            file.append([b"MESSAGE=%d" % number], stamp)

    return put


def reader(directory: Path, max_open: int = 100) -> JournalReader:
    files = OpenFiles(
        lambda: find_files([directory]),
        lambda fields: tuple(fields.values()),
        open_other=LibsystemdFile,
        max_open=max_open,
        max_deleted_bytes=0,
    )
    clock = itertools.count()
    return JournalReader(files, DirectoryWatch(), [directory], lambda: float(next(clock)))


def rest(source: JournalReader) -> list[int]:
    """Return the numbers of all entries, until several looks find nothing more."""
    found: list[int] = []
    quiet = 0
    while quiet < 5:
        source.process()
        batch = source.read()
        assert not batch.gaps
        quiet = 0 if batch.entries else quiet + 1
        found += map(int, map(bytes, batch.messages))  # type: ignore[arg-type]
        assert len(found) < 10_000, "it reads without end"
    return sorted(found)


def test_more_files_than_descriptors_are_read_once(tmp_path: Path, make: Make, put: Put) -> None:
    files = [make(f"user-{number}") for number in range(12)]
    for file in files:
        put(file, 5)
    with closing(reader(tmp_path / "journal", max_open=3)) as source:
        source.start("head")
        assert rest(source) == list(range(1, 61))
        position = source.position
    for file in files:
        put(file, 5)
    with closing(reader(tmp_path / "journal", max_open=3)) as source:
        assert source.seek(position), "no file is gone"
        assert rest(source) == list(range(61, 121))


def read_to_its_end(directory: Path) -> Position:
    with closing(reader(directory)) as source:
        source.start("head")
        rest(source)
        return source.position


def test_a_file_that_can_not_be_opened_for_a_while_is_not_read_again(
    tmp_path: Path, make: Make, put: Put
) -> None:
    file, other = make("system"), make("user-1000")
    put(file, 5)
    position = read_to_its_end(tmp_path / "journal")
    hidden = tmp_path / "hidden"
    file.path.rename(hidden)
    file.path.symlink_to(file.path)
    put(other, 1)
    with closing(reader(tmp_path / "journal")) as source:
        source.seek(position)
        assert rest(source) == [6]
        position = source.position
    file.path.unlink()
    hidden.rename(file.path)
    put(file, 1)
    with closing(reader(tmp_path / "journal")) as source:
        source.seek(position)
        assert rest(source) == [7]


@pytest.mark.parametrize("name", ["backup", "zz-backup"])
def test_beside_a_copy_the_file_that_has_more_is_read(
    tmp_path: Path, make: Make, put: Put, name: str
) -> None:
    file = make("system")
    put(file, 5)
    copy = file.path.with_name(f"{name}.journal")
    shutil.copy(file.path, copy)
    put(file, 5)
    with closing(reader(tmp_path / "journal")) as source:
        source.start("head")
        assert rest(source) == list(range(1, 11))
        put(file, 5)
        assert rest(source) == list(range(11, 16))
        copy.unlink()
        put(file, 1)
        assert rest(source) == [16]


def test_a_header_that_names_more_entries_than_fit_into_the_file_loses_none_of_them(
    tmp_path: Path, make: Make, put: Put
) -> None:
    file = make("system")
    put(file, 5)
    with file.path.open("r+b") as data:
        data.seek(152)
        data.write((5 | 1 << 50).to_bytes(8, "little"))
    with closing(reader(tmp_path / "journal")) as source:
        source.start("head")
        assert rest(source) == [1, 2, 3, 4, 5]
