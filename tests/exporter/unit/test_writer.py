"""The order of writing, and patience while the disk refuses."""

import dataclasses
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journal_exporter.journal.batch import Position
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import State, load
from journal_exporter.output.retry import RETRY_S, Stopped
from journal_exporter.output.rotation import RotationPolicy
from journal_exporter.output.writer import SYNC_BYTES, SYNC_S, Writer
from tests.support.fakes import FakeClock, ScriptedStop, cursor
from tests.support.faults import FaultyCheckpoint, FaultyFile, Killed, Plan, refusal


class Remover(ScriptedStop):
    """Somebody makes room at the first wait: removes the file, or does what else is told."""

    def __init__(self, clock: FakeClock, act: Callable[[], object]) -> None:
        super().__init__(clock)
        self._act = act

    def wait(self, timeout_s: float | None) -> bool:
        if not self.waits:
            self._act()
        return super().wait(timeout_s)


class Desk:
    """A writer over real files, with a plan of what its disk refuses."""

    def __init__(
        self,
        base: Path,
        rotation: RotationPolicy | None = None,
        *,
        set_after: int | None = None,
        act: Callable[[], object] | None = None,
    ) -> None:
        self.base = base
        self.plan = Plan()
        self.clock = FakeClock()
        self.stop = ScriptedStop(self.clock, set_after=set_after)
        if act is not None:
            self.stop = Remover(self.clock, act)
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
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.end()


AFTER = Position(cursor(7).text)


@pytest.mark.parametrize("torn_bytes", [0, 3, 7, 10, 14])
def test_a_file_that_is_removed_while_the_disk_is_full_is_begun_anew_with_what_is_left(
    tmp_path: Path, torn_bytes: int
) -> None:
    path = tmp_path / "messages"
    desk = Desk(tmp_path, act=path.unlink)
    desk.begin()
    # A commit stores its intent, then appends.
    desk.plan.refuse, desk.plan.torn_bytes = {1: errno.ENOSPC}, torn_bytes
    data = b"line 1\nline 2\nline 3\n"
    desk.writer.commit(data, AFTER, 3)
    assert path.read_bytes() == data[torn_bytes // 7 * 7 :]
    assert desk.writer.position == AFTER
    assert desk.metrics.get("lines_written") == 3
    desk.writer.sync()
    assert desk.stored().written.position == AFTER
    desk.end()


def test_the_intent_is_stored_before_the_lines_are_appended(desk: Desk) -> None:
    desk.begin()
    desk.writer.commit(b"a line\n", AFTER, 1)
    assert desk.plan.steps == ["store", "flush"]
    state = desk.stored()
    assert state.intent is not None
    assert (state.intent.position, state.intent.end_offset) == (AFTER, 7)
    assert (state.written.position, state.written.offset) == (Position(None), 0)
    assert state.newest == AFTER
    assert desk.writer.position == AFTER
    assert desk.metrics.get("lines_written") == 1
    assert desk.metrics.get("written_bytes") == 7


def test_a_kill_before_the_append_leaves_only_the_intent(desk: Desk) -> None:
    desk.begin()
    desk.plan.kill_at = 1
    with pytest.raises(Killed):
        desk.writer.commit(b"a line\n", AFTER, 1)
    assert desk.output.path.read_bytes() == b""
    assert desk.stored().newest == AFTER


def test_entries_without_lines_move_the_place_and_cost_no_write(desk: Desk) -> None:
    desk.begin()
    desk.writer.commit(b"", AFTER, 0)
    assert desk.plan.steps == []
    assert desk.writer.position == AFTER
    desk.writer.sync()
    assert desk.stored().durable.position == AFTER


def test_a_sync_makes_the_output_durable_before_the_checkpoint_says_so(desk: Desk) -> None:
    desk.begin()
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.plan.steps.clear()
    desk.writer.sync()
    assert desk.plan.steps == ["sync", "store", "sync checkpoint"]
    state = desk.stored()
    assert state.durable == state.written
    assert state.durable.offset == 7
    assert state.intent is None


def test_it_syncs_after_a_time_or_an_amount_and_only_what_there_is(desk: Desk) -> None:
    desk.begin()
    desk.clock.advance(SYNC_S)
    desk.writer.sync_if_due()
    assert desk.plan.steps == []
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.writer.sync_if_due()
    assert desk.plan.steps[-1] == "sync checkpoint"
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.plan.steps.clear()
    desk.writer.sync_if_due()
    assert desk.plan.steps == []
    desk.writer.commit(b"x" * SYNC_BYTES + b"\n", AFTER, 1)
    desk.writer.sync_if_due()
    assert desk.plan.steps[-1] == "sync checkpoint"


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
def test_a_refused_write_is_tried_again_and_told(desk: Desk, code: int, reason: str) -> None:
    desk.begin()
    desk.plan.refuse = {1: code, 2: code}
    desk.plan.torn_bytes = 3
    desk.writer.commit(b"a line\n", AFTER, 1)
    assert desk.output.path.read_bytes() == b"a line\n"
    assert desk.stop.waits == [RETRY_S, RETRY_S]
    assert desk.metrics.get("output_blocked_seconds", reason) == 2 * RETRY_S
    assert desk.metrics.blocked_reason is None


def test_while_it_waits_it_is_alive_and_says_why_it_is_not_ready(tmp_path: Path) -> None:
    desk = Desk(tmp_path, set_after=2)
    desk.begin()
    desk.plan.refuse = dict.fromkeys(range(100), errno.EIO)
    with pytest.raises(Stopped):
        desk.writer.commit(b"a line\n", AFTER, 1)
    assert desk.metrics.blocked_reason == "eio"
    assert desk.metrics.heartbeat_s == desk.clock.monotonic_s()
    assert desk.writer.position == Position(None)
    desk.end()


def test_a_full_disk_costs_the_oldest_archive_but_a_full_state_directory_none(
    desk: Desk,
) -> None:
    desk.begin()
    for number in range(3):
        desk.writer.commit(b"%d\n" % number, AFTER, 1)
        desk.writer.rotate()
    desk.plan.steps.clear()
    desk.plan.refuse = {0: errno.ENOSPC, 2: errno.ENOSPC, 4: errno.EIO}
    desk.writer.commit(b"3\n", AFTER, 1)
    assert desk.plan.steps == ["store", "store", "flush", "flush"]
    assert desk.output.count_archives() == 2
    assert desk.output.path.with_name("messages.2").read_bytes() == b"1\n"
    assert desk.metrics.get("archives") == 2


def test_a_rotation_syncs_first_and_vouches_for_the_new_file_last(desk: Desk) -> None:
    desk.begin()
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.plan.steps.clear()
    desk.writer.rotate()
    syncs = ["sync", "store", "sync checkpoint"]
    assert desk.plan.steps == [*syncs, "rotate", "rotated", *syncs]
    state = desk.stored()
    assert (state.written.position, state.written.offset) == (AFTER, 0)
    assert state.written.file.inode == desk.output.path.stat().st_ino
    assert desk.metrics.get("rotations") == 1
    assert desk.writer.room_bytes == 1000


def test_a_rotation_waits_for_readers_and_for_its_turn(tmp_path: Path) -> None:
    desk = Desk(tmp_path, RotationPolicy(max_bytes=1000, settle_s=2.0, min_interval_s=5.0))
    desk.begin()
    desk.writer.rotate()
    assert sum(wait or 0.0 for wait in desk.stop.waits) == pytest.approx(2.0)
    desk.stop.waits.clear()
    desk.writer.rotate()
    assert sum(wait or 0.0 for wait in desk.stop.waits) == pytest.approx(5.0)
    assert max(wait or 0.0 for wait in desk.stop.waits) <= 0.25
    # A probe must not take the pause for a stalled worker.
    assert desk.clock.monotonic_s() - desk.metrics.heartbeat_s <= 0.25
    desk.end()


def test_a_stop_while_readers_are_waited_for_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path, RotationPolicy(max_bytes=1000, settle_s=2.0), set_after=3)
    desk.begin()
    desk.writer.commit(b"a line\n", AFTER, 1)
    with pytest.raises(Stopped):
        desk.writer.rotate()
    assert desk.output.path.read_bytes() == b"a line\n"
    assert desk.output.count_archives() == 0
    desk.end()


