"""The loop with a scripted journal and real files: at whatever step it dies, each line is written once."""

import dataclasses
import errno
from pathlib import Path

import pytest

from journal_exporter.process.pipeline import SCAN_S
from tests.support.fakes import ScriptedStop
from tests.support.faults import Entry, FaultPlan, Rig, ScriptedSource, entries

MESSAGES = [b"message %d" % number for number in range(26)]
SMALL_FILE = 700


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, entries(MESSAGES), max_bytes=SMALL_FILE, batch_entries=7)


def undisturbed(tmp_path: Path) -> tuple[dict[str, bytes], list[str]]:
    rig = Rig(tmp_path / "undisturbed", entries(MESSAGES), max_bytes=SMALL_FILE, batch_entries=7)
    steps = rig.run().steps
    return rig.files(), steps


def test_a_run_writes_every_entry_once_in_order_into_files_below_the_limit(rig: Rig) -> None:
    rig.run()
    assert rig.data() == rig.wanted()
    assert len(rig.files()) == 3
    assert all(len(data) <= SMALL_FILE for data in rig.files().values())


def test_a_second_run_adds_nothing_but_what_is_new(rig: Rig) -> None:
    rig.run()
    rig.run()
    rig.journal += entries([b"new"], first=len(MESSAGES) + 1)
    rig.run()
    assert rig.data() == rig.wanted()


@pytest.mark.parametrize("torn_bytes", [0, 1, 25, 120, 10_000])
def test_a_kill_at_any_step_with_any_torn_write_loses_and_repeats_nothing(
    tmp_path: Path, torn_bytes: int
) -> None:
    files, steps = undisturbed(tmp_path)
    for number in range(len(steps)):
        base = tmp_path / str(number)
        rig = Rig(base, entries(MESSAGES), max_bytes=SMALL_FILE, batch_entries=7)
        plan = rig.run(FaultPlan(kill_at=number, torn_bytes=torn_bytes))
        assert len(plan.steps) == number + 1
        rig.run()
        assert rig.files() == files, f"killed at step {number}, {steps[number]}"


def test_kills_at_every_step_one_after_the_other_lose_and_repeat_nothing(
    tmp_path: Path, rig: Rig
) -> None:
    files, _ = undisturbed(tmp_path)
    for number in range(5, 400):
        plan = rig.run(FaultPlan(kill_at=number % 23, torn_bytes=number % 131))
        if plan.kill_at is not None and len(plan.steps) <= plan.kill_at:
            break
    rig.run()
    assert rig.files() == files


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("torn_bytes", [0, 33])
def test_a_refusal_at_any_step_is_waited_for_and_costs_nothing(
    tmp_path: Path, code: int, torn_bytes: int
) -> None:
    files, steps = undisturbed(tmp_path)
    # On a full disk archives are given up: that is another test.
    last = steps.index("rotated") if code == errno.ENOSPC else len(steps)
    for number, name in enumerate(steps[:last]):
        if name == "rotated":
            continue  # Not a step that can be refused, only one to be killed at.
        base = tmp_path / str(number)
        rig = Rig(base, entries(MESSAGES), max_bytes=SMALL_FILE, batch_entries=7)
        rig.run(FaultPlan(refuse={number: code}, torn_bytes=torn_bytes))
        assert rig.files() == files, f"{name} refused at step {number}"
        assert rig.metrics.blocked_reason is None


def test_a_stop_while_the_disk_refuses_keeps_the_rest_for_the_next_start(rig: Rig) -> None:
    steps = Rig(rig.state / "other", entries(MESSAGES)).run().steps
    plan = FaultPlan(refuse=dict.fromkeys(range(steps.index("flush"), 10_000), errno.ENOSPC))
    plan.torn_bytes = 5
    stop = ScriptedStop(rig.clock, set_after=3)
    rig.run(plan, stop)
    assert rig.metrics.blocked_reason == "enospc"
    assert rig.data() not in (b"", rig.wanted())
    rig.run()
    assert rig.data() == rig.wanted()


def test_a_line_longer_than_a_file_gets_a_file_of_its_own(tmp_path: Path) -> None:
    rig = Rig(tmp_path, entries([b"a", b"x" * 2000, b"b"]), max_bytes=SMALL_FILE)
    rig.run()
    assert [data.count(b"\n") for data in rig.files().values()] == [1, 1, 1]
    assert rig.data() == rig.wanted()


