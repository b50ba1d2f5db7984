"""How a start resumes after kills, power cuts and changes by other programs."""

import os
from pathlib import Path

import pytest

from journal_exporter.monitoring import health
from journal_exporter.monitoring.metrics import RECOVERIES, SharedMetrics
from journal_exporter.output.checkpoint import load
from journal_exporter.output.retry import Stopped
from tests.support.fakes import ScriptedStop
from tests.support.faults import Entry, FaultPlan, Rig, ScriptedSource, entries

MESSAGES = [b"message %d" % number for number in range(12)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, entries(MESSAGES))


def kind(rig: Rig) -> str:
    """Return what the next start finds."""
    kinds = RECOVERIES
    before = {name: rig.metrics.get("recoveries", name) for name in kinds}
    rig.run()
    (found,) = (name for name in kinds if rig.metrics.get("recoveries", name) != before[name])
    return found


def killed(rig: Rig, torn_bytes: int) -> None:
    """Die in the first append, so many bytes into it."""
    steps = Rig(rig.state / "other", list(rig.journal)).run().steps
    rig.run(FaultPlan(kill_at=steps.index("flush"), torn_bytes=torn_bytes))


def cut(path: Path, size_bytes: int) -> None:
    """Lose the end of a file, as a power cut does."""
    os.truncate(path, size_bytes)


def test_a_first_start_and_a_clean_one(rig: Rig) -> None:
    assert kind(rig) == "first_start"
    assert kind(rig) == "clean"
    assert rig.metrics.recovered
    assert rig.data() == rig.wanted()


def test_a_whole_append_is_adopted_without_the_journal(rig: Rig) -> None:
    killed(rig, 10_000)
    rig.recover_with = None
    assert kind(rig) == "adopted"
    assert rig.data() == rig.wanted()
    assert rig.metrics.get("duplicates_suppressed") == 0


@pytest.mark.parametrize("torn_bytes", [0, 1, 61, 200, 10_000])
def test_lines_that_a_recovery_completes_are_counted(rig: Rig, torn_bytes: int) -> None:
    killed(rig, torn_bytes)
    whole_lines = rig.data().count(b"\n")
    rig.metrics = SharedMetrics()
    rig.run()
    assert rig.metrics.get("lines_written") == len(MESSAGES) - whole_lines


@pytest.mark.parametrize("torn_bytes", [1, 30, 61, 62, 63, 200])
def test_a_torn_append_is_finished(rig: Rig, torn_bytes: int) -> None:
    killed(rig, torn_bytes)
    ends_line = rig.data().endswith(b"\n")
    assert kind(rig) == ("replayed" if ends_line else "finished_torn")
    assert rig.data() == rig.wanted()
    assert rig.metrics.get("recovery_mismatches") == 0


def test_an_append_that_never_began_is_made(rig: Rig) -> None:
    killed(rig, 0)
    assert kind(rig) == "clean"
    assert rig.data() == rig.wanted()


def test_a_whole_append_of_another_boot_is_compared_and_not_trusted(rig: Rig) -> None:
    killed(rig, 10_000)
    rig.boot_id = "boot-2"
    assert kind(rig) == "replayed"
    assert rig.metrics.get("duplicates_suppressed") == len(MESSAGES)
    assert rig.data() == rig.wanted()


@pytest.mark.parametrize("kept_bytes", [0, 5, 100, 300])
def test_a_power_cut_that_took_what_was_not_synced_costs_nothing(rig: Rig, kept_bytes: int) -> None:
    """The checkpoint is as of a later time than the output: what is missing comes from the journal."""
    steps = rig.run().steps
    synced = len(rig.data())
    rig.journal += entries([b"later %d" % n for n in range(6)], first=len(MESSAGES) + 1)
    rig.batch_entries = 2
    flushes = [number for number, step in enumerate(steps) if step == "flush"]
    rig.run(FaultPlan(kill_at=flushes[0] + 4))
    state = load(rig.state)
    assert state is not None
    assert state.written.offset > state.durable.offset
    cut(rig.output_path, min(synced + kept_bytes, state.written.offset - 1))
    rig.boot_id = "boot-2"
    rig.run()
    assert rig.data() == rig.wanted()


def test_a_file_that_was_emptied_is_continued_and_nothing_is_written_again(rig: Rig) -> None:
    rig.run()
    rig.output_path.write_bytes(b"")
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    assert kind(rig) == "output_gone"
    assert rig.data() == rig.wanted(without=range(1, len(MESSAGES) + 1))