def test_a_file_is_rotated_for_its_age_when_it_holds_something(tmp_path: Path) -> None:
    desk = Desk(tmp_path, RotationPolicy(max_bytes=1000, max_age_s=60.0, min_interval_s=0.0))
    desk.begin()
    desk.clock.advance(61)
    desk.writer.rotate_for_age()
    assert desk.output.count_archives() == 0
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.writer.rotate_for_age()
    assert desk.output.count_archives() == 1
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.clock.advance(59)
    desk.writer.rotate_for_age()
    assert desk.output.count_archives() == 1
    desk.end()


@pytest.mark.parametrize(
    "replace",
    [
        lambda path: path.rename(path.with_name("elsewhere")),
        Path.unlink,
        lambda path: os.truncate(path, 0),
    ],
    ids=["renamed", "removed", "emptied"],
)
def test_a_file_that_another_process_replaced_is_reported_and_begun_anew(
    desk: Desk, caplog: pytest.LogCaptureFixture, replace: Callable[[Path], object]
) -> None:
    desk.begin()
    desk.writer.commit(b"old\n", AFTER, 1)
    desk.writer.sync()
    desk.writer.reopen_if_replaced()
    assert desk.stored().written.offset == 4
    assert caplog.messages == []
    replace(desk.output.path)
    desk.writer.reopen_if_replaced()
    assert caplog.messages == [f"another process removed, renamed or emptied {desk.output.path}"]
    assert desk.stored().written.offset == 0
    desk.writer.commit(b"new\n", AFTER, 1)
    assert desk.output.path.read_bytes() == b"new\n"
    assert desk.stored().written.file.inode == desk.output.path.stat().st_ino


def test_an_output_that_can_not_be_opened_is_waited_for(desk: Desk) -> None:
    desk.plan.refuse = {0: errno.EROFS, 1: errno.EROFS}
    desk.begin()
    assert desk.stop.waits == [RETRY_S, RETRY_S]


def test_what_is_prepared_comes_before_the_first_state_and_is_insisted_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    tries: list[bool] = []

    def prepare() -> None:
        tries.append((tmp_path / "checkpoint").exists())
        if len(tries) < 3:
            raise refusal(errno.ENOSPC)

    desk.writer = dataclasses.replace(desk.writer, prepare=prepare)
    desk.begin()
    assert tries == [False] * 3
    desk.end()


def test_nothing_is_written_before_it_has_begun(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="begin"):
        desk.writer.commit(b"a line\n", AFTER, 1)


def test_the_state_keeps_what_the_writer_does_not_own(desk: Desk) -> None:
    desk.begin()
    before = desk.stored()
    desk.writer.commit(b"a line\n", AFTER, 1)
    desk.writer.sync()
    after = desk.stored()
    kept = {"output", "boot_id", "render_hash", "journal", "file_since_s"}
    for name in (field.name for field in dataclasses.fields(before)):
        assert (getattr(before, name) == getattr(after, name)) is (name in kept or name == "intent")
