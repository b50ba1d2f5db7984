"""A model of journald's numbering: every loss that is reported is one that somebody made."""

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.numbers import sound_numbers
from tests.support.fakes import START_US
from tests.support.fakes_reading import Reading

USERS = ("a", "b")


@dataclasses.dataclass(frozen=True)
class Entry:
    """``counter``: what numbered it, a run of the persistent journal or one boot's runtime journal."""

    cursor: Cursor
    counter: str
    deleted: bool = False
    is_copy: bool = False


@dataclasses.dataclass
class Model:
    """A journald: one counter for all its files, which outlives a reboot unless the power fails."""

    number: int = 0
    boot: int = 0
    now_us: int = 0
    booted_us: int = 0
    cuts: int = 0
    runtime_id: str | None = None
    persistent_number: int = 0
    entries: list[Entry] = dataclasses.field(default_factory=list)

    def write(self, file: int, *, deleted: bool = False, is_copy: bool = False) -> None:
        """Write into the runtime file, or the system's or a user's, which is new after a power cut."""
        name = ("5", *USERS)[file]
        seqnum_id = self.runtime_id or f"{name}{self.cuts:031x}"
        self.number += 1
        self.now_us += 10
        here = Cursor(
            seqnum_id,
            self.number,
            f"{self.boot:032x}",
            self.now_us - self.booted_us,
            START_US + self.now_us,
            f"{len(self.entries):x}",
        )
        counter = self.runtime_id or f"persistent {self.cuts}"
        self.entries.append(Entry(here, counter, deleted, is_copy))

    def reboot(self) -> None:
        """Boot with /var at hand: numbers continue, but for those of a runtime journal."""
        if self.runtime_id is not None:
            self.runtime_id, self.number = None, self.persistent_number
        self.boot += 1
        self.now_us += 1000
        self.booted_us = self.now_us

    def cut_power(self, unsynced: int) -> None:
        """Reboot into new files, and number from what had reached the disk."""
        self.reboot()
        self.cuts += 1
        self.number = max(0, self.number - unsynced)

    def boot_volatile(self) -> None:
        """Boot without /var: everything goes into a runtime journal with numbers of its own."""
        self.reboot()
        self.runtime_id, self.persistent_number = f"7{self.boot:031x}", self.number
        self.number = 0

    def flush(self) -> None:
        """Copy the runtime journal: the copies take numbers.

        journald then logs how long it took.
        """
        if self.runtime_id is not None:
            copies = sum(e.counter == self.runtime_id and not e.deleted for e in self.entries)
            self.runtime_id, self.number = None, self.persistent_number
            for _ in range(copies):
                self.write(0, is_copy=True)
            self.write(0)


Step = tuple[str, int, int]


def run(steps: list[Step], *, volatile: bool = False, warm_up: int = 1) -> Model:
    """``warm_up``: how many files get an entry that is not deleted, at first."""
    model = Model()
    if volatile:
        model.boot_volatile()
    for file in range(warm_up):
        model.write(file)
    for what, size, file in steps:
        match what:
            case "write" | "delete":
                for _ in range(size):
                    model.write(file, deleted=what == "delete")
            case "reboot":
                model.reboot()
                # journald logs its start; of a boot without any entry of the system nothing is known.
                model.write(0)
            case "cut":
                model.cut_power(size)
            case "volatile":
                model.boot_volatile()
            case "flush":
                model.flush()
    return model


def steps(*kinds: str, files: int = 1) -> st.SearchStrategy[list[Step]]:
    one = st.tuples(st.sampled_from(kinds), st.integers(1, 4), st.integers(0, files - 1))
    return st.lists(one, max_size=30)


def batches(model: Model, data: st.DataObject, *, in_order: bool = False) -> list[list[Entry]]:
    """Return the entries as an exporter meets them: some at a time, and of these file by file.

    The first one comes alone, as a first run begins with the oldest. ``in_order``: clocks are right,
    so that the entries of all files are read in the order of writing.
    """
    found = [model.entries[:1]]
    left = model.entries[1:]
    while left:
        count = data.draw(st.integers(1, len(left)))
        part, left = left[:count], left[count:]
        if not in_order and data.draw(st.booleans()):
            ids = data.draw(st.permutations(list(dict.fromkeys(e.cursor[0] for e in part))))
            part.sort(key=lambda entry: ids.index(entry.cursor.seqnum_id))
        found.append(part)
    return found


def read_batch(reading: Reading, batch: list[Entry]) -> list[Gap]:
    alive = [entry for entry in batch if not entry.deleted]
    found: list[Gap] = []
    for index, entry in enumerate(alive):
        if entry.is_copy:
            reading.read_copies(entry.cursor)
            continue
        found += reading.read(entry.cursor, unread=[e.cursor for e in alive[index + 1 :]])
    return found + reading.settle()


def deleted_between_reads(model: Model) -> int:
    alive = [number for number, entry in enumerate(model.entries) if not entry.deleted]
    return sum(entry.deleted for entry in model.entries[alive[0] : alive[-1]])


def check_that_no_loss_is_made_up(
    model: Model, data: st.DataObject, *, in_order: bool = False
) -> int:
    """Check that every number of a loss is that of a deleted entry, and in one only; return the sum."""
    reading = Reading()
    on_disk: dict[tuple[str, int], Entry] = {}
    reported: set[tuple[str, int]] = set()
    for batch in batches(model, data, in_order=in_order):
        for entry in batch:
            on_disk[entry.counter, entry.cursor.seqnum] = entry
        counters = {entry.counter for entry in batch}
        for gap in read_batch(reading, batch):
            numbers = range(gap.seqnum_first, gap.seqnum_last + 1)
            missing = [
                {
                    (counter, number)
                    for number in numbers
                    if (counter, number) in on_disk and on_disk[counter, number].deleted
                }
                - reported
                for counter in counters
            ]
            enough = [found for found in missing if len(found) >= gap.entries]
            assert enough, (gap, batch)
            reported |= enough[0]
    return reading.tracker.lost


