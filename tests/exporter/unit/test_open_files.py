"""Files that can't be opened for a while, or that somebody copied, are read once all the same."""

import dataclasses
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from journal_exporter.journal.direct_file import ContextOf, DirectFile, read_header
from journal_exporter.journal.file_format import ARRAY_HEAD, Head, Header
from journal_exporter.journal.files import find_files
from journal_exporter.journal.inotify import DirectoryWatch
from journal_exporter.journal.libsystemd_file import LibsystemdFile
from journal_exporter.journal.open_files import OpenFiles, OpenOther
from journal_exporter.journal.position import Position
from journal_exporter.journal.reader import JournalReader
from journal_exporter.journal.run import Place
from tests.support.fakes import BOOT, START_US, cursor
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


def reader(
    directory: Path, max_open: int = 100, open_other: OpenOther = LibsystemdFile
) -> JournalReader:
    files = OpenFiles(
        lambda: find_files([directory]),
        lambda fields: tuple(fields.values()),
        open_other=open_other,
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


class Failing:
    """Opens files whose methods of these names fail with EIO."""

    def __init__(self, *methods: str) -> None:
        self.methods = methods

    def check(self, method: str) -> None:
        if method in self.methods:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def __call__(self, descriptor: int, header: Header, context_of: ContextOf) -> DirectFile:
        self.check("open")
        failing = self

        class Reader(DirectFile):
            def seek(self, place: Place) -> bool:
                failing.check("seek")
                return super().seek(place)

            def head_at(self, slot: int) -> tuple[int, Head] | None:
                failing.check("head_at")
                return super().head_at(slot)

        return Reader(descriptor, header, context_of)


def make_unknown(file: JournalFile) -> None:
    """Set a flag that only a later libsystemd knows."""
    with file.path.open("r+b") as data:
        data.seek(12)
        data.write((1 << 20).to_bytes(4, "little"))


@pytest.mark.parametrize("method", ["open", "seek"])
def test_a_file_in_which_nobody_can_go_to_the_place_is_read_on_when_it_changed(
    tmp_path: Path, make: Make, put: Put, method: str
) -> None:
    file, other = make("system"), make("user-1000")
    make_unknown(file)
    put(file, 3)
    opener = Failing()
    with closing(reader(tmp_path / "journal", open_other=opener)) as source:
        source.start("head")
        assert rest(source) == [1, 2, 3]
        position = source.position
    put(file, 3)
    put(other, 2)
    opener.methods = (method,)
    with closing(reader(tmp_path / "journal", open_other=opener)) as source:
        assert source.seek(position), "it is there"
        assert rest(source) == [7, 8]
        opener.methods = ()
        put(other, 1)
        assert rest(source) == [9], "the file is as it was"
        put(file, 1)
        os.utime(file.path)
        assert rest(source) == [4, 5, 6, 10]


@pytest.mark.parametrize("where", ["tail", "boot"])
@pytest.mark.parametrize("method", ["seek", "head_at"])
def test_a_file_that_fails_when_a_first_run_begins_does_not_keep_others_from_being_read(
    tmp_path: Path, make: Make, put: Put, method: str, where: str
) -> None:
    file, other = make("system"), make("user-1000")
    make_unknown(file)
    put(other, 2)
    put(file, 3)
    opener = Failing(method)
    with closing(reader(tmp_path / "journal", open_other=opener)) as source:
        source.start(where)
        put(other, 1)
        assert rest(source) == ([6] if where == "tail" else [1, 2, 6])


def test_a_file_that_fails_while_its_end_is_looked_for_does_not_keep_others_from_being_read(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """After a power cut the entry at the place may be gone."""
    file, other = make("system"), make("user-1000")
    make_unknown(file)
    put(file, 3)
    with closing(reader(tmp_path / "journal", open_other=Failing())) as source:
        source.start("head")
        rest(source)
        position = source.position
    (key,) = position.files or {}
    place = Place(offset=8, entries=3, seqnum=3, boot_id=BOOT)
    moved = {key: (position.files or {})[key]._replace(place=place)}
    put(other, 2)
    with closing(reader(tmp_path / "journal", open_other=Failing("head_at"))) as source:
        assert source.seek(dataclasses.replace(position, files=moved))
        assert rest(source) == [4, 5]


def test_a_file_that_fails_after_an_upgrade_does_not_keep_others_from_being_read(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """An earlier version's place is looked for in each file."""
    file, other = make("system"), make("user-1000")
    make_unknown(file)
    put(file, 3)
    put(other, 3)
    totals = {"ids": [[other.seqnum_id.hex(), 4, BOOT]], "read": 4, "lost": 0, "gaps": 0}
    place = Position(cursor(4).text, None, {**totals, "recent": []})
    with closing(reader(tmp_path / "journal", open_other=Failing("head_at"))) as source:
        source.seek(place)
        assert rest(source) == [5, 6]


def test_libsystemd_says_when_it_has_given_a_file_up(make: Make, put: Put) -> None:
    """It drops a file whose arrays are damaged before the place, and then reads nothing of it."""
    file = make("system")
    put(file, 40)
    descriptor = os.open(file.path, os.O_RDONLY)
    header = read_header(descriptor)
    assert header is not None
    with file.path.open("r+b") as data:
        data.seek(header.first_array + ARRAY_HEAD.size)
        data.write(bytes(8))
    opened = LibsystemdFile(descriptor, header, lambda _fields: ())
    with closing(opened), pytest.raises(OSError, match="Cannot assign requested address"):
        opened.seek(Place(0, 20, 20, 0, BOOT))
