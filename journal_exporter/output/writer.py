"""The order of writing: note the intent, append, and only then read on; sync now and then; rotate.

Guarantees: whatever instant the process ends at, the checkpoint and the files together say exactly
which entries are in the output. While the disk refuses, nothing is dropped and nothing is read: the
call does not return, the journal is the buffer.
"""

import dataclasses
import logging
from collections.abc import Callable
from typing import TypeVar

from journal_exporter.clock import Clock, Stop
from journal_exporter.errors import OutputError
from journal_exporter.journal.batch import Position
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import CheckpointFile, Intent, Progress, State
from journal_exporter.output.rotating_file import RotatingFile

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
RETRY_S = 1.0
SYNC_S = 5.0
SYNC_BYTES = 16 << 20
_SETTLE_STEP_S = 0.25


class Stopped(Exception):  # noqa: N818
    """Stop was asked for in the middle of a wait; what is not committed is read again next time."""


class _ReplacedError(Exception):
    """The file has lost its name, or its bytes: what waits belongs into another one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rotation:
    """When the live file is rotated; 0 for an age means never."""

    max_bytes: int
    max_age_s: float = 0.0
    settle_s: float = 0.0
    min_interval_s: float = 1.0


class Writer:
    """Owns what the checkpoint says. Raises ``Stopped`` from anything that waits.

    ``prepare`` is done before the first state is stored, ``while_blocked`` between two attempts.
    """

    def __init__(
        self,
        *,
        output: RotatingFile,
        checkpoint: CheckpointFile,
        rotation: Rotation,
        metrics: SharedMetrics,
        clock: Clock,
        stop: Stop,
        prepare: Callable[[], None] = lambda: None,
        while_blocked: Callable[[Position], object] = lambda _position: None,
    ) -> None:
        self.output = output
        self._while_blocked = while_blocked
        self._prepare = prepare
        self._checkpoint = checkpoint
        self._rotation = rotation
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._state: State | None = None
        self._synced_s = clock.monotonic_s()
        self._rotated_s = clock.monotonic_s() - rotation.min_interval_s
        self._unsynced_bytes = 0
        self._blocked = False

    def open(self) -> None:
        """Open the output; while that can't be done, wait."""
        self._insist(self.output.open)

    def begin(self, state: State) -> None:
        """Take up from a state whose ``written`` progress is the output's very end."""
        self._insist(self._prepare, frees=False)
        self._insist(self.output.retain)
        self._state = dataclasses.replace(state, intent=None)
        self._metrics.set("output_size_bytes", self.output.size_bytes)
        self._metrics.set("archives", self.output.count_archives())
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
        """How much still fits into the live file; an empty file takes one line of any length."""
        return self._rotation.max_bytes - self.output.size_bytes

    def here(self, position: Position) -> Progress:
        """Return the progress of the output's end."""
        return Progress(position, self.insist(lambda: self.output.id), self.output.size_bytes)

    def insist(self, look: Callable[[], T]) -> T:
        """Return what ``look`` finds; while the disk refuses, wait."""
        found: list[T] = []
        self._insist(lambda: found.append(look()), frees=False)
        return found[0]

    def commit(self, data: bytes, position: Position, lines: int) -> None:
        """Append ``data``, the ``lines`` of all entries up to ``position``."""
        before = self._known
        if not data:
            # Nothing to tell the files by, so nothing must be durable at once.
            written = dataclasses.replace(before.written, position=position)
            self._state = dataclasses.replace(before, written=written, intent=None)
            self._unsynced_bytes += 1
            return
        while data:
            self.reopen_if_replaced()
            intent = Intent(position, self.output.size_bytes + len(data))
            self._state = dataclasses.replace(self._known, intent=intent)
            self._store()
            data = self._append(data)
        self._state = dataclasses.replace(self._known, written=self.here(position), intent=None)
        self._metrics.add("lines_written", lines)

    def _append(self, data: bytes) -> bytes:
        """Append; return the lines that are left where our file went away while the disk refused."""
        self.output.put(data)
        try:
            self._insist(self.output.flush, given_up=self._is_replaced)
        except _ReplacedError:
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
        self._metrics.add("written_bytes", size_bytes)
        self._metrics.set("output_size_bytes", self.output.size_bytes)

    def append(self, data: bytes) -> None:
        """Append without a word in the checkpoint: for recovery, which vouches for it afterwards."""
        if not data:
            return
        self.output.put(data)
        self._insist(self.output.flush)
        self._count_bytes(len(data))

    def _store(self) -> None:
        state = self._known
        self._insist(lambda: self._checkpoint.store(state), frees=False)

    def sync(self) -> None:
        """Make the output durable, then the checkpoint that vouches for it."""
        self._insist(self.output.sync)
        self._state = dataclasses.replace(self._known, durable=self._known.written)
        self._store()
        self._insist(self._checkpoint.sync, frees=False)
        self._synced_s = self._clock.monotonic_s()
        self._unsynced_bytes = 0
        self._metrics.set("checkpoint_timestamp_seconds", self._clock.time_s())

    def sync_if_due(self) -> None:
        """Sync when there is something to sync and it is time."""
        due = self._clock.monotonic_s() - self._synced_s >= SYNC_S
        if self._unsynced_bytes and (due or self._unsynced_bytes > SYNC_BYTES):
            self.sync()

    def rotate_if_old(self) -> None:
        """Rotate a file that is older than the limit and holds something."""
        age_s = self._clock.time_s() - self._known.file_since_s
        if self._rotation.max_age_s and age_s > self._rotation.max_age_s and self.output.size_bytes:
            self.rotate()

    def rotate(self) -> None:
        """Let readers catch up, then begin a new file."""
        self.sync()
        self._settle()
        size_bytes = self.output.size_bytes
        self._insist(self.output.rotate)
        self._rotated_s = self._clock.monotonic_s()
        self._metrics.add("rotations")
        _LOG.info("rotated %s at %d bytes", self.output.path, size_bytes)
        self._begin_file()

    def reopen_if_replaced(self) -> None:
        """Begin a new file where somebody else removed or renamed ours."""
        if self.insist(self.output.is_replaced):
            _LOG.warning("%s was removed, renamed or emptied by somebody else", self.output.path)
            self._insist(self.output.open)
            self._begin_file()

    def _begin_file(self) -> None:
        self._state = dataclasses.replace(
            self._known,
            written=self.here(self.position),
            intent=None,
            file_since_s=self._clock.time_s(),
        )
        self._metrics.set("output_size_bytes", self.output.size_bytes)
        self._metrics.set("archives", self.output.count_archives())
        self.sync()

    def _settle(self) -> None:
        waited_s = self._clock.monotonic_s() - self._rotated_s
        settle_s = max(self._rotation.settle_s, self._rotation.min_interval_s - waited_s)
        until_s = self._clock.monotonic_s() + settle_s
        while (left_s := until_s - self._clock.monotonic_s()) > 0:
            self._heartbeat()
            if self._stop.wait(min(left_s, _SETTLE_STEP_S)):
                raise Stopped

    def _heartbeat(self) -> None:
        self._metrics.heartbeat(self._clock.monotonic_s(), self._clock.time_s())

    def _insist(
        self,
        action: Callable[[], None],
        *,
        frees: bool = True,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Do it until it succeeds; ``frees``: deleting an archive may help.

        Raises ``_ReplacedError`` when ``given_up`` says so between two attempts.
        """
        since_s = self._clock.monotonic_s()
        while True:
            try:
                action()
            except OutputError as error:
                self._tell_blocked(error)
                if frees and error.is_full:
                    self._delete_oldest()
                stopped = self._stop.wait(RETRY_S)
                now_s = self._clock.monotonic_s()
                self._metrics.output_blocked(error.reason, now_s - since_s)
                since_s = now_s
                self._heartbeat()
                if stopped:
                    raise Stopped from error
                self._while_blocked(self._state.written.position if self._state else Position(None))
                if given_up():
                    raise _ReplacedError from error
            else:
                break
        if self._blocked:
            self._blocked = False
            self._metrics.output_unblocked()
            _LOG.warning("writing again")

    def _tell_blocked(self, error: OutputError) -> None:
        if not self._blocked:
            _LOG.error("%s; holding, nothing is lost while the journal keeps it", error)
        self._blocked = True
        self._metrics.output_blocked(error.reason, 0.0)

    def _delete_oldest(self) -> None:
        try:
            if self.output.delete_oldest():
                self._metrics.set("archives", self.output.count_archives())
                _LOG.warning("deleted the oldest archive of %s to make room", self.output.path)
        except OutputError as error:
            _LOG.warning("%s", error)
