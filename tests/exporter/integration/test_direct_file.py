"""A file read directly gives what libsystemd reads of it, and of a damaged one no less."""

import itertools
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from journal_exporter.journal.direct_file import DirectFile, read_header
from journal_exporter.journal.fields import CONTEXT_FIELDS, Field
from journal_exporter.journal.libsystemd_file import LibsystemdFile
from journal_exporter.journal.opening import open_journal
from journal_exporter.journal.run import FileReader, Place, Run, first_place
from tests.support.journald import Journald
from tools.journal_writer import BOTTLEROCKET, export_entry, write_journal

BOOT = b"b" * 32
START_US = 1_793_750_000_000_000
N_ENTRIES_OFFSET = 152
"""Of ``n_entries`` in a file's header (JOURNAL_FILE_FORMAT)."""
Fields = list[tuple[str, bytes]]
Row = tuple[tuple[object, ...], tuple[Field, ...], Field]
"""Number, times, boot and hash of an entry; its context and message."""
Kinds = type[DirectFile] | type[LibsystemdFile]


def encoded(entries: Sequence[Fields], first: int = 0) -> Iterator[bytes]:
    for number, fields in enumerate(entries, first):
        yield export_entry(
            [
                ("__REALTIME_TIMESTAMP", b"%d" % (START_US + number * 1000)),
                ("__MONOTONIC_TIMESTAMP", b"%d" % (number * 1000 + 1)),
                ("_BOOT_ID", BOOT),
                *fields,
            ]
        )


def plain(numbers: Sequence[int]) -> list[Fields]:
    return [
        [("_HOSTNAME", b"node"), ("SYSLOG_IDENTIFIER", b"app"), ("MESSAGE", b"number %d" % number)]
        for number in numbers
    ]


def context_of(fields: Mapping[str, Field]) -> tuple[Field, ...]:
    return tuple(map(fields.get, CONTEXT_FIELDS))


def opened(path: Path, kind: Kinds = DirectFile) -> FileReader:
    descriptor = os.open(path, os.O_RDONLY)
    header = read_header(descriptor)
    assert header is not None
    return kind(descriptor, header, context_of)


def rows(run: Run) -> list[Row]:
    heads = [head[3:] for head in run.heads]
    return list(zip(heads, run.contexts, run.messages, strict=True))


def rest(file: FileReader, chunk: int = 1000) -> Run:
    """Read everything that is left, so many entries at a time."""
    run = Run()
    while file.entries_left:
        file.read(run, entries=chunk, room_bytes=1 << 18)
    return run


def by_libsystemd(path: Path) -> list[Row]:
    with closing(opened(path, LibsystemdFile)) as file:
        return rows(rest(file))


def directly(path: Path, after: Place | None = None, chunk: int = 1000) -> list[Row]:
    """Read all that is left of a whole file."""
    with closing(opened(path)) as file:
        if after is not None:
            assert file.seek(after)
        run = rest(file, chunk)
        assert not run.lost
        return rows(run)


def places(path: Path) -> list[Place]:
    """Return the place after each entry."""
    with closing(opened(path)) as file:
        found = []
        while file.entries_left:
            file.read(Run(), entries=1, room_bytes=1)
            found.append(file.place)
        return found