def test_a_file_that_was_removed_with_its_archives_is_created_again(rig: Rig) -> None:
    rig.run()
    rig.output_path.unlink()
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    assert kind(rig) == "output_gone"
    assert rig.data() == rig.wanted(without=range(1, len(MESSAGES) + 1))


def damage(rig: Rig) -> None:
    (rig.state / "checkpoint").write_bytes(b"garbage")


@pytest.mark.parametrize("start", ["head", "boot", "tail"])
@pytest.mark.parametrize("torn_bytes", [0, 1, 30, 61, 62, 200, 10_000])
def test_a_damaged_checkpoint_costs_nothing_whatever_the_output_ends_with(
    rig: Rig, torn_bytes: int, start: str
) -> None:
    rig.run()
    rig.journal += entries([b"later %d" % n for n in range(6)], first=len(MESSAGES) + 1)
    steps = Rig(rig.state / "other", list(rig.journal)).run().steps
    rig.run(FaultPlan(kill_at=steps.index("flush"), torn_bytes=torn_bytes))
    damage(rig)
    rig.start = start
    assert kind(rig) == "from_output"
    assert rig.data() == rig.wanted()
    assert rig.metrics.get("checkpoints_set_aside") == 1
    assert (rig.state / "checkpoint.damaged-1").read_bytes() == b"garbage"
    assert kind(rig) == "clean"


def test_a_damaged_checkpoint_does_not_bring_back_lines_that_were_rotated_away(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, entries(MESSAGES), max_bytes=130, keep_files=1)
    rig.run()
    kept = rig.data()
    assert 0 < kept.count(b"\n") < len(MESSAGES)
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    rig.keep_files = 9
    damage(rig)
    assert kind(rig) == "from_output"
    assert rig.data() == kept + rig.wanted(without=range(1, len(MESSAGES) + 1))


def test_a_kill_at_any_step_of_a_start_with_a_damaged_checkpoint_loses_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    def damaged(name: str) -> Rig:
        rig = Rig(tmp_path / name, entries(MESSAGES[:6]))
        rig.run()
        rig.journal += entries(MESSAGES[6:], first=7)
        damage(rig)
        return rig

    steps = damaged("whole").run().steps
    assert "set aside" in steps
    for number in range(len(steps)):
        rig = damaged(str(number))
        rig.run(FaultPlan(kill_at=number, torn_bytes=70))
        rig.run()
        assert rig.data() == rig.wanted(), f"killed at {number}, {steps[number]}"
        assert (rig.state / "checkpoint.damaged-1").read_bytes() == b"garbage"
        assert not (rig.state / "checkpoint.damaged-2").exists()


def test_a_request_to_end_during_the_search_leaves_a_damaged_checkpoint_for_the_next_start(
    rig: Rig,
) -> None:
    rig.run()
    before = rig.data()
    damage(rig)
    with pytest.raises(Stopped):
        rig.run(stop=ScriptedStop(rig.clock, set_after=0))
    assert (rig.state / "checkpoint").read_bytes() == b"garbage"
    assert kind(rig) == "from_output"
    assert rig.data() == before


class SlowRig(Rig):
    """A rig whose reader takes 20 s for each batch; the exporter must be alive at each."""

    def source(self) -> ScriptedSource:
        source = super().source()

        def read() -> None:
            now_s = self.clock.monotonic_s()
            assert health.live(self.metrics, now_s=now_s, timeout_s=30.0).ok
            self.clock.advance(20)

        source.on_read = read
        return source


def test_the_exporter_stays_alive_during_a_search_that_takes_minutes(tmp_path: Path) -> None:
    rig = SlowRig(tmp_path, entries(MESSAGES))
    rig.metrics.heartbeat(rig.clock)
    rig.run()
    damage(rig)
    rig.batch_entries = 1
    assert kind(rig) == "from_output"


def test_a_gap_before_the_output_s_first_line_is_not_counted_after_a_damaged_checkpoint(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, [Entry(1, b"one"), Entry(5, b"five"), Entry(6, b"six")])
    rig.run()
    kept = b"".join(rig.data().splitlines(keepends=True)[-2:])
    assert kept.count(b"lost") == 0
    rig.output_path.write_bytes(kept)
    damage(rig)
    before = rig.metrics.get("entries_lost")
    assert before == 3
    assert kind(rig) == "from_output"
    assert rig.data() == kept
    assert rig.metrics.get("entries_lost") == before