def test_a_hole_in_the_numbers_is_one_line_and_a_count(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [Entry(1, b"one"), Entry(5, b"five"), Entry(6, b"six")])
    rig.run()
    lines = rig.data().splitlines()
    assert len(lines) == 4
    assert b"journal-exporter: 3 journal entries lost (seqnum 2..4)" in lines[1]
    assert rig.metrics.get("entries_lost") == 3
    assert rig.metrics.get("gaps") == 1


def test_an_unreadable_entry_is_counted_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [Entry(1, b"one"), Entry(2, b"", readable=False), Entry(3, b"three")])
    rig.run()
    assert [b"one" in rig.data(), b"three" in rig.data()] == [True, True]
    assert rig.metrics.get("entries_invalid") == 1
    assert rig.metrics.get("entries_lost") == 1


TWO_FILES = ("f1" * 16, "f2" * 16)


@pytest.mark.parametrize("torn_bytes", [0, 1, 25, 120, 10_000])
def test_a_kill_at_any_step_loses_and_repeats_nothing_of_two_files(
    tmp_path: Path, torn_bytes: int
) -> None:
    """The next life reads the files in another order, as when another one has a backlog."""
    journal = entries(MESSAGES, files=TWO_FILES)
    whole = Rig(tmp_path / "whole", journal, max_bytes=SMALL_FILE, batch_entries=7)
    steps = whole.run().steps
    for number in range(len(steps)):
        rig = Rig(tmp_path / str(number), list(journal), max_bytes=SMALL_FILE, batch_entries=7)
        rig.run(FaultPlan(kill_at=number, torn_bytes=torn_bytes))
        rig.journal.sort(key=lambda entry: (entry.file, entry.seqnum))
        rig.run()
        found = rig.data().splitlines()
        assert sorted(found) == sorted(whole.data().splitlines()), f"killed at step {number}"
        for messages in (MESSAGES[::2], MESSAGES[1::2]):
            of_file = [line for line in found if line.rpartition(b": ")[2] in messages]
            assert of_file == sorted(of_file), f"killed at step {number}"


def test_holes_before_each_of_several_entries_are_marked_where_they_are(tmp_path: Path) -> None:
    numbers = [1, 5, 6, 9, 12]
    journal = [Entry(n, b"%d" % n, file=TWO_FILES[n % 2]) for n in numbers]
    whole = Rig(tmp_path / "whole", journal, max_bytes=300)
    steps = whole.run().steps
    assert whole.data().count(b"entries lost") == 3
    assert whole.metrics.get("entries_lost") == 7
    for number in range(len(steps)):
        rig = Rig(tmp_path / str(number), journal, max_bytes=300)
        rig.run(FaultPlan(kill_at=number, torn_bytes=40))
        rig.run()
        assert rig.data() == whole.data(), f"killed at step {number}, {steps[number]}"


def test_a_gap_whose_line_was_torn_by_a_kill_is_reported_once(tmp_path: Path) -> None:
    journal = [Entry(1, b"one"), Entry(5, b"five"), Entry(6, b"six")]
    whole = Rig(tmp_path / "whole", list(journal))
    steps = whole.run().steps
    for torn_bytes in range(0, len(whole.data()) + 1, 3):
        rig = Rig(tmp_path / str(torn_bytes), list(journal))
        rig.run(FaultPlan(kill_at=steps.index("flush"), torn_bytes=torn_bytes))
        rig.run()
        assert rig.data() == whole.data(), f"torn after {torn_bytes} bytes"


class Shortsighted(Rig):
    """A rig whose first reader shows two entries, up to one of its reads; the scan sees all eight."""

    def __init__(self, base: Path, *, until_read: int) -> None:
        super().__init__(base, entries([b"m%d" % number for number in range(1, 9)]))
        self.until_read = until_read
        self.once, self.unread = False, True
        self.opened: list[ScriptedSource] = []

    def source(self) -> ScriptedSource:
        source = super().source()
        self.opened.append(source)
        if len(self.opened) == 2:  # The first one is the start's.
            source.journal = self.journal[:2]

            def show() -> None:
                if source.calls.count("read") == self.until_read:
                    source.journal = self.journal
                    self.unread = False

            source.on_read = show
        return source


