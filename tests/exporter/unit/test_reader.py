"""The reader over written files: what it hands over, and the places that it can resume from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from journal_exporter.journal.batch import Batch
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.opening import open_journal
from journal_exporter.journal.position import Position
from journal_exporter.journal.reader import JournalReader
from tests.support.fakes import BOOT, START_US
from tests.support.machine.file_writer import JournalFile, Stamp

Open = Callable[[], JournalReader]


def put(file: JournalFile, *numbers: int) -> None:
    for number in numbers:
        stamp = Stamp(number, START_US + 1000 * number, 1000 * number, bytes.fromhex(BOOT))
        file.append([b"MESSAGE=%d" % number], stamp)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., JournalFile]]:
    """Make files of one machine, whose numbers are one sequence, below ``tmp_path/journal``."""
    with ExitStack() as stack:

        def make(name: str, *numbers: int) -> JournalFile:
            file = JournalFile(
                tmp_path / f"journal/{name}.journal",
                file_id=name.encode().ljust(16, b"."),
                machine_id=b"m" * 16,
            )
            stack.callback(file.close)
            put(file, *numbers)
            return file

        yield make


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Open]:
    """Open the journal, again too."""
    with ExitStack() as stack:

        def open_reader() -> JournalReader:
            made = open_journal(
                directories=[tmp_path / "journal"], with_units=False, monotonic_s=lambda: 0.0
            )
            stack.callback(made.close)
            return made

        yield open_reader


def without_epochs(gaps: list[Gap]) -> list[Gap]:
    return [gap._replace(epoch=0) for gap in gaps]


def read_all(source: JournalReader) -> tuple[list[int], list[Gap]]:
    """Return the numbers of all entries, and the losses, in their order."""
    numbers: list[int] = []
    gaps: list[Gap] = []
    while (batch := source.read()).entries or batch.gaps:
        numbers += map(int, map(bytes, batch.messages))  # type: ignore[arg-type]
        gaps += [gap for index in sorted(batch.gaps) for gap in without_epochs(batch.gaps[index])]
    return numbers, gaps


def resumed(reader: Open, position: Position) -> tuple[list[int], list[Gap], int]:
    """Return what a reader reads from a place on, and how many entries it reports lost in all."""
    source = reader()
    assert source.seek(position)
    numbers, gaps = read_all(source)
    return numbers, gaps, source.position.sequences["lost"]


def one_batch_with_two_gaps(make: Callable[..., JournalFile], reader: Open) -> Batch:
    file = make("system", 1)
    source = reader()
    source.start("head")
    assert read_all(source) == ([1], [])
    put(file, 5, 6, 9)
    source.process()
    return source.read()


def test_a_loss_is_just_before_the_entry_that_follows_it(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    batch = one_batch_with_two_gaps(make, reader)
    assert batch.messages == [b"5", b"6", b"9"]
    found = {index: without_epochs(gaps) for index, gaps in batch.gaps.items()}
    assert found == {0: [Gap(2, 4, 3)], 2: [Gap(7, 8, 2)]}


@pytest.mark.parametrize(
    ("elements", "gaps", "numbers", "left"),
    [
        (0, 0, [5, 6, 9], [Gap(2, 4, 3), Gap(7, 8, 2)]),
        (0, 1, [5, 6, 9], [Gap(7, 8, 2)]),
        (1, 1, [6, 9], [Gap(7, 8, 2)]),
        (2, 1, [9], [Gap(7, 8, 2)]),
        (2, 2, [9], []),
        (3, 2, [], []),
    ],
)
def test_from_any_place_within_a_batch_the_rest_is_read_and_no_loss_is_reported_again(
    make: Callable[..., JournalFile],
    reader: Open,
    elements: int,
    gaps: int,
    numbers: list[int],
    left: list[Gap],
) -> None:
    batch = one_batch_with_two_gaps(make, reader)
    place = batch.place_after(elements, gaps)
    assert place.sequences["lost"] == sum(
        gap.entries for gap in (Gap(2, 4, 3), Gap(7, 8, 2))[:gaps]
    )
    assert resumed(reader, place) == (numbers, left, 5)
    assert resumed(reader, batch.end) == ([], [], 5)


def test_numbers_that_begin_anew_within_a_boot_are_no_loss_though_one_batch_has_them_all(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    """A journald that starts again goes on from the files that it opens, not from the highest number."""

    def log(name: str, boot_id: str, first_us: int, *numbers: int) -> None:
        file = make(name)
        for at_us, number in enumerate(numbers, first_us):
            stamp = Stamp(number, START_US + at_us, at_us, bytes.fromhex(boot_id))
            file.append([b"MESSAGE=%d" % number], stamp)

    log("old", "b1" * 16, 1, 7)
    source = reader()
    source.start("head")
    assert read_all(source) == ([7], [])
    log("user-1000", BOOT, 1000, 70, 71, 72)
    log("system", BOOT, 2000, 19)
    log("user-1001", BOOT, 3000, 39, 40)
    source.process()
    assert read_all(source) == ([70, 71, 72, 19, 39, 40], [])


def test_numbers_that_a_new_file_holds_are_not_lost(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    """The file appears after the last look at the directory, and its entries are older."""
    file = make("system", 1)
    source = reader()
    source.start("head")
    assert read_all(source) == ([1], [])
    put(file, 4, 5)
    source.process()
    make("user-1000", 2, 3)
    assert sorted(read_all(source)[0]) == [2, 3, 4, 5]
    assert source.position.sequences["lost"] == 0


def test_entries_of_a_file_that_no_reader_can_read_are_not_lost_and_losses_beside_them_are_counted(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    """One flag of the file is of a format that nobody knows."""
    system, user = make("system", 1, 2), make("user-1000", 3, 4)
    with user.path.open("r+b") as file:
        file.seek(12)
        file.write((1 << 30).to_bytes(4, "little"))
    source = reader()
    source.start("head")
    assert read_all(source) == ([1, 2], [])
    put(user, 6)
    put(system, 5, 9)
    source.process()
    numbers, gaps = read_all(source)
    assert numbers == [5, 9]
    assert sum(gap.entries for gap in gaps) == 2
    put(user, 10, 13)
    put(system, 14)
    source.process()
    numbers, gaps = read_all(source)
    assert (numbers, gaps) == ([14], [Gap(10, 13, 2)])
    # What it holds already explains nothing that is lost later.
    put(system, 18)
    assert resumed(reader, source.position) == ([18], [Gap(15, 17, 3)], 7)


def test_up_to_a_place_exactly_the_entries_before_it_are_read(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    make("system", 1, 2, 5)
    make("user-1000", 3, 4, 6)
    source = reader()
    begin = source.start("head")
    left = 4
    while (batch := source.read()).entries < left:
        left -= batch.entries
    until = batch.place_after(left, 0)
    make("user-1001", 7, 8)
    again = reader()
    assert again.seek(begin, until)
    assert read_all(again) == ([1, 2, 3, 4], [])
    assert (again.unread, again.oldest_unread_us) == (0, 0)
    assert again.seek(until)
    assert read_all(again) == ([5, 6, 7, 8], [])


def test_the_oldest_unread_entry_has_its_time(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    make("system", 3, 4)
    make("user-1000", 1, 2)
    source = reader()
    source.start("head")
    assert (source.unread, source.oldest_unread_us) == (4, START_US + 1000)
    read_all(source)
    assert (source.unread, source.oldest_unread_us) == (0, 0)


@pytest.mark.parametrize(("where", "numbers"), [("head", [1, 2]), ("tail", []), ("boot", [1, 2])])
def test_a_first_run_begins_where_it_should(
    make: Callable[..., JournalFile], reader: Open, where: str, numbers: list[int]
) -> None:
    file = make("system", 1, 2)
    source = reader()
    source.start(where)
    assert read_all(source) == (numbers, [])
    put(file, 3)
    source.process()
    assert read_all(source) == ([3], [])


def test_a_place_whose_file_is_gone_is_not_whole(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    make("user-1000", 1)
    file = make("system", 2)
    source = reader()
    source.start("head")
    read_all(source)
    file.path.unlink()
    assert not reader().seek(source.position)


def test_entries_of_a_file_that_vanished_while_nothing_ran_are_lost_once(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    file = make("system", 1, 2, 3)
    make("user-1000", 4, 5)
    source = reader()
    source.start("head")
    place = source.read().place_after(1, 0)
    file.path.unlink()
    again = reader()
    assert not again.seek(place)
    batch = again.read()
    assert [gap[:3] for gap in batch.gaps[0]] == [(2, 3, 2)]
    assert resumed(reader, batch.end) == ([], [], 2)
    # Killed just after the marker, and before it.
    assert resumed(reader, batch.place_after(0, 1)) == ([4, 5], [], 2)
    before = reader()
    assert not before.seek(batch.place_after(0, 0))
    numbers, gaps = read_all(before)
    assert numbers == [4, 5]
    assert [gap[:3] for gap in gaps] == [(2, 3, 2)]
    assert read_all(again) == ([], [])


def test_a_file_that_vanished_unread_explains_no_numbers_before_its_first(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    """Of two files that went only one was seen; each loss is reported with its own numbers."""
    system = make("system", 1)
    source = reader()
    source.start("head")
    assert read_all(source) == ([1], [])
    user = make("user-1000", 5, 6)
    put(system, 4, 7)
    source.process()
    place = source.read().place_after(0, 0)
    user.path.unlink()
    again = reader()
    again.seek(place)
    numbers, gaps = read_all(again)
    assert numbers == [4, 7]
    assert sorted(gaps) == [Gap(2, 3, 2), Gap(5, 6, 2)]


def test_a_file_that_is_deleted_while_it_is_open_is_read_to_its_end(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    file = make("system", 1, 2, 3)
    make("user-1000", 4)
    source = reader()
    source.start("head")
    file.path.unlink()
    source.process()
    assert read_all(source) == ([1, 2, 3, 4], [])


@pytest.mark.parametrize("alternate", [False, True], ids=["one after another", "in turn"])
def test_a_backlog_in_many_files_is_handed_over_in_few_batches(
    make: Callable[..., JournalFile], reader: Open, *, alternate: bool
) -> None:
    """Every batch costs a look at each file, so small ones are dear where there are hundreds."""
    files = 70
    for file in range(files):
        first, step = (1 + file, files) if alternate else (1 + 300 * file, 1)
        make(f"user-{file}", *range(first, first + 300 * step, step))
    source = reader()
    source.start("head")
    found: list[int] = []
    batches = 0
    while (batch := source.read()).entries:
        batches += 1
        found += map(int, map(bytes, batch.messages))  # type: ignore[arg-type]
    assert found == list(range(1, 300 * files + 1))
    assert batches <= files // 3


def test_from_any_place_in_a_merge_that_read_on_the_rest_is_read(
    make: Callable[..., JournalFile], reader: Open
) -> None:
    for file in range(3):
        make(f"user-{file}", *range(1 + file, 1500, 3))
    source = reader()
    source.start("head")
    done = 0
    while (batch := source.read()).entries:
        for count in range(0, batch.entries, 97):
            numbers, gaps, lost = resumed(reader, batch.place_after(count, 0))
            assert (numbers[:1], len(numbers), gaps, lost) == (
                [done + count + 1], 1499 - done - count, [], 0
            )  # fmt: skip
        done += batch.entries
    assert done == 1499
