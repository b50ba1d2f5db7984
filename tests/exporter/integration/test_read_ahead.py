"""What is read ahead of libsystemd is what libsystemd would have read, or nothing."""

import itertools
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from journal_exporter.journal.batch import CONTEXT_FIELDS, Batch, Field, Position
from journal_exporter.journal.cursor import Cursor, parse
from journal_exporter.journal.direct_fields import NeedsLibsystemdError
from journal_exporter.journal.direct_file import DirectFile
from journal_exporter.journal.read_ahead import ReadAhead
from journal_exporter.journal.reader import JournalReader
from tests.support.journald import Journald
from tools.journal_writer import BOTTLEROCKET, export_entry, write_journal

BOOT = b"b" * 32
START_US = 1_793_750_000_000_000
N_ENTRIES_OFFSET = 152
"""Of ``n_entries`` in a file's header (JOURNAL_FILE_FORMAT)."""
Fields = list[tuple[str, bytes]]
Row = tuple[int, tuple[Field, ...], Field]


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


def rows(batch: Batch) -> list[Row]:
    return list(zip(batch.times_us, batch.contexts, batch.messages, strict=True))


def by_libsystemd(directory: Path) -> tuple[list[Row], list[Cursor]]:
    found: list[Row] = []
    places: list[Cursor] = []
    with closing(JournalReader(root=None, directory=directory)) as source:
        source.start("head")
        while (batch := source.read(precise=True)).entries:
            found += rows(batch)
            places += [parse(str(position.cursor)) for position in batch.positions]
    return found, places


def ahead(path: Path, after: Cursor, entries: int = 1000) -> tuple[list[Row], Cursor]:
    """Read all that is left of a file; nothing of it may be for libsystemd."""
    found: list[Row] = []
    with opened(path, after) as direct:
        last = after
        while direct.entries_left:
            batch = Batch(Position(None))
            last = direct.read(batch, entries=entries, room_bytes=1 << 18)
            found += rows(batch)
    return found, last


@contextmanager
def opened(path: Path, after: Cursor) -> Iterator[DirectFile]:
    direct = DirectFile.open(path, after, context_of)
    assert direct is not None
    with closing(direct):
        yield direct