def test_a_damaged_checkpoint_and_an_output_of_another_program_begin_where_the_start_says(
    rig: Rig,
) -> None:
    rig.output_path.parent.mkdir(parents=True)
    rig.output_path.write_bytes(b"somebody's line\nand half")
    damage(rig)
    assert kind(rig) == "first_start"
    assert rig.data() == b"somebody's line\nand half\n" + rig.wanted()
    assert rig.metrics.get("checkpoints_set_aside") == 1


def test_lines_of_another_program_in_the_output_do_not_hide_the_place(rig: Rig) -> None:
    rig.run()
    before = rig.data()
    rig.output_path.write_bytes(b"before\n" + before + b"after\n")
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    damage(rig)
    assert kind(rig) == "from_output"
    assert rig.data() == b"before\n" + before + b"after\n" + rig.wanted(
        without=range(1, len(MESSAGES) + 1)
    )
    assert rig.metrics.get("recovery_mismatches") == 1


def test_a_file_that_was_rotated_away_with_a_torn_line_keeps_its_lines(rig: Rig) -> None:
    killed(rig, 100)
    rig.output_path.rename(rig.output_path.with_name("messages.1"))
    rig.run()
    assert rig.data() == rig.wanted()


def test_a_torn_line_of_another_program_is_ended_before_the_first_line(rig: Rig) -> None:
    rig.output_path.parent.mkdir(parents=True)
    rig.output_path.write_bytes(b"somebody's half")
    rig.run()
    assert rig.data() == b"somebody's half\n" + rig.wanted()


def test_a_file_that_replaces_the_output_has_its_torn_line_ended(rig: Rig) -> None:
    rig.run()
    rig.output_path.unlink()
    rig.output_path.write_bytes(b"somebody's half")
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    assert kind(rig) == "output_gone"
    assert rig.data() == b"somebody's half\n" + rig.wanted(without=range(1, len(MESSAGES) + 1))


@pytest.mark.parametrize("torn_bytes", range(0, 400, 7))
def test_entries_vacuumed_after_the_kill_are_reported_as_lost_and_none_twice(
    tmp_path: Path, torn_bytes: int
) -> None:
    """Their lines that were written stay, and do not count as lost."""
    rig = Rig(tmp_path, entries(MESSAGES))
    rig.run()
    whole = rig.data()
    line_bytes = whole.index(b"\n") + 1
    rig = Rig(tmp_path / "killed", entries([b"zero", *MESSAGES]))
    del rig.journal[1:]
    rig.run()
    rig.journal += entries(MESSAGES, first=2)
    steps = Rig(rig.state / "other", list(rig.journal)).run().steps
    rig.run(FaultPlan(kill_at=steps.index("flush"), torn_bytes=torn_bytes))
    written = rig.data().count(b"\n") - 1
    del rig.journal[:6]
    rig.run()
    got = rig.data().splitlines()
    assert len(got) == len(set(got)), "no line twice"
    for message in MESSAGES[5:]:
        assert sum(line.endswith(b": " + message) for line in got) == 1
    for message in MESSAGES[: min(written, 5)]:
        assert sum(line.endswith(b": " + message) for line in got) == 1
    lost = rig.metrics.get("entries_lost")
    assert lost == max(0, 5 - written), f"{written} lines of {line_bytes} bytes were there"
    assert sum(b"journal entries lost" in line for line in got) == (lost > 0)


def test_foreign_lines_are_counted_and_never_loop(rig: Rig) -> None:
    killed(rig, 100)
    with rig.output_path.open("ab") as file:
        file.write(b"written by somebody else\n")
    rig.run()
    lines = rig.data().splitlines(keepends=True)
    assert rig.metrics.get("recovery_mismatches") > 0
    for line in rig.wanted().splitlines(keepends=True)[2:]:
        assert line in lines


def test_a_start_at_the_tail_writes_only_what_comes_later(rig: Rig) -> None:
    rig.start = "tail"
    rig.run()
    assert rig.data() == b""
    rig.journal += entries([b"later"], first=len(MESSAGES) + 1)
    rig.run()
    assert rig.data() == rig.wanted(without=range(1, len(MESSAGES) + 1))


def test_the_age_of_the_file_survives_a_restart(rig: Rig) -> None:
    rig.run()
    before = load(rig.state)
    rig.clock.advance(100)
    rig.run()
    after = load(rig.state)
    assert before is not None
    assert after is not None
    assert after.file_since_s == before.file_since_s > 0
