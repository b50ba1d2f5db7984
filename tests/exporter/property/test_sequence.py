"""A model of journald's sequence numbers: every gap that is reported is a gap that the test made."""

import dataclasses
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.sequence import Gap, SequenceEvent, SequenceTracker
from tests.support.fakes import START_US

SYSTEM, USERS = "5" * 32, ("a" * 32, "b" * 32)


@dataclasses.dataclass(frozen=True)
class Entry:
    """``counter``: what numbered it, the persistent journal or one boot's runtime journal."""

    cursor: Cursor
    counter: str
    deleted: bool = False


@dataclasses.dataclass
class Model:
    """A journald: one counter for all its files, which outlives a reboot unless the power fails."""

    number: int = 0
    boot: int = 0
    now_us: int = 0
    booted_us: int = 0
    runtime_id: str | None = None
    persistent_number: int = 0
    entries: list[Entry] = dataclasses.field(default_factory=list)

    def write(self, file: int, *, deleted: bool) -> None:
        seqnum_id = self.runtime_id or (SYSTEM, *USERS)[file]
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
        self.entries.append(Entry(here, self.runtime_id or SYSTEM, deleted))

    def reboot(self) -> None:
        """Boot with /var at hand: numbers continue, except those of a runtime journal."""
        if self.runtime_id is not None:
            self.runtime_id, self.number = None, self.persistent_number
        self.boot += 1
        self.now_us += 1000
        self.booted_us = self.now_us

    def cut_power(self, unsynced: int) -> None:
        """Reboot, and number on from what had reached the disk."""
        self.reboot()
        self.number = max(0, self.number - unsynced)

    def boot_volatile(self) -> None:
        """Boot without /var: everything goes into a runtime journal with numbers of its own."""
        self.reboot()
        self.runtime_id, self.persistent_number = f"7{self.boot:031x}", self.number
        self.number = 0

    def flush(self) -> None:
        """Copy the runtime journal: the copies take numbers, and readers pass over them.

        journald then says how long it took.
        """
        if self.runtime_id is not None:
            copies = sum(e.counter == self.runtime_id and not e.deleted for e in self.entries)
            self.runtime_id, self.number = None, self.persistent_number + copies
            self.write(0, deleted=False)


Step = tuple[str, int, int]


def run(steps: list[Step], *, volatile: bool = False, warm_up: int = 1) -> Model:
    """``warm_up``: how many files get an entry that is not deleted, at first."""
    model = Model()
    if volatile:
        model.boot_volatile()
    for file in range(warm_up):
        model.write(file, deleted=False)
    for what, size, file in steps:
        match what:
            case "write" | "delete":
                for _ in range(size):
                    model.write(file, deleted=what == "delete")
            case "reboot":
                model.reboot()
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


def read(model: Model) -> list[tuple[Entry, SequenceEvent, Gap | None]]:
    sequence = SequenceTracker()
    alive = [entry for entry in model.entries if not entry.deleted]
    return [(entry, *sequence.observe(entry.cursor)) for entry in alive]


def deleted_between_reads(model: Model) -> int:
    alive = [number for number, entry in enumerate(model.entries) if not entry.deleted]
    return sum(entry.deleted for entry in model.entries[alive[0] : alive[-1]])


def check_that_no_gap_is_made_up(model: Model) -> None:
    """Check that every number of a gap is that of a deleted entry, and in one gap only."""
    sequence = SequenceTracker()
    on_disk: dict[tuple[str, int], Entry] = {}
    reported: set[Entry | None] = set()
    for entry in model.entries:
        on_disk[entry.counter, entry.cursor.seqnum] = entry
        if entry.deleted:
            continue
        event, gap = sequence.observe(entry.cursor)
        assert event is not SequenceEvent.REPEATED, entry
        assert (event is SequenceEvent.GAP) == (gap is not None)
        if gap is not None:
            numbers = range(gap.seqnum_first, gap.seqnum_last + 1)
            missing = {on_disk.get((entry.counter, number)) for number in numbers}
            assert all(each is not None and each.deleted for each in missing)
            assert not missing & reported
            reported |= missing


@given(steps("write", "delete", "reboot"))
def test_with_one_id_every_deleted_entry_is_counted(script: list[Step]) -> None:
    model = run(script)
    gaps = [gap for _, _, gap in read(model) if gap is not None]
    assert sum(gap.entries for gap in gaps) == deleted_between_reads(model)
    check_that_no_gap_is_made_up(model)


