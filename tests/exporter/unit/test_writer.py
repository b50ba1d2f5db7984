"""The order of writing, and retries while the disk refuses."""

import dataclasses
import errno
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journal_exporter.errors import BlockedError
from journal_exporter.journal.position import Position
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import State, load
from journal_exporter.output.retry import RETRY_S, Stopped
from journal_exporter.output.rotation import RotationPolicy
from journal_exporter.output.writer import SYNC_BYTES, SYNC_S, Writer
from tests.support.fakes import FakeClock, ScriptedStop, cursor
from tests.support.faults import FaultPlan, FaultyCheckpoint, FaultyFile, Killed, refusal


class ActingStop(ScriptedStop):
    """Acts at the first wait, as another process may."""

    def __init__(self, clock: FakeClock, act: Callable[[], object]) -> None:
        super().__init__(clock)
        self._act = act

    def wait(self, timeout_s: float | None) -> bool:
        if not self.waits:
            self._act()
        return super().wait(timeout_s)


class WriterRig:
    """A writer over real files, with a plan of what its disk refuses."""

    def __init__(
        self,
        base: Path,
        rotation: RotationPolicy | None = None,
        *,
        set_after: int | None = None,
        max_blocked_s: float = math.inf,
        act: Callable[[], object] | None = None,
    ) -> None:
        self.base = base
        self.plan = FaultPlan()
        self.clock = FakeClock()
        self.stop = ScriptedStop(self.clock, set_after=set_after)
        if act is not None:
            self.stop = ActingStop(self.clock, act)
        self.metrics = SharedMetrics()
        self.output = FaultyFile(base / "messages", keep_files=9, keep_bytes=0)
        self.checkpoint = FaultyCheckpoint(base)
        self.output.plan = self.checkpoint.plan = self.plan
        self.writer = Writer(
            output=self.output,
            checkpoint=self.checkpoint,
            rotation=rotation or RotationPolicy(max_bytes=1000, min_interval_s=0.0),
            metrics=self.metrics,
            clock=self.clock,
            stop=self.stop,
            max_blocked_s=max_blocked_s,
        )

    def begin(self) -> None:
        self.writer.open()
        progress = self.writer.progress_at(Position(None))
        since_s = self.clock.time_s()
        self.writer.begin(
            State("out", "b", "h", durable=progress, written=progress, file_since_s=since_s)
        )
        self.plan.steps.clear()

    def end(self) -> None:
        self.output.close()
        self.checkpoint.close()

    def stored(self) -> State:
        state = load(self.base)
        assert state is not None
        return state


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[WriterRig]:
    rig = WriterRig(tmp_path)
    yield rig
    rig.end()


AFTER = Position(cursor(7).text)