def read_all(direct: DirectFile) -> None:
    while direct.entries_left:
        direct.read(Batch(Position(None)), entries=100, room_bytes=1 << 18)


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
    directory = tmp_path_factory.mktemp("journal")
    path = directory / "system.journal"
    write_journal(path, encoded(entries), compressed=compressed)
    found, places = by_libsystemd(directory)
    assert len(found) == len(entries)
    for start in {0, (len(found) - 1) // 2}:
        assert ahead(path, places[start], chunk) == (found[start + 1 :], places[-1])


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a directory with one file of 3,000 entries."""
    write_journal(tmp_path / "system.journal", encoded(plain(range(3000))))
    return tmp_path


def fast(directory: Path) -> tuple[list[Row], ReadAhead]:
    """Read everything as the pipeline does that has a backlog."""
    found: list[Row] = []
    with closing(JournalReader(root=None, directory=directory, with_units=True)) as source:
        source.start("head")
        source.single_sequence = True
        while (batch := source.read()).entries:
            found += rows(batch)
            if len(found) % 3 == 0:
                # As at the end of an output file.
                found += rows(source.read(precise=True))
        return found, source._read_ahead


def messages(found: Sequence[Row]) -> list[Field]:
    return [message for _time, _context, message in found]


def test_reading_ahead_and_entry_by_entry_alternately_repeats_and_omits_nothing(
    journal: Path,
) -> None:
    found, read_ahead = fast(journal)
    assert messages(found) == [b"number %d" % number for number in range(3000)]
    assert read_ahead.entries > 500


def test_files_of_a_real_journald_are_read_across_its_rotations(tmp_path: Path) -> None:
    with Journald(tmp_path / "host") as journald:
        for turn in range(3):
            journald.send_many(b"turn %d number %d" % (turn, number) for number in range(6000))
            journald.sync()
            journald.rotate()
        directory = next(iter(journald.persistent.glob("*.journal"))).parent
        found, _places = by_libsystemd(directory)
        quick, read_ahead = fast(directory)
    assert messages(quick) == messages(found)
    assert [time_us for time_us, _, _ in quick] == [time_us for time_us, _, _ in found]
    assert read_ahead.entries > 10_000


def test_entries_added_after_a_file_was_opened_are_left_to_the_next_search(journal: Path) -> None:
    path = journal / "system.journal"
    _found, places = by_libsystemd(journal)
    with opened(path, places[0]) as direct:
        write_journal(path, encoded(plain(range(3000, 3010)), 3000))
        assert direct.entries_left == 2999
    assert len(ahead(path, places[0])[0]) == 3009


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compact"])
def test_entries_that_journald_flushed_to_var_are_read_as_libsystemd_reads_them(
    tmp_path: Path, rng: random.Random, *, compress: bool
) -> None:
    """A flush copies entries without sorting their fields, some of which the file has already."""
    texts = [b"boot message %d " % n + b"x" * rng.randrange(200) for n in range(700)]
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
    found, places = by_libsystemd(path.parent)
    quick, read_ahead = fast(path.parent)
    assert messages(quick) == messages(found)
    assert [row[0] for row in quick] == [row[0] for row in found]
    assert read_ahead.entries > 500
    begin = next(n for n, place in enumerate(places) if place.boot_id == places[-1].boot_id)
    assert ahead(path, places[begin]) == (found[begin + 1 :], places[-1])
    # From many places, for what lies where in the window differs.
    for start in range(begin, len(places) - 300, 11):
        with opened(path, places[start]) as direct:
            batch = Batch(Position(None))
            direct.read(batch, entries=300, room_bytes=1 << 30)
        assert rows(batch) == found[start + 1 : start + 301]


def test_another_boot_within_a_file_is_read_as_libsystemd_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    first = encoded(plain(range(3000)))
    second = (entry.replace(BOOT, b"c" * 32) for entry in encoded(plain(range(3000, 6000)), 3000))
    write_journal(path, itertools.chain(first, second))
    quick, read_ahead = fast(tmp_path)
    assert messages(quick) == [b"number %d" % number for number in range(6000)]
    assert read_ahead.entries > 500
    _found, places = by_libsystemd(tmp_path)
    with opened(path, places[2990]) as direct, pytest.raises(NeedsLibsystemdError):
        direct.read(Batch(Position(None)), entries=100, room_bytes=1 << 18)


def test_a_file_with_a_hole_in_its_numbers_is_left_to_libsystemd(journal: Path) -> None:
    path = journal / "system.journal"
    _found, places = by_libsystemd(journal)
    with path.open("r+b") as file:
        file.seek(N_ENTRIES_OFFSET)
        count = int.from_bytes(file.read(8), "little")
        file.seek(N_ENTRIES_OFFSET)
        file.write((count - 1).to_bytes(8, "little"))
    assert count == 3000
    assert DirectFile.open(path, places[0], context_of) is None


def test_a_file_of_another_sequence_that_appears_is_read_in_order(
    tmp_path: Path,
) -> None:
    """Its entries lie between those of the file that is being read directly."""
    write_journal(tmp_path / "system.journal", encoded(plain(range(9000))))
    found: list[Row] = []
    with closing(JournalReader(root=None, directory=tmp_path)) as source:
        source.start("head")
        source.single_sequence = True
        for _ in range(3):
            found += rows(source.read())
        assert source._read_ahead.entries > 1000
        late = (entry.replace(BOOT, b"d" * 32) for entry in encoded(plain(range(7000, 7050)), 7000))
        write_journal(tmp_path / "late.journal", late)
        while True:
            source.process()
            if not (batch := source.read()).entries:
                break
            found += rows(batch)
    assert sorted(messages(found), key=repr) == sorted(
        [b"number %d" % number for number in [*range(9000), *range(7000, 7050)]], key=repr
    )


def test_an_entry_that_could_not_be_read_is_counted_as_lost(journal: Path) -> None:
    with closing(JournalReader(root=None, directory=journal)) as source:
        source.start("head")
        first = source.read(precise=True)
        source.single_sequence = True
        before = first.positions[-2]
        assert before.cursor is not None
        # The last entry had no fields: its cursor is kept, and its number is not.
        source.seek(Position(first.end.cursor, before.sequence))
        following = source.read()
    assert [gap.entries for gap in following.gaps.values()] == [1]


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
    write_journal(tmp_path / "system.journal", encoded(entries))
    found, places = by_libsystemd(tmp_path)
    direct = DirectFile.open(tmp_path / "system.journal", places[0], context_of)
    assert direct is not None
    batch = Batch(Position(None))
    with closing(direct):
        direct.read(batch, entries=199, room_bytes=1 << 30)
    assert rows(batch) == found[1:]
    kept_bytes = sum(len(str(known)) for known in direct._fields.cached.values())
    assert kept_bytes < 100_000


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def punch(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize("damage", [cut, punch])
def test_damage_is_left_to_libsystemd_and_so_is_all_of_its_batch(
    journal: Path, damage: object
) -> None:
    path = journal / "system.journal"
    _found, places = by_libsystemd(journal)
    direct = DirectFile.open(path, places[0], context_of)
    assert direct is not None
    assert callable(damage)
    damage(path)
    with closing(direct):
        with pytest.raises(NeedsLibsystemdError):
            read_all(direct)
        assert places[0].seqnum < direct.last.seqnum < places[-1].seqnum
        with pytest.raises(NeedsLibsystemdError):
            read_all(direct)


def test_damage_costs_no_more_than_libsystemd_loses_to_it(tmp_path: Path) -> None:
    write_journal(tmp_path / "system.journal", encoded(plain(range(9000))))
    punch(tmp_path / "system.journal")
    found, _places = by_libsystemd(tmp_path)
    quick, read_ahead = fast(tmp_path)
    assert 5000 < len(found) < 9000
    assert messages(quick) == messages(found)
    assert read_ahead.entries > 1000


@pytest.mark.parametrize(
    "where",
    [
        {"seqnum": 5},
        {"realtime_us": 1},
        {"boot_id": "c" * 32},
        {"seqnum_id": "d" * 32},
        {"seqnum": 3000},
    ],
)
def test_an_entry_that_is_not_the_files_is_not_continued_in_it(
    journal: Path, where: dict[str, object]
) -> None:
    _found, places = by_libsystemd(journal)
    after = places[9]._replace(**where)  # type: ignore[arg-type]
    assert DirectFile.open(journal / "system.journal", after, context_of) is None


@pytest.mark.parametrize("flag", [1, 2, 32], ids=["xz", "lz4", "of the future"])
def test_a_file_of_another_kind_is_left_to_libsystemd(journal: Path, flag: int) -> None:
    path = journal / "system.journal"
    _found, places = by_libsystemd(journal)
    with path.open("r+b") as file:
        file.seek(12)
        file.write(flag.to_bytes(4, "little"))
    assert DirectFile.open(path, places[0], context_of) is None


def test_where_two_files_have_the_same_numbers_libsystemd_chooses(journal: Path) -> None:
    path = journal / "system.journal"
    _found, places = by_libsystemd(journal)
    batch = Batch(Position(None))
    for paths, expected in (
        ([path], places[100]),
        ([path, shutil.copy(path, journal / "copy.journal")], None),
    ):
        with closing(ReadAhead(lambda paths=paths: paths, context_of)) as read_ahead:  # type: ignore[misc]
            last = read_ahead.read(batch, places[0], entries=100, room_bytes=1 << 20, lagging=False)
            assert last == expected


def test_a_few_entries_are_read_directly_only_after_a_seek(journal: Path) -> None:
    _found, places = by_libsystemd(journal)

    def read(lagging: bool) -> Cursor | None:  # noqa: FBT001
        return read_ahead.read(
            Batch(Position(None)), places[0], entries=10, room_bytes=1 << 20, lagging=lagging
        )

    with closing(ReadAhead(lambda: [journal / "system.journal"], context_of)) as read_ahead:
        assert read(lagging=False) == places[10]
        read_ahead.close()
        assert read(lagging=True) is None
        read_ahead.restart()
        assert read(lagging=False) == places[10]


SMALL = plain(range(40))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Cursor]:
    """Return a small file's bytes and its first entry."""
    directory = tmp_path_factory.mktemp("small")
    write_journal(directory / "system.journal", encoded(SMALL))
    _found, places = by_libsystemd(directory)
    return (directory / "system.journal").read_bytes(), places[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9)), max_size=9
    )
)
def test_any_damage_ends_in_entries_or_in_leaving_it_to_libsystemd(
    small: tuple[bytes, Cursor],
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[float, bytes]],
) -> None:
    whole, after = small
    data = bytearray(whole)
    # The header, and everything after the hash tables, which are most of the file and not read.
    begin = next(number for number in itertools.count(3_000_000) if data[number])
    for place, value in changes:
        spots = [*range(272), *range(begin, begin + 12_000)]
        start = spots[int(place * len(spots))]
        data[start : start + len(value)] = value
    path = tmp_path_factory.mktemp("damaged") / "system.journal"
    path.write_bytes(data)
    direct = DirectFile.open(path, after, context_of)
    if direct is None:
        return
    read = 0
    with closing(direct):
        while direct.entries_left > 0 and read < 40:
            batch = Batch(Position(None))
            try:
                last = direct.read(batch, entries=7, room_bytes=1 << 18)
            except NeedsLibsystemdError:
                break
            assert last.seqnum == after.seqnum + read + len(batch.messages)
            read += len(batch.messages)
