"""The reader over several written files: order, size of a batch, copies, and runtime files that vanish."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from journal_exporter.journal.direct_file import DirectFile, read_header
from journal_exporter.journal.next_entries import BATCH_BYTES
from journal_exporter.journal.opening import open_journal
from journal_exporter.journal.position import Position
from journal_exporter.journal.reader import JournalReader
from tests.support.fakes import BOOT, START_US
from tests.support.machine.file_writer import JournalFile, Stamp

OLDER_BOOT = "a0" * 16
Make = Callable[..., JournalFile]
Open = Callable[..., JournalReader]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make files, whose names begin with ``var/`` or ``run/``."""
    with ExitStack() as stack:

        def make(name: str, machine_id: bytes = b"m" * 16) -> JournalFile:
            file = JournalFile(
                tmp_path / f"{name}.journal",
                file_id=name.encode().ljust(16, b"."),
                machine_id=machine_id,
            )
            stack.callback(file.close)
            return file

        yield make


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Open]:
    """Open the journal at its head, or at a place."""
    with ExitStack() as stack:

        def open_reader(position: Position | None = None) -> JournalReader:
            source = open_journal(
                directories=[tmp_path / "var", tmp_path / "run"],
                with_units=False,
                monotonic_s=lambda: 0.0,
            )
            stack.callback(source.close)
            if position is None:
                source.start("head")
            else:
                assert source.seek(position)
            return source

        yield open_reader


def put(
    file: JournalFile,
    number: int,
    *,
    at: int | None = None,
    boot_id: str = BOOT,
    size_bytes: int = 1,
    text: str = "",
) -> None:
    """Append an entry; ``at`` is its time in milliseconds, which identifies it."""
    at = number if at is None else at
    message = (text or f"{at}").encode().ljust(size_bytes)
    stamp = Stamp(number, START_US + 1000 * at, 1000 * at, bytes.fromhex(boot_id))
    file.append([b"MESSAGE=" + message], stamp)


def rest(source: JournalReader) -> list[str]:
    """Return the messages of all entries in their order, without their padding."""
    found: list[str] = []
    source.process()
    while (batch := source.read()).entries:
        assert not batch.gaps
        found += [bytes(message).decode().rstrip() for message in batch.messages]  # type: ignore[arg-type]
    assert not batch.gaps
    return found


def texts(*numbers: int) -> list[str]:
    return list(map(str, numbers))