@given(steps("write", "delete", "reboot"), st.data())
def test_with_one_file_every_deleted_entry_is_counted(
    script: list[Step], data: st.DataObject
) -> None:
    model = run(script)
    assert check_that_no_loss_is_made_up(model, data) == deleted_between_reads(model)


@given(steps("write", "delete", "reboot", files=3), st.data())
def test_with_files_that_are_known_every_deleted_entry_is_counted(
    script: list[Step], data: st.DataObject
) -> None:
    model = run(script, warm_up=3)
    assert check_that_no_loss_is_made_up(model, data, in_order=True) == deleted_between_reads(model)


@given(steps("write", "delete", "reboot", "cut"), st.data())
def test_a_power_cut_makes_no_loss_up(script: list[Step], data: st.DataObject) -> None:
    check_that_no_loss_is_made_up(run(script), data)


@given(
    steps("write", "reboot", files=3),
    st.integers(1, 4),
    steps("write", "reboot", files=3),
    st.data(),
)
def test_a_power_cut_under_files_that_are_known_makes_no_loss_up(
    before: list[Step], unsynced: int, after: list[Step], data: st.DataObject
) -> None:
    model = run([*before, ("cut", unsynced, 0), *after], warm_up=3)
    assert check_that_no_loss_is_made_up(model, data) == 0


@given(steps("write", "delete", "reboot", files=3), st.data())
def test_files_that_turn_up_late_make_no_loss_up(script: list[Step], data: st.DataObject) -> None:
    check_that_no_loss_is_made_up(run(script), data, in_order=True)


@given(steps("write", "reboot", "cut", files=3), st.data())
def test_without_a_loss_nothing_is_reported(script: list[Step], data: st.DataObject) -> None:
    assert check_that_no_loss_is_made_up(run(script), data) == 0


@given(
    steps("write", "reboot", "flush", "volatile"),
    st.sampled_from(["runtime", "persistent"]),
    st.data(),
)
def test_without_a_loss_no_flush_makes_one_up(
    script: list[Step], first: str, data: st.DataObject
) -> None:
    model = run(script, volatile=first == "runtime")
    assert check_that_no_loss_is_made_up(model, data) == 0


@given(
    steps("write", "delete", "reboot", "flush", "volatile"),
    st.sampled_from(["runtime", "persistent"]),
    st.data(),
)
def test_never_more_is_counted_than_was_lost_even_over_a_flush(
    script: list[Step], first: str, data: st.DataObject
) -> None:
    model = run(script, volatile=first == "runtime")
    reading, lost = Reading(), 0
    for batch in batches(model, data):
        lost += sum(entry.deleted for entry in batch)
        read_batch(reading, batch)
        assert reading.tracker.lost <= lost


@given(steps("write", "delete", "reboot", "cut", "flush", files=3), st.data())
def test_a_restart_from_a_snapshot_classifies_the_same(
    script: list[Step], data: st.DataObject
) -> None:
    model = run(script, volatile=True)
    through, restarted = Reading(), Reading()
    for batch in batches(model, data):
        if data.draw(st.booleans()):
            restarted.restart()
        assert read_batch(restarted, batch) == read_batch(through, batch)
    assert restarted.tracker.snapshot() == through.tracker.snapshot()


@example(numbers=[1, 1 << 44, 3], before=0, tail=3)
@given(
    numbers=st.lists(st.integers(0, 40) | st.sampled_from([2**44, 2**64 - 1]), min_size=1),
    before=st.integers(0, 20),
    tail=st.integers(0, 40),
)
def test_sound_numbers_ascend_between_the_place_and_the_headers_last_number(
    numbers: list[int], before: int, tail: int
) -> None:
    sound = sound_numbers(numbers, before, tail)
    known = [number for number in sound if number]
    assert all(found in (0, number) for found, number in zip(sound, numbers, strict=True))
    assert known == sorted(set(known))
    assert all(before < number <= tail for number in known)


@given(st.data())
def test_one_wrong_number_costs_no_other(data: st.DataObject) -> None:
    numbers = list(range(5, 5 + data.draw(st.integers(1, 20))))
    index = data.draw(st.integers(0, len(numbers) - 1))
    wrong = [*numbers]
    wrong[index] ^= 1 << data.draw(st.integers(6, 63))
    expected = [*numbers[:index], 0, *numbers[index + 1 :]]
    assert sound_numbers(wrong, 4, numbers[-1]) == expected


@pytest.mark.parametrize("kind", ["write", "delete", "reboot", "volatile", "flush"])
def test_the_model_does_what_its_steps_say(kind: str) -> None:
    model = run([("write", 3, 0), (kind, 2, 0), ("write", 1, 0)], volatile=True)
    numbers = [entry.cursor.seqnum for entry in model.entries]
    last = {"write": 7, "delete": 7, "reboot": 2, "volatile": 1, "flush": 6}[kind]
    assert numbers[:4] == [1, 2, 3, 4]
    assert numbers[-1] == last
    assert sum(entry.deleted for entry in model.entries) == 2 * (kind == "delete")
