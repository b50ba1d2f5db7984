"""Files that can't be opened for a while, or that somebody copied, are read once all the same."""

import dataclasses
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Container, Iterator
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
from tests.support.machine.file_writer import ARCHIVED, JournalFile, Stamp

MACHINE = "ec" * 16
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
    directory: Path,
    *,
    max_open: int = 100,
    max_deleted_bytes: int = 0,
    open_other: OpenOther = LibsystemdFile,
    open_path: Callable[[Path, int], int] = os.open,
    hidden: Callable[[], Container[Path]] = tuple,
) -> JournalReader:
    files = OpenFiles(
        lambda: [
            path for found in [hidden()] for path in find_files([directory]) if path not in found
        ],
        lambda fields: tuple(fields.values()),
        open_other=open_other,
        runtime=directory / MACHINE,
        max_open=max_open,
        max_deleted_bytes=max_deleted_bytes,
        open_path=open_path,
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


class Scarce:
    """Opens paths; so many times there is no descriptor."""

    def __init__(self, code: int) -> None:
        self.code, self.refusals = code, 0

    def __call__(self, path: Path, flags: int) -> int:
        if self.refusals:
            self.refusals -= 1
            raise OSError(self.code, os.strerror(self.code))
        return os.open(path, flags)


NO_DESCRIPTOR = pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE], ids=["own", "system"])


@NO_DESCRIPTOR
def test_where_no_descriptor_is_left_a_file_that_was_read_gives_up_its_own(
    tmp_path: Path, make: Make, put: Put, code: int
) -> None:
    file, open_path = make("system"), Scarce(code)
    put(file, 1)
    with closing(reader(tmp_path / "journal", open_path=open_path)) as source:
        source.start("head")
        assert rest(source) == [1]
        put(make("user-1000"), 2)
        open_path.refusals = 1
        source.process()
        assert source.read().messages == [b"2", b"3"], "in the first look"
        put(file, 1)
        assert rest(source) == [4]


@NO_DESCRIPTOR
def test_numbers_that_a_file_without_a_descriptor_may_hold_are_not_lost(
    tmp_path: Path, make: Make, put: Put, code: int
) -> None:
    file, other, open_path = make("system"), make("user-1000"), Scarce(code)
    other.path.rename(tmp_path / "not yet")
    put(file, 1)
    with closing(reader(tmp_path / "journal", open_path=open_path)) as source:
        source.start("head")
        assert rest(source) == [1]
        put(other, 2)
        put(file, 1)
        source.process()
        (tmp_path / "not yet").rename(other.path)
        open_path.refusals = 8
        assert rest(source) == [2, 3, 4]
    assert not open_path.refusals


def test_what_vanished_from_run_is_not_lost_while_a_file_that_may_have_copies_is_not_open(
    tmp_path: Path, make: Make, put: Put
) -> None:
    run, open_path = make(f"{MACHINE}/system"), Scarce(errno.EMFILE)
    put(run, 3)
    with closing(reader(tmp_path / "journal")) as source:
        position = source.start("head")
    run.path.unlink()
    put(make("system"), 2)
    found: list[object] = []
    with closing(reader(tmp_path / "journal", open_path=open_path)) as source:
        open_path.refusals = 4
        source.seek(position)
        while len(found) < 3:
            source.process()
            batch = source.read()
            found += [
                *batch.messages,
                *(gap.entries for gaps in batch.gaps.values() for gap in gaps),
            ]
    assert found == [b"4", b"5", 3]
    assert not open_path.refusals


class Hidden:
    """The files that listings do not show: for each listing, these."""

    def __init__(self) -> None:
        self.paths: list[tuple[Path, ...]] = []

    def __call__(self) -> tuple[Path, ...]:
        return self.paths.pop(0) if self.paths else ()


def test_a_file_that_one_look_misses_is_not_read_again(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """A rename can hide a file from a listing, also one that needs no descriptor any more."""
    file, hidden = make("system"), Hidden()
    put(file, 3)
    file.set_state(ARCHIVED)
    with closing(reader(tmp_path / "journal", hidden=hidden)) as source:
        source.start("head")
        assert rest(source) == [1, 2, 3]
        hidden.paths = [(file.path,), (), (file.path,)]
        assert rest(source) == []
        assert not hidden.paths


def test_files_of_a_directory_that_can_not_be_listed_are_not_read_again(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """The directory is listed in their place."""
    file, hidden = make("system"), Hidden()
    put(file, 3)
    file.set_state(ARCHIVED)
    with closing(reader(tmp_path / "journal", hidden=hidden)) as source:
        source.start("head")
        assert rest(source) == [1, 2, 3]
        unlisted = tmp_path / "journal/directory.journal"
        unlisted.mkdir()
        hidden.paths = [(file.path,)] * 4
        assert rest(source) == []
        unlisted.rmdir()
        assert rest(source) == []
    assert not hidden.paths


def test_where_a_look_finds_a_new_file_an_older_one_may_have_been_hidden(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """Its numbers are not lost."""
    file, hidden = make("system"), Hidden()
    put(file, 1)
    with closing(reader(tmp_path / "journal", hidden=hidden)) as source:
        source.start("head")
        assert rest(source) == [1]
        older, newer = make("user-1000"), make("user-1001")
        put(older, 2)
        put(file, 1)
        put(newer, 1)
        hidden.paths = [(older.path, newer.path), (older.path,)]
        assert rest(source) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("spare_bytes", "numbers", "lost"), [(0, range(1, 10), []), (-1, range(4, 10), [(1, 3, 3)])]
)
def test_of_deleted_files_beyond_the_limit_the_oldest_is_given_up(
    tmp_path: Path, make: Make, put: Put, spare_bytes: int, numbers: range, lost: list[object]
) -> None:
    newest, oldest, newer = make("system"), make("user-1000"), make("user-1001")
    files = oldest, newer, newest
    for file in files:
        put(file, 3)
    limit = sum(file.path.stat().st_size for file in files) + spare_bytes
    with closing(reader(tmp_path / "journal", max_deleted_bytes=limit)) as source:
        source.start("head")
        for file in files:
            file.path.unlink()
        source.process()
        found, losses = [], []
        while (batch := source.read()).entries or batch.gaps:
            found += [int(bytes(message)) for message in batch.messages]  # type: ignore[arg-type]
            losses += [gap[:3] for gaps in batch.gaps.values() for gap in gaps]
    assert found == list(numbers)
    assert losses == lost


def test_a_file_that_nobody_could_read_is_lost_as_soon_as_it_is_gone(
    tmp_path: Path, make: Make, put: Put
) -> None:
    """A run that ends at the first batch without anything must have said so."""
    file, refused = make("system"), make("user-1000")
    make_unknown(refused)
    put(file, 1)
    put(refused, 3)
    put(file, 1)
    with closing(reader(tmp_path / "journal", open_other=Failing("open"))) as source:
        source.start("head")
        assert rest(source) == [1, 5]
        refused.path.unlink()
        source.process()
        batch = source.read()
        assert [(gap.seqnum_last, gap.entries) for gap in batch.gaps[0]] == [(4, 3)]
        assert rest(source) == []