def test_a_merged_batch_is_not_larger_than_one_of_one_file(make: Make, reader: Open) -> None:
    files = make("var/system"), make("var/user-1000")
    for number in range(1, 13):
        put(files[number % 2], number, size_bytes=BATCH_BYTES // 4)
    source = reader()
    found: list[str] = []
    while len(found) < 12:
        messages = list(map(bytes, source.read().messages))  # type: ignore[arg-type]
        assert 1 <= len(messages) <= 5
        found += [message.decode().rstrip() for message in messages]
    assert found == texts(*range(1, 13))


def test_entries_wait_for_those_before_them_that_were_not_read_ahead(
    make: Make, reader: Open
) -> None:
    """Of large entries only a few are read ahead."""
    large, small = make("var/system"), make("var/user-1000")
    for number in range(1, 25):
        is_large = bool(number % 2)
        size_bytes = BATCH_BYTES // 3 if is_large else 1
        put(large if is_large else small, number, size_bytes=size_bytes)
    assert rest(reader()) == texts(*range(1, 25))


def test_entries_of_two_boots_follow_the_clock(make: Make, reader: Open) -> None:
    older, also_older, newer = make("var/system"), make("var/user-1000"), make("var/user-1001")
    for number, at in enumerate((1, 2, 3, 7, 8, 9, 12), 1):
        put(also_older if at in (3, 9) else older, number, at=at, boot_id=OLDER_BOOT)
    for number, at in enumerate((5, 6, 10, 11), 30):
        put(newer, number, at=at)
    assert rest(reader()) == texts(1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)


def test_entries_of_two_machines_follow_the_clock_though_the_boot_is_the_same(
    make: Make, reader: Open
) -> None:
    """A container's journal has the boot of its host, and numbers of its own."""
    host, container = make("var/system"), make("var/container", b"c" * 16)
    for number, at in enumerate((1, 10), 1):
        put(host, number, at=at)
    for number, at in enumerate((5, 11), 100):
        put(container, number, at=at)
    assert rest(reader()) == texts(1, 5, 10, 11)


def test_a_batch_does_not_end_where_one_of_several_files_goes_on_in_another_boot(
    make: Make, reader: Open
) -> None:
    file, other = make("var/system"), make("var/user-1000")
    put(file, 1, at=1, boot_id=OLDER_BOOT)
    put(other, 2, at=1, boot_id=OLDER_BOOT)
    put(file, 3, boot_id=OLDER_BOOT)
    put(file, 4, at=100)
    for number in (5, 6):
        put(other, number, boot_id=OLDER_BOOT)
    source = reader()
    assert source.read().messages == [b"1", b"1", b"3", b"5", b"6"]
    assert rest(source) == texts(100)


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize(
    "names",
    [("var/system", "var/user-1000"), ("var/system", "run/system"), ("run/system", "var/user")],
)
def test_a_file_of_which_only_damage_is_left_does_not_keep_others_from_being_read(
    make: Make, reader: Open, names: tuple[str, str], *, is_first: bool
) -> None:
    damaged, other = map(make, names)
    for number in (1, 2, 3):
        put(damaged if is_first else other, number)
    for number in (4, 5, 6):
        put(other if is_first else damaged, number)
    descriptor = os.open(damaged.path, os.O_RDONLY)
    header = read_header(descriptor)
    assert header is not None
    with closing(DirectFile(descriptor, header, lambda _fields: ())) as opened:
        heads = [opened.head_at(slot) for slot in range(3)]
    with damaged.path.open("r+b") as data:
        for found in heads:
            assert found is not None
            data.seek(found[0])
            data.write(bytes(1))
    source = reader()
    messages, losses = with_losses(source)
    assert messages == (texts(4, 5, 6) if is_first else texts(1, 2, 3))
    assert sum(entries for _first, _last, entries in losses) == 3
    assert source.position.sequences["lost"] == 3
    assert source.unread == 0


@pytest.mark.parametrize("names", [["var/system"], ["var/system", "var/user-1000"]])
def test_entries_without_a_message_are_counted(make: Make, reader: Open, names: list[str]) -> None:
    files = [make(name) for name in names]
    for number in range(1, 5):
        stamp = Stamp(number, START_US, 1000, bytes.fromhex(BOOT))
        files[number % len(files)].append([b"PRIORITY=6"], stamp)
    source = reader()
    counted = 0
    while (batch := source.read()).entries:
        assert set(batch.messages) == {b""}
        counted += batch.without_message
    assert counted == 4


def test_what_follows_another_boot_waits_while_a_runtime_file_is_read_that_it_may_repeat(
    make: Make, reader: Open
) -> None:
    """Journald is copying: the first copy is there, behind entries of the boot before."""
    var, run = make("var/system"), make("run/system")
    put(run, 1, at=10)
    put(run, 2, at=11)
    put(var, 1, boot_id=OLDER_BOOT)
    put(var, 2, boot_id=OLDER_BOOT)
    put(var, 3, at=10)
    source = reader()
    assert rest(source) == texts(1, 2, 10, 11)
    put(var, 4, at=11)
    put(var, 5, at=12)
    assert rest(source) == texts(12)


def test_copies_behind_entries_of_the_same_file_are_left_out(make: Make, reader: Open) -> None:
    run = make("run/system")
    put(run, 1, at=10)
    put(run, 2, at=11)
    source = reader()
    assert rest(source) == texts(10, 11)
    var = make("var/system")
    for number, at in enumerate((1, 2), 1):
        put(var, number, at=at, boot_id=OLDER_BOOT)
    for number, at in enumerate((10, 11, 12), 3):
        put(var, number, at=at)
    again = reader(source.position)
    first = again.read()
    assert first.messages == [b"1", b"2"]
    assert rest(reader(first.place_after(1, 0))) == texts(2, 12)
    copied = again.read()
    assert (copied.messages, copied.entries, copied.repeated) == ([], 2, 2)
    assert rest(reader(copied.end)) == rest(again) == texts(12)


def test_copies_among_entries_of_several_files_are_left_out(make: Make, reader: Open) -> None:
    run = make("run/system")
    put(run, 1, at=10)
    put(run, 2, at=11)
    source = reader()
    assert rest(source) == texts(10, 11)
    files = make("var/system"), make("var/user-1000")
    put(files[0], 3, at=5)
    put(files[1], 4, at=5, text="also 5")
    for number, (file, at) in enumerate([(0, 10), (0, 11), (1, 13), (0, 14)], 5):
        put(files[file], number, at=at)
    again = reader(source.position)
    first = again.read()
    assert first.messages == [b"5", b"also 5"]
    assert rest(reader(first.place_after(1, 0))) == ["also 5", *texts(13, 14)]
    assert rest(reader(first.end)) == rest(again) == texts(13, 14)


def with_losses(source: JournalReader) -> tuple[list[str], list[tuple[int, ...]]]:
    """Return the messages of all entries, and the losses: first and last number, and how many."""
    found: list[str] = []
    losses: list[tuple[int, ...]] = []
    while (batch := source.read()).entries or batch.gaps:
        found += [bytes(message).decode() for message in batch.messages]  # type: ignore[arg-type]
        losses += [gap[:3] for index in sorted(batch.gaps) for gap in batch.gaps[index]]
    return found, losses


def vanished(make: Make, reader: Open, copied: int) -> JournalReader:
    """Return a reader that finds so many copies of three unread entries whose runtime file is gone."""
    run = make("run/system")
    for number in (1, 2, 3):
        put(run, number, at=9 + number)
    position = reader().position
    run.path.unlink()
    var = make("var/system")
    for number in range(1, 1 + copied):
        put(var, 3 + number, at=9 + number)
    put(var, 4 + copied, at=20)
    return reader(position)


def test_what_a_numbering_that_starts_after_the_first_run_loses_is_reported(
    make: Make, reader: Open
) -> None:
    """Though its numbers are below those that were there when the first run began."""
    file = make("var/system")
    for number in (100, 101):
        put(file, number, boot_id=OLDER_BOOT)
    source = reader()
    assert with_losses(source) == (texts(100, 101), [])
    later = make("var/user-1000")
    for number in (1, 5):
        put(later, number, at=200 + number)
    source.process()
    messages, losses = with_losses(source)
    assert messages == texts(201, 205)
    assert losses == [(2, 4, 3)]


@pytest.mark.parametrize("copied", [0, 1, 2, 3])
def test_of_a_runtime_file_that_vanished_what_has_no_copy_is_lost(
    make: Make, reader: Open, copied: int
) -> None:
    source = vanished(make, reader, copied)
    messages, losses = with_losses(source)
    assert messages == texts(*range(10, 10 + copied), 20)
    assert losses == ([(1, 3, 3 - copied)] if copied < 3 else [])
    assert with_losses(reader(source.position)) == ([], [])


def test_from_any_place_the_rest_of_a_runtime_file_that_vanished_is_accounted_for_once(
    make: Make, reader: Open
) -> None:
    source = vanished(make, reader, copied=2)
    batch = source.read()
    assert batch.messages == [b"10", b"11", b"20"]
    for elements, left in enumerate([[10, 11, 20], [11, 20], [20], []]):
        place = batch.place_after(elements, 0)
        assert with_losses(reader(place)) == (texts(*left), [(1, 3, 1)])
    last = source.read()
    assert [gap[:3] for gap in last.gaps[0]] == [(1, 3, 1)]
    assert with_losses(reader(last.place_after(0, 0))) == ([], [(1, 3, 1)])
    assert with_losses(reader(last.place_after(0, 1))) == ([], [])
    assert with_losses(reader(last.end)) == ([], [])


def test_up_to_a_place_nothing_of_a_runtime_file_that_vanished_is_lost(
    make: Make, reader: Open
) -> None:
    """Copies may come behind the place."""
    source = vanished(make, reader, copied=2)
    begin = source.position
    until = source.read().place_after(1, 0)
    assert source.seek(begin, until)
    assert with_losses(source) == (texts(10), [])


def test_neither_entries_of_runtime_files_nor_copies_of_what_was_read_stand_for_what_vanished(
    make: Make, reader: Open
) -> None:
    other = make("run/other")
    put(other, 1, at=5)
    put(other, 2, at=6)
    source = reader()
    assert with_losses(source) == (texts(5, 6), [])
    put(other, 3, at=7)
    run = make("run/system")
    for number in (4, 5, 6):
        put(run, number, at=6 + number)
    position = reader(source.position).position
    run.path.unlink()
    var = make("var/system")
    for number, at in enumerate((5, 6), 7):
        put(var, number, at=at)
    messages, losses = with_losses(reader(position))
    assert messages == texts(7)
    assert sum(entries for _first, _last, entries in losses) == 3