NAMES = st.sampled_from(
    [*CONTEXT_FIELDS, "MESSAGE", "MESSAGE", "_EXE", "_SOURCE_REALTIME_TIMESTAMP"]
)
VALUES = st.binary(max_size=20) | st.sampled_from([b"same", b"x" * 700, b"\n\xff\x00", b"a=b"])
ENTRIES = st.lists(
    st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=12), min_size=2, max_size=30
)
LONG = [[("MESSAGE", b"%d " % n + b"long" * 40_000), ("PRIORITY", b"6")] for n in range(4)]
TWICE = [[("MESSAGE", b"one"), ("MESSAGE", b"two"), ("_PID", b"1"), ("_PID", b"2")]] * 3


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, chunk=st.integers(1, 40))
@example(entries=LONG, chunk=1000)
@example(entries=TWICE, chunk=2)
@example(entries=plain(range(300)), chunk=7)
@example(entries=[[("_EXE", b"%d" % n)] for n in range(5)], chunk=1000)
def test_a_file_read_directly_gives_what_libsystemd_reads(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Fields], chunk: int, *, compressed: bool
) -> None:
    path = tmp_path_factory.mktemp("journal") / "system.journal"
    write_journal(path, encoded(entries), compressed=compressed)
    found = by_libsystemd(path)
    assert len(found) == len(entries)
    assert directly(path, chunk=chunk) == found
    after = places(path)
    for start in {0, (len(found) - 1) // 2, len(found) - 1}:
        assert directly(path, after[start], chunk) == found[start + 1 :]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return one file of 3,000 entries."""
    path = tmp_path / "system.journal"
    write_journal(path, encoded(plain(range(3000))))
    return path


def read_all(directory: Path) -> list[Field]:
    """Return all messages as the exporter reads them."""
    found: list[Field] = []
    with closing(open_journal(directories=[directory], with_units=True)) as source:
        source.start("head")
        while (batch := source.read()).entries:
            found += batch.messages
            source.process()
        assert source.position.sequences["lost"] == 0
    return found


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
def test_a_place_is_gone_to_and_named_alike_however_the_file_is_read(
    journal: Path, kind: Kinds
) -> None:
    found = by_libsystemd(journal)
    with closing(opened(journal, kind)) as file:
        run = Run()
        file.read(run, entries=7, room_bytes=1 << 18)
        place = file.place
        assert (place.entries, place.seqnum, file.entries_left) == (7, 7, 2993)
        assert (place.realtime_us, place.boot_id) == (START_US + 6000, BOOT.decode())
        file.read(Run(), entries=100, room_bytes=1 << 18)
        assert file.seek(place)
        file.read(run, entries=3, room_bytes=1 << 18)
        assert rows(run) == found[:10]
        head = file.head_at(2999)
        assert head is not None
        assert head[1][3:] == found[-1][0]
        assert file.head_at(3000) is None
        file.read(run, entries=1, room_bytes=1 << 18)
        assert rows(run) == found[:11]
        assert file.seek(Place())
        assert rows(rest(file)) == found


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
@pytest.mark.parametrize("number", [0, 1, 1700, 2999, 3000])
def test_the_first_entry_that_is_wanted_is_found_by_bisection(
    journal: Path, kind: Kinds, number: int
) -> None:
    with closing(opened(journal, kind)) as file:
        place = first_place(file, lambda head: head[3] > number)
        assert (place.entries, place.seqnum) == (number, number)
        assert file.seek(place)
        assert file.entries_left == 3000 - number
        assert len(rest(file).heads) == 3000 - number


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
def test_a_batch_ends_when_there_is_no_room(tmp_path: Path, kind: Kinds) -> None:
    write_journal(tmp_path / "system.journal", encoded(LONG))
    with closing(opened(tmp_path / "system.journal", kind)) as file:
        run = Run()
        file.read(run, entries=1000, room_bytes=200_000)
        assert len(run.heads) == 2
        assert file.entries_left == 2


def test_files_of_a_real_journald_are_read_over_its_rotations(tmp_path: Path) -> None:
    with Journald(tmp_path / "host") as journald:
        for turn in range(3):
            journald.send_many(b"turn %d number %d" % (turn, number) for number in range(6000))
            journald.sync()
            journald.rotate()
        files = sorted(journald.persistent.glob("*.journal"), key=lambda path: path.stat().st_ctime)
        found = {path: by_libsystemd(path) for path in files}
        assert {path: directly(path) for path in files} == found
        messages = read_all(journald.persistent)
    everything = sorted(itertools.chain.from_iterable(found.values()))
    assert messages == [message for _head, _context, message in everything]
    assert len(messages) > 18_000


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
def test_what_a_file_gets_after_it_was_opened_is_read_after_a_refresh(
    journal: Path, kind: Kinds
) -> None:
    with closing(opened(journal, kind)) as file:
        assert len(rest(file).heads) == 3000
        write_journal(journal, encoded(plain(range(3000, 3010)), 3000))
        assert file.entries_left == 0
        file.refresh()
        assert file.entries_left == 10
        assert rows(rest(file)) == by_libsystemd(journal)[3000:]


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
def test_a_file_that_was_deleted_is_read_to_its_end(journal: Path, kind: Kinds) -> None:
    found = by_libsystemd(journal)
    with closing(opened(journal, kind)) as file:
        assert not file.is_deleted
        journal.unlink()
        file.refresh()
        assert file.is_deleted
        assert rows(rest(file)) == found


@pytest.mark.parametrize("kind", [DirectFile, LibsystemdFile])
def test_a_file_that_grew_before_it_was_deleted_is_read_or_its_entries_count_as_lost(
    journal: Path, kind: Kinds
) -> None:
    large: list[Fields] = [[("MESSAGE", b"%d " % number * 300_000)] for number in range(10)]
    with closing(opened(journal, kind)) as file:
        assert len(rest(file).heads) == 3000
        write_journal(journal, encoded(large, 3000))
        journal.unlink()
        file.refresh()
        run = rest(file)
        # libsystemd gives the file up, and closes its descriptor.
        file.refresh()
        assert file.is_deleted
        assert len(run.heads) + sum(run.lost.values()) == 10
        assert isinstance(file, LibsystemdFile) or len(run.heads) == 10


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compact"])
def test_entries_that_journald_flushed_to_var_are_read_as_libsystemd_reads_them(
    tmp_path: Path, *, compress: bool
) -> None:
    """A flush copies entries without sorting their fields, some of which the file has already."""
    lengths = random.Random(0)  # noqa: S311 - any will do, but the same
    texts = [b"boot message %d " % n + b"x" * lengths.randrange(200) for n in range(700)]
    environment = {} if compress else BOTTLEROCKET
    journald = Journald(
        tmp_path / "host", storage="auto", compress=compress, environment=environment
    )
    with closing(ExitStack()) as stack:
        stack.callback(journald.stop)
        journald.start()
        journald.flush()
        journald.send_many(texts, PRIORITY=6)
        journald.sync()
        journald.stop()
        # As after a boot: the same words, in /run, with a field before them that is new.
        (journald.root / "run/systemd/journal/flushed").unlink()
        journald.start()
        for number, text in enumerate(texts):
            journald.send_fields([("SINCE", b"%d" % number), ("MESSAGE", text)])
        for turn in range(9):
            journald.send_many((b"later %d %d" % (turn, n) for n in range(700)), PRIORITY=6)
        journald.sync()
        journald.flush()
    path = journald.persistent / "system.journal"
    found = by_libsystemd(path)
    assert directly(path) == found
    # From many places, for what lies where in the window differs.
    with closing(opened(path)) as file:
        for start, place in list(enumerate(places(path)))[700:-300:11]:
            assert file.seek(place)
            run = Run()
            file.read(run, entries=300, room_bytes=1 << 30)
            assert rows(run) == found[start + 1 : start + 301]


def test_another_boot_within_a_file_is_read_as_libsystemd_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    first = encoded(plain(range(3000)))
    second = (entry.replace(BOOT, b"c" * 32) for entry in encoded(plain(range(3000, 6000)), 3000))
    write_journal(path, itertools.chain(first, second))
    assert directly(path) == by_libsystemd(path)
    assert read_all(tmp_path) == [b"number %d" % number for number in range(6000)]


def test_only_so_many_entries_as_the_header_says_are_read(journal: Path) -> None:
    """The rest is not linked yet."""
    found = by_libsystemd(journal)
    with journal.open("r+b") as file:
        file.seek(N_ENTRIES_OFFSET)
        count = int.from_bytes(file.read(8), "little")
        file.seek(N_ENTRIES_OFFSET)
        file.write((count - 1).to_bytes(8, "little"))
    assert count == 3000
    assert directly(journal) == found[:-1]


def test_a_file_that_turns_up_between_the_entries_of_another_is_read_once(tmp_path: Path) -> None:
    write_journal(tmp_path / "system.journal", encoded(plain(range(9000))))
    found: list[Field] = []
    with closing(open_journal(directories=[tmp_path], with_units=False)) as source:
        source.start("head")
        for _ in range(3):
            found += source.read().messages
        late = (entry.replace(BOOT, b"d" * 32) for entry in encoded(plain(range(7000, 7050)), 7000))
        write_journal(tmp_path / "late.journal", late)
        while True:
            source.process()
            if not (batch := source.read()).entries:
                break
            found += batch.messages
    assert Counter(map(str, found)) == Counter(
        str(b"number %d" % number) for number in [*range(9000), *range(7000, 7050)]
    )


def test_of_two_copies_of_a_file_each_entry_is_read_once(journal: Path) -> None:
    shutil.copy(journal, journal.with_name("copy.journal"))
    assert read_all(journal.parent) == [b"number %d" % number for number in range(3000)]


@pytest.mark.parametrize("size", [100, 60_000])
def test_large_fields_are_not_kept(tmp_path: Path, size: int) -> None:
    entries = [
        [
            ("SYSLOG_IDENTIFIER", b"%05d" % (n // 2) + b"i" * size),
            *((name, b"1") for name in ("PRIORITY", "SYSLOG_FACILITY", "_PID")),
            ("MESSAGE", b"m %d" % n),
        ]
        for n in range(200)
    ]
    path = tmp_path / "system.journal"
    write_journal(path, encoded(entries))
    header_of = os.open(path, os.O_RDONLY)
    header = read_header(header_of)
    assert header is not None
    with closing(DirectFile(header_of, header, context_of)) as file:
        run = Run()
        file.read(run, entries=200, room_bytes=1 << 30)
        kept_bytes = sum(len(str(known)) for known in file._known.values())
        kept_bytes += sum(len(str(field)) for field in file._fields.values())
    assert rows(run) == by_libsystemd(path)
    assert kept_bytes < 200_000


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def punch(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("damage", [cut, punch])
def test_damage_costs_what_it_damaged_and_every_entry_is_accounted_for(
    tmp_path: Path, damage: Callable[[Path], None], *, is_open: bool
) -> None:
    path = tmp_path / "system.journal"
    write_journal(path, encoded(plain(range(9000))))
    found = by_libsystemd(path)
    with closing(opened(path)) as file:
        if is_open:
            damage(path)
            run = rest(file)
    if not is_open:
        damage(path)
        with closing(opened(path)) as file:
            run = rest(file)
    lost = sum(run.lost.values())
    assert 0 < lost < 9000
    assert len(run.heads) + lost == 9000
    whole = {head: (context, message) for head, context, message in found}
    damaged = [row for row in rows(run) if whole[row[0]] != row[1:]]
    assert len(damaged) < 10
    assert [head[3] for head in run.heads] == sorted({head[3] for head in run.heads})


def test_damage_costs_no_more_than_libsystemd_loses_to_it(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    write_journal(path, encoded(plain(range(9000))))
    punch(path)
    left = Counter(str(row) for row in by_libsystemd(path))
    with closing(opened(path)) as file:
        run = rest(file)
    assert 5000 < left.total() < 9000
    assert not left - Counter(map(str, rows(run)))


@pytest.mark.parametrize(
    "change", [{"offset": 8}, {"seqnum": 5}, {"boot_id": "c" * 32}, {"offset": 1 << 40}]
)
def test_a_place_that_is_not_in_the_file_is_reported(
    journal: Path, change: dict[str, object]
) -> None:
    place = places(journal)[9]._replace(**change)  # type: ignore[arg-type]
    with closing(opened(journal)) as file:
        assert not file.seek(place)


def test_a_place_whose_entry_is_gone_is_continued_at_the_next_one(journal: Path) -> None:
    found, after = by_libsystemd(journal), places(journal)
    with journal.open("r+b") as file:
        file.seek(after[9].offset)
        file.write(bytes(64))
    with closing(opened(journal)) as direct:
        assert not direct.seek(after[9])
        assert rows(rest(direct)) == found[10:]


@pytest.mark.parametrize("flag", [1, 2, 4, 8], ids=["xz", "lz4", "keyed", "zstd"])
def test_a_file_whose_flags_name_what_it_may_have_is_read(journal: Path, flag: int) -> None:
    found = directly(journal)
    with journal.open("r+b") as file:
        file.seek(12)
        file.write(flag.to_bytes(4, "little"))
    assert directly(journal) == found


SMALL = plain(range(40))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a small file's bytes."""
    path = tmp_path_factory.mktemp("small") / "system.journal"
    write_journal(path, encoded(SMALL))
    return path.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.binary(min_size=1, max_size=9)
            | st.sampled_from([0, 1, 2**31, 2**62, 2**63, 2**64 - 16]).map(
                lambda number: number.to_bytes(8, "little")
            ),
        ),
        max_size=9,
    )
)
def test_whatever_is_damaged_reading_ends_with_every_entry_accounted_for(
    small: bytes, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, bytes]]
) -> None:
    data = bytearray(small)
    # The header, and everything after the hash tables, which are most of the file and not read.
    begin = next(number for number in itertools.count(3_000_000) if data[number])
    for place, value in changes:
        spots = [*range(272), *range(begin, begin + 12_000)]
        start = spots[int(place * len(spots))]
        data[start : start + len(value)] = value
    path = tmp_path_factory.mktemp("damaged") / "system.journal"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    header = read_header(descriptor)
    if header is None:
        os.close(descriptor)
        return
    with closing(DirectFile(descriptor, header, context_of)) as file:
        run, reads = Run(), 0
        while file.entries_left > 0:
            left = file.entries_left
            file.read(run, entries=7, room_bytes=1 << 18)
            reads += 1
            assert file.entries_left < left
        assert reads <= 50
    assert len(run.heads) + sum(run.lost.values()) == header.entries
    assert run.offsets == sorted(set(run.offsets))