@dataclasses.dataclass
class Scans(ScriptedStop):
    """Lets a scan become due at every look at it, or a time pass; set after 15 of them."""

    step_s: float = SCAN_S
    checks: int = 0

    def is_set(self) -> bool:
        self.checks += 1
        self.clock.advance(self.step_s)
        return self.checks > 15


def test_entries_that_the_reader_misses_are_read_when_the_journal_was_opened_again(
    tmp_path: Path,
) -> None:
    rig = Shortsighted(tmp_path, until_read=1000)
    rig.run(stop=Scans(rig.clock))
    assert rig.data() == rig.wanted()
    assert rig.metrics.get("entries_lost") == 0
    assert rig.metrics.get("journal_reopens", "stall") >= 1


def test_entries_that_came_during_a_scan_are_read_without_opening_the_journal_again(
    tmp_path: Path,
) -> None:
    rig = Shortsighted(tmp_path, until_read=2)
    rig.run(stop=Scans(rig.clock))
    assert rig.data() == rig.wanted()
    assert rig.metrics.get("journal_reopens", "stall") == 0
    assert len(rig.opened) == 2


def test_a_journal_whose_entries_stay_unreadable_is_opened_again_at_growing_intervals(
    tmp_path: Path,
) -> None:
    rig = Shortsighted(tmp_path, until_read=1000)
    rig.journal = rig.journal[:2]
    rig.run(stop=Scans(rig.clock))
    assert rig.metrics.get("journal_reopens", "stall") == 4  # At the scans 1, 2, 4 and 8.


@dataclasses.dataclass
class RemovedCheckpoint(Scans):
    """Removes the checkpoint when everything is synced, and looks for it four checks later."""

    checkpoint: Path = Path()
    is_restored: bool = False

    def is_set(self) -> bool:
        if self.checks == 8:
            self.checkpoint.unlink()
        if self.checks == 12:
            self.is_restored = self.checkpoint.exists()
        return super().is_set()


def test_a_checkpoint_that_is_removed_while_nothing_is_logged_is_stored_again(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, entries(MESSAGES))
    rig.once = False
    stop = RemovedCheckpoint(rig.clock, checkpoint=rig.state / "checkpoint")
    rig.run(stop=stop)
    assert stop.is_restored


class Interrupted(Shortsighted):
    """Its journal stays unreadable, but one entry is found by the second look of the fifth iteration."""

    def source(self) -> ScriptedSource:
        source = super().source()
        if len(self.opened) == 4:

            def show() -> None:
                if source.calls.count("read") == 3:
                    source.journal += entries([b"found"], first=3)

            source.on_read = show
        return source


def test_a_successful_read_resets_the_interval_at_which_the_journal_is_opened_again(
    tmp_path: Path,
) -> None:
    rig = Interrupted(tmp_path, until_read=1000)
    rig.journal = rig.journal[:2]
    rig.run(stop=Scans(rig.clock))
    assert rig.data().count(b": found") == 1
    # At the scans 1 and 2 before the read, and at 1, 2, 4 and 8 after it.
    assert rig.metrics.get("journal_reopens", "stall") == 6


def test_a_file_that_is_taken_away_while_nothing_happens_costs_no_repetition_after_a_kill(
    tmp_path: Path,
) -> None:
    """As ``mv`` and ``touch`` do: only the checkpoint knows that the last lines were appended."""
    rig = Rig(tmp_path / "first", entries(MESSAGES))
    rig.once = False
    steps = rig.run(stop=Scans(rig.clock, step_s=1.0)).steps
    again = Rig(tmp_path / "again", entries(MESSAGES))
    again.once = False
    # The kill comes at the first step after the pause that follows the append.
    appended = steps.index("flush")
    assert steps[appended + 1 : appended + 3] == ["store", "sync"]
    again.run(FaultPlan(kill_at=appended + 2), stop=Scans(again.clock, step_s=1.0))
    assert again.data() == rig.data()
    again.output_path.rename(tmp_path / "elsewhere")
    again.output_path.touch()
    again.once = True
    again.run()
    assert again.data() == b""
    assert again.metrics.get("recoveries", "output_gone") == 1