@pytest.mark.parametrize("torn_bytes", [0, 3, 7, 10, 14])
def test_a_file_removed_while_the_disk_is_full_is_followed_by_one_with_the_remaining_lines(
    tmp_path: Path, torn_bytes: int
) -> None:
    path = tmp_path / "messages"
    rig = WriterRig(tmp_path, act=path.unlink)
    rig.begin()
    # A commit stores its intent, then appends.
    rig.plan.refuse, rig.plan.torn_bytes = {1: errno.ENOSPC}, torn_bytes
    data = b"line 1\nline 2\nline 3\n"
    rig.writer.commit(data, AFTER, 3)
    assert path.read_bytes() == data[torn_bytes // 7 * 7 :]
    assert rig.writer.position == AFTER
    assert rig.metrics.get("lines_written") == 3
    rig.writer.sync()
    assert rig.stored().written.position == AFTER
    rig.end()


def test_the_intent_is_stored_before_the_lines_are_appended(rig: WriterRig) -> None:
    rig.begin()
    rig.writer.commit(b"a line\n", AFTER, 1)
    assert rig.plan.steps == ["store", "flush"]
    state = rig.stored()
    assert state.intent is not None
    assert (state.intent.position, state.intent.end_offset) == (AFTER, 7)
    assert (state.written.position, state.written.offset) == (Position(None), 0)
    assert state.newest == AFTER
    assert rig.writer.position == AFTER
    assert rig.metrics.get("lines_written") == 1
    assert rig.metrics.get("written_bytes") == 7


def test_a_kill_before_the_append_leaves_only_the_intent(rig: WriterRig) -> None:
    rig.begin()
    rig.plan.kill_at = 1
    with pytest.raises(Killed):
        rig.writer.commit(b"a line\n", AFTER, 1)
    assert rig.output.path.read_bytes() == b""
    assert rig.stored().newest == AFTER


def test_entries_without_lines_move_the_place_and_cost_no_write(rig: WriterRig) -> None:
    rig.begin()
    rig.writer.commit(b"", AFTER, 0)
    assert rig.plan.steps == []
    assert rig.writer.position == AFTER
    rig.writer.sync()
    assert rig.stored().durable.position == AFTER


def test_a_sync_makes_the_output_durable_before_the_checkpoint(rig: WriterRig) -> None:
    rig.begin()
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.plan.steps.clear()
    rig.writer.sync()
    assert rig.plan.steps == ["sync", "store", "sync checkpoint"]
    state = rig.stored()
    assert state.durable == state.written
    assert state.durable.offset == 7
    assert state.intent is None


def test_it_syncs_after_a_time_or_an_amount_and_only_what_there_is(rig: WriterRig) -> None:
    rig.begin()
    rig.clock.advance(SYNC_S)
    rig.writer.sync_if_due()
    assert rig.plan.steps == []
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.writer.sync_if_due()
    assert rig.plan.steps[-1] == "sync checkpoint"
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.plan.steps.clear()
    rig.writer.sync_if_due()
    assert rig.plan.steps == []
    rig.writer.commit(b"x" * SYNC_BYTES + b"\n", AFTER, 1)
    rig.writer.sync_if_due()
    assert rig.plan.steps[-1] == "sync checkpoint"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "enospc"),
        (errno.EDQUOT, "edquot"),
        (errno.EAGAIN, "in_use"),
        (errno.EIO, "eio"),
        (errno.EROFS, "erofs"),
        (errno.EFBIG, "other"),
    ],
)
def test_a_refused_write_is_retried_and_counted(rig: WriterRig, code: int, reason: str) -> None:
    rig.begin()
    rig.plan.refuse = {1: code, 2: code}
    rig.plan.torn_bytes = 3
    rig.writer.commit(b"a line\n", AFTER, 1)
    assert rig.output.path.read_bytes() == b"a line\n"
    assert rig.stop.waits == [RETRY_S, RETRY_S]
    assert rig.metrics.get("output_blocked_seconds", reason) == 2 * RETRY_S
    assert rig.metrics.blocked_reason is None


def test_an_action_that_fails_beyond_the_limit_ends_with_its_reason(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path, max_blocked_s=3 * RETRY_S)
    rig.begin()
    # The third refusal is the last that is waited for.
    rig.plan.refuse = dict.fromkeys(range(1, 4), errno.ENOSPC)
    rig.writer.commit(b"line\n", AFTER, 1)
    assert (tmp_path / "messages").read_bytes() == b"line\n"
    first = len(rig.plan.steps)
    rig.plan.refuse = dict.fromkeys(range(first, first + 100), errno.EROFS)
    with pytest.raises(BlockedError, match=r"^writing: refused; gave up after 3 s$"):
        rig.writer.commit(b"line\n", AFTER, 1)
    rig.end()


def test_while_it_waits_it_is_alive_and_reports_why_it_is_not_ready(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path, set_after=2)
    rig.begin()
    rig.plan.refuse = dict.fromkeys(range(100), errno.EIO)
    with pytest.raises(Stopped):
        rig.writer.commit(b"a line\n", AFTER, 1)
    assert rig.metrics.blocked_reason == "eio"
    assert rig.metrics.heartbeat_s == rig.clock.monotonic_s()
    assert rig.writer.position == Position(None)
    rig.end()


def test_a_full_disk_costs_the_oldest_archive_but_a_full_state_directory_none(
    rig: WriterRig,
) -> None:
    rig.begin()
    for number in range(3):
        rig.writer.commit(b"%d\n" % number, AFTER, 1)
        rig.writer.rotate()
    rig.plan.steps.clear()
    rig.plan.refuse = {0: errno.ENOSPC, 2: errno.ENOSPC, 4: errno.EIO}
    rig.writer.commit(b"3\n", AFTER, 1)
    assert rig.plan.steps == ["store", "store", "flush", "flush"]
    assert rig.output.count_archives() == 2
    assert rig.output.path.with_name("messages.2").read_bytes() == b"1\n"
    assert rig.metrics.get("archives") == 2


def test_a_rotation_syncs_first_and_stores_the_new_file_last(rig: WriterRig) -> None:
    rig.begin()
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.plan.steps.clear()
    rig.writer.rotate()
    syncs = ["sync", "store", "sync checkpoint"]
    assert rig.plan.steps == [*syncs, "rotate", "rotated", *syncs]
    state = rig.stored()
    assert (state.written.position, state.written.offset) == (AFTER, 0)
    assert state.written.file.inode == rig.output.path.stat().st_ino
    assert rig.metrics.get("rotations") == 1
    assert rig.writer.room_bytes == 1000


