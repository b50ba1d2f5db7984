"""Writes lines in the order that keeps them exactly once: store the intent, append, then read on.

Guarantees: whenever the process ends, the checkpoint and the files together show exactly which entries are in
the output. The writer also syncs at intervals, and rotates the file.
"""

import dataclasses
import logging
import math
from collections.abc import Callable
from typing import TypeVar

from journal_exporter.clock import Clock, Stop
from journal_exporter.errors import OutputError
from journal_exporter.journal.position import Position
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import CheckpointFile, Intent, Progress, State
from journal_exporter.output.retry import GivenUpError, Retry, Stopped
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.output.rotation import RotationPolicy

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
SYNC_S = 5.0
SYNC_BYTES = 16 << 20
_SETTLE_STEP_S = 0.25


@dataclasses.dataclass(kw_only=True, eq=False)
class Writer:
    """Owns the checkpoint's content. Raises ``Stopped`` and ``BlockedError`` from every method that waits.

    ``prepare`` runs before the first state is stored, ``while_blocked`` between two attempts to write, which
    end after ``max_blocked_s``.
    """

    output: RotatingFile
    checkpoint: CheckpointFile
    rotation: RotationPolicy
    metrics: SharedMetrics
    clock: Clock
    stop: Stop
    prepare: Callable[[], None] = lambda: None
    while_blocked: Callable[[Position], object] = lambda _position: None
    max_blocked_s: float = math.inf

    def __post_init__(self) -> None:
        self._state: State | None = None
        self._is_announced = False
        """Whether the stored state has an intent, whose append may be done by now."""
        self._synced_s = self.clock.monotonic_s()
        self._rotated_s = self._synced_s - self.rotation.min_interval_s
        self._unsynced_bytes = 0
        self._retry = Retry(
            metrics=self.metrics,
            clock=self.clock,
            stop=self.stop,
            free_space=self._delete_oldest,
            while_blocked=lambda: self.while_blocked(
                self._state.written.position if self._state else Position(None)
            ),
            max_blocked_s=self.max_blocked_s,
        )

    def open(self) -> None:
        """Open the output; wait while that is not possible."""
        self._retry.until_done(self.output.open)

    def begin(self, state: State) -> None:
        """Start from a state whose ``written`` is the output's very end."""
        self._retry.until_done(self.prepare, may_free_space=False)
        self._retry.until_done(self.output.delete_surplus)
        self._state = dataclasses.replace(state, intent=None)
        self._measure_files()
        self._store()
        self.sync()

    @property
    def _known(self) -> State:
        if self._state is None:
            raise RuntimeError("begin() comes first")
        return self._state

    @property
    def position(self) -> Position:
        """The place in the journal up to which everything is in the output."""
        return self._known.written.position

    @property
    def room_bytes(self) -> int:
        """How much still fits into the live file."""
        return self.rotation.room_bytes(self.output.size_bytes)

    def progress_at(self, position: Position) -> Progress:
        """Return the progress of an output that holds everything up to ``position``."""
        return Progress(position, self.retry(lambda: self.output.id), self.output.size_bytes)

    def retry(self, query: Callable[[], T]) -> T:
        """Return what ``query`` returns; retry while the disk refuses."""
        found: list[T] = []
        self._retry.until_done(lambda: found.append(query()), may_free_space=False)
        return found[0]

    def commit(
        self, data: bytes, position: Position, lines: int, *, is_marker: bool = False
    ) -> None:
        """Append ``data``, the ``lines`` of all entries up to ``position``.

        ``is_marker``: it is the one line that marks a gap.
        """
        before = self._known
        if not data:
            # No bytes change, so nothing must be durable at once.
            written = dataclasses.replace(before.written, position=position)
            self._state = dataclasses.replace(before, written=written, intent=None)
            self._unsynced_bytes += 1
            return
        while data:
            self.reopen_if_replaced()
            marker = data.decode() if is_marker else ""
            intent = Intent(position, self.output.size_bytes + len(data), marker)
            self._state = dataclasses.replace(self._known, intent=intent)
            self._store()
            data = self._append(data)
        written = self.progress_at(position)
        self._state = dataclasses.replace(self._known, written=written, intent=None)
        self.metrics.add("lines_written", lines)

    def _append(self, data: bytes) -> bytes:
        """Append; return the lines that are left if the file was replaced while the disk refused."""
        self.output.put(data)
        try:
            self._retry.until_done(self.output.flush, given_up=self._is_replaced)
        except GivenUpError:
            done_bytes = len(data) - self.output.pending_bytes
            self._count_bytes(done_bytes)
            return data[data.rfind(b"\n", 0, done_bytes) + 1 :]
        self._count_bytes(len(data))
        return b""

    def _is_replaced(self) -> bool:
        try:
            return self.output.is_replaced()
        except OutputError:
            return False

    def _count_bytes(self, size_bytes: int) -> None:
        self._unsynced_bytes += size_bytes
        self.metrics.add("written_bytes", size_bytes)
        self.metrics.set("output_size_bytes", self.output.size_bytes)

    def append_uncommitted(self, data: bytes) -> None:
        """Append without storing an intent: for a resume, which stores a state afterwards."""
        if not data:
            return
        self.output.put(data)
        self._retry.until_done(self.output.flush)
        self._count_bytes(len(data))

    def _store(self) -> None:
        state = self._known
        self._retry.until_done(lambda: self.checkpoint.store(state), may_free_space=False)
        self._is_announced = state.intent is not None

    def settle(self) -> None:
        """Store that the last append is done, for a pause in which no other state is stored.

        If another process takes the file away meanwhile, only the checkpoint can tell.
        """
        if self._is_announced:
            self._store()

    def sync(self) -> None:
        """Make the output durable, then the checkpoint that describes it."""
        self._retry.until_done(self.output.sync)
        self._state = dataclasses.replace(self._known, durable=self._known.written)
        self._store()
        self._retry.until_done(self.checkpoint.sync, may_free_space=False)
        self._synced_s = self.clock.monotonic_s()
        self._unsynced_bytes = 0
        self.metrics.set("checkpoint_timestamp_seconds", self.clock.time_s())

    def sync_if_due(self) -> None:
        """Sync if there is something to sync, after ``SYNC_S`` or ``SYNC_BYTES``."""
        due = self.clock.monotonic_s() - self._synced_s >= SYNC_S
        if self._unsynced_bytes and (due or self._unsynced_bytes > SYNC_BYTES):
            self.sync()

    def rotate_for_size(self, next_bytes: int) -> None:
        """Rotate if ``next_bytes`` more do not fit into the live file."""
        if self.rotation.is_due_for_size(self.output.size_bytes, next_bytes):
            self.rotate()

    def rotate_for_age(self) -> None:
        """Rotate if the live file is older than the limit."""
        age_s = self.clock.time_s() - self._known.file_since_s
        if self.rotation.is_due_for_age(self.output.size_bytes, age_s):
            self.rotate()

    def rotate(self) -> None:
        """Let readers catch up, then begin a new file."""
        self.sync()
        self._settle()
        size_bytes = self.output.size_bytes
        self._retry.until_done(self.output.rotate)
        self._rotated_s = self.clock.monotonic_s()
        self.metrics.add("rotations")
        _LOG.info("rotated %s at %d bytes", self.output.path, size_bytes)
        self._begin_file()

    def reopen_if_replaced(self) -> None:
        """Begin a new file if another process removed, renamed or emptied the live one."""
        if self.retry(self.output.is_replaced):
            _LOG.warning("another process removed, renamed or emptied %s", self.output.path)
            self._retry.until_done(self.output.open)
            self._begin_file()

    def restore_checkpoint(self) -> None:
        """Store the checkpoint again if another process removed it, or its directory."""
        if self.retry(self.checkpoint.is_removed):
            _LOG.warning("another process removed the checkpoint; storing it again")
            self.sync()

    def _begin_file(self) -> None:
        self._state = dataclasses.replace(
            self._known,
            written=self.progress_at(self.position),
            intent=None,
            file_since_s=self.clock.time_s(),
        )
        self._measure_files()
        self.sync()

    def _measure_files(self) -> None:
        self.metrics.set("output_size_bytes", self.output.size_bytes)
        self.metrics.set("archives", self.output.count_archives())

    def _settle(self) -> None:
        now_s = self.clock.monotonic_s()
        until_s = now_s + self.rotation.pause_s(now_s - self._rotated_s)
        while (left_s := until_s - self.clock.monotonic_s()) > 0:
            self.metrics.heartbeat(self.clock)
            if self.stop.wait(min(left_s, _SETTLE_STEP_S)):
                raise Stopped

    def _delete_oldest(self) -> None:
        try:
            if self.output.delete_oldest():
                self.metrics.set("archives", self.output.count_archives())
                _LOG.warning("deleted the oldest archive of %s to free space", self.output.path)
        except OutputError as error:
            _LOG.warning("%s", error)