@given(steps("write", "delete", "reboot", files=3))
def test_with_ids_that_are_known_every_deleted_entry_is_counted(script: list[Step]) -> None:
    model = run(script, warm_up=3)
    gaps = [gap for _, _, gap in read(model) if gap is not None]
    assert sum(gap.entries for gap in gaps) == deleted_between_reads(model)
    check_that_no_gap_is_made_up(model)


@given(steps("write", "delete", "reboot", "cut"))
def test_a_power_cut_invents_no_gap(script: list[Step]) -> None:
    check_that_no_gap_is_made_up(run(script))


@given(steps("write", "reboot", files=3), st.integers(1, 4), steps("write", "reboot", files=3))
def test_a_power_cut_with_known_files_invents_no_gap(
    before: list[Step], unsynced: int, after: list[Step]
) -> None:
    check_that_no_gap_is_made_up(run([*before, ("cut", unsynced, 0), *after], warm_up=3))


@example([("delete", 1, 0), ("write", 1, 1), ("write", 1, 0)])
@given(steps("write", "delete", "reboot", files=3))
def test_files_that_appear_late_invent_no_gap(script: list[Step]) -> None:
    check_that_no_gap_is_made_up(run(script))


@given(steps("write", "reboot", "flush", "volatile"), st.sampled_from(["runtime", "persistent"]))
def test_without_a_loss_no_flush_invents_a_gap(script: list[Step], first: str) -> None:
    check_that_no_gap_is_made_up(run(script, volatile=first == "runtime"))


@given(
    steps("write", "delete", "reboot", "flush", "volatile"),
    st.sampled_from(["runtime", "persistent"]),
)
def test_the_count_never_exceeds_the_loss_even_across_a_flush(
    script: list[Step], first: str
) -> None:
    model = run(script, volatile=first == "runtime")
    sequence, lost = SequenceTracker(), 0
    for entry in model.entries:
        lost += entry.deleted
        if not entry.deleted:
            assert sequence.observe(entry.cursor)[0] is not SequenceEvent.REPEATED
            assert sequence.snapshot()["lost"] <= lost


@given(steps("write", "delete", "reboot", "cut", "flush", files=3), st.data())
def test_a_restart_from_a_snapshot_classifies_the_same(
    script: list[Step], data: st.DataObject
) -> None:
    model = run(script, volatile=True)
    through = SequenceTracker()
    restarted = SequenceTracker()
    for entry in model.entries:
        if entry.deleted:
            continue
        if data.draw(st.booleans()):
            restarted = SequenceTracker(json.loads(json.dumps(restarted.snapshot())))
        assert restarted.observe(entry.cursor) == through.observe(entry.cursor)
    assert restarted.snapshot() == through.snapshot()


@given(steps("write", "delete", files=3), st.data())
def test_entries_read_in_this_boot_are_recognised_when_they_repeat(
    script: list[Step], data: st.DataObject
) -> None:
    model = run(script, warm_up=3)
    alive = [entry.cursor for entry in model.entries if not entry.deleted]
    sequence = SequenceTracker()
    for each in alive:
        sequence.observe(each)
    before = sequence.snapshot()
    for each in data.draw(st.lists(st.sampled_from(alive), max_size=20)):
        assert sequence.observe(each) == (SequenceEvent.REPEATED, None)
    assert sequence.snapshot() == before


@given(steps("write", "delete", "reboot"), st.data())
def test_a_fast_batch_is_accepted_only_where_a_precise_one_is(
    script: list[Step], data: st.DataObject
) -> None:
    alive = [entry.cursor for entry in run(script).entries if not entry.deleted]
    fast, precise = SequenceTracker(), SequenceTracker()
    while alive:
        count = data.draw(st.integers(1, len(alive)))
        piece, alive = alive[:count], alive[count:]
        found = [precise.observe(each)[0] for each in piece]
        if fast.continues(piece[0], piece[-1], count):
            assert found == [SequenceEvent.NEXT] * count
            fast.advance(piece[-1])
        else:
            for each in piece:
                fast.observe(each)
        assert fast.snapshot() == precise.snapshot()


@pytest.mark.parametrize("kind", ["write", "delete", "reboot", "volatile", "flush"])
def test_the_model_does_what_its_steps_say(kind: str) -> None:
    model = run([("write", 3, 0), (kind, 2, 0), ("write", 1, 0)], volatile=True)
    numbers = [entry.cursor.seqnum for entry in model.entries]
    last = {"write": 7, "delete": 7, "reboot": 1, "volatile": 1, "flush": 6}[kind]
    assert numbers[:4] == [1, 2, 3, 4]
    assert numbers[-1] == last
    assert sum(entry.deleted for entry in model.entries) == 2 * (kind == "delete")