def test_a_rotation_waits_for_readers_and_for_its_interval(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path, RotationPolicy(max_bytes=1000, settle_s=2.0, min_interval_s=5.0))
    rig.begin()
    rig.writer.rotate()
    assert sum(wait or 0.0 for wait in rig.stop.waits) == pytest.approx(2.0)
    rig.stop.waits.clear()
    rig.writer.rotate()
    assert sum(wait or 0.0 for wait in rig.stop.waits) == pytest.approx(5.0)
    assert max(wait or 0.0 for wait in rig.stop.waits) <= 0.25
    # A probe must not take the pause for a stalled worker.
    assert rig.clock.monotonic_s() - rig.metrics.heartbeat_s <= 0.25
    rig.end()


def test_a_stop_while_readers_are_waited_for_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path, RotationPolicy(max_bytes=1000, settle_s=2.0), set_after=3)
    rig.begin()
    rig.writer.commit(b"a line\n", AFTER, 1)
    with pytest.raises(Stopped):
        rig.writer.rotate()
    assert rig.output.path.read_bytes() == b"a line\n"
    assert rig.output.count_archives() == 0
    rig.end()


def test_a_file_is_rotated_for_its_age_unless_it_is_empty(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path, RotationPolicy(max_bytes=1000, max_age_s=60.0, min_interval_s=0.0))
    rig.begin()
    rig.clock.advance(61)
    rig.writer.rotate_for_age()
    assert rig.output.count_archives() == 0
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.writer.rotate_for_age()
    assert rig.output.count_archives() == 1
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.clock.advance(59)
    rig.writer.rotate_for_age()
    assert rig.output.count_archives() == 1
    rig.end()


@pytest.mark.parametrize(
    "replace",
    [
        lambda path: path.rename(path.with_name("elsewhere")),
        Path.unlink,
        lambda path: os.truncate(path, 0),
    ],
    ids=["renamed", "removed", "emptied"],
)
def test_a_file_that_another_process_replaced_is_reported_and_a_new_one_begins(
    rig: WriterRig, caplog: pytest.LogCaptureFixture, replace: Callable[[Path], object]
) -> None:
    rig.begin()
    rig.writer.commit(b"old\n", AFTER, 1)
    rig.writer.sync()
    rig.writer.reopen_if_replaced()
    assert rig.stored().written.offset == 4
    assert caplog.messages == []
    replace(rig.output.path)
    rig.writer.reopen_if_replaced()
    assert caplog.messages == [f"another process removed, renamed or emptied {rig.output.path}"]
    assert rig.stored().written.offset == 0
    rig.writer.commit(b"new\n", AFTER, 1)
    assert rig.output.path.read_bytes() == b"new\n"
    assert rig.stored().written.file.inode == rig.output.path.stat().st_ino


def test_an_output_that_can_not_be_opened_is_waited_for(rig: WriterRig) -> None:
    rig.plan.refuse = {0: errno.EROFS, 1: errno.EROFS}
    rig.begin()
    assert rig.stop.waits == [RETRY_S, RETRY_S]


def test_the_preparation_comes_before_the_first_state_and_is_retried(tmp_path: Path) -> None:
    rig = WriterRig(tmp_path)
    tries: list[bool] = []

    def prepare() -> None:
        tries.append((tmp_path / "checkpoint").exists())
        if len(tries) < 3:
            raise refusal(errno.ENOSPC)

    rig.writer = dataclasses.replace(rig.writer, prepare=prepare)
    rig.begin()
    assert tries == [False] * 3
    rig.end()


def test_committing_before_the_beginning_is_a_bug(rig: WriterRig) -> None:
    with pytest.raises(RuntimeError, match="begin"):
        rig.writer.commit(b"a line\n", AFTER, 1)


def test_the_state_keeps_the_fields_that_the_writer_does_not_change(rig: WriterRig) -> None:
    rig.begin()
    before = rig.stored()
    rig.writer.commit(b"a line\n", AFTER, 1)
    rig.writer.sync()
    after = rig.stored()
    kept = {"output", "boot_id", "render_hash", "journal", "file_since_s"}
    for name in (field.name for field in dataclasses.fields(before)):
        assert (getattr(before, name) == getattr(after, name)) is (name in kept or name == "intent")
