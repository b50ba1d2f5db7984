"""A clock and a stop that let a test step the exporter's worker, and kill it at any point.

The worker calls both in every iteration and before everything that it does to a file. When the worker has
nothing left to do, it waits for the next command. Time passes only when these calls let it.
"""

import os
import signal
import struct

from journal_exporter.monitoring.metrics import SharedMetrics

__all__ = ["COMMAND", "IDLE", "RUN", "STOP", "SteppedWorker"]

COMMAND = struct.Struct("<cqdd")
"""The command, the number of calls until the kill, and both clocks in seconds."""
RUN, STOP, IDLE = b"r", b"s", b"i"
_QUIET_ITERATIONS = 5
_SKIP_S = 6.0
"""More than the interval between two scans of the journal's files."""
_TICK_S = 1e-4


class SteppedWorker:
    """Clock and stop of a worker, in the worker's process; ``commands`` and ``reports`` are pipes."""

    def __init__(self, commands: int, reports: int, metrics: SharedMetrics) -> None:
        self._commands, self._reports = commands, reports
        self._metrics = metrics
        self._epoch_s = self._now_s = 0.0
        self._left = -1
        self._quiet = 0
        self._progress = (-1.0, -1.0)
        self._stopped = False
        # Always readable, so that the reader's waits return at once.
        self.fd = os.open("/dev/zero", os.O_RDONLY)
        self._obey()

    def monotonic_s(self) -> float:
        self._pass_point()
        return self._now_s

    def time_s(self) -> float:
        self._pass_point()
        return self._epoch_s

    def is_set(self) -> bool:
        progress = (self._metrics.get("entries_read"), self._metrics.get("lines_written"))
        self._quiet = self._quiet + 1 if progress == self._progress else 0
        self._progress = progress
        if self._quiet:
            self._advance(_SKIP_S)
        if self._quiet >= _QUIET_ITERATIONS:
            os.write(self._reports, IDLE)
            self._obey()
        return self._stopped

    def wait(self, timeout_s: float | None) -> bool:
        self._advance(timeout_s or 0.0)
        return self._stopped

    def _advance(self, seconds: float) -> None:
        self._epoch_s += seconds
        self._now_s += seconds

    def _pass_point(self) -> None:
        self._advance(_TICK_S)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _obey(self) -> None:
        data = os.read(self._commands, COMMAND.size)
        if not data:
            os._exit(0)  # The test has ended.
        command, self._left, epoch_s, now_s = COMMAND.unpack(data)
        self._epoch_s, self._now_s = epoch_s, max(now_s, self._now_s)
        self._stopped = command == STOP
        self._quiet = 0
