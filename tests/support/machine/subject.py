"""The exporter under test: its worker in a separate process, which waits between two steps.

The worker is the real one, `worker.run`, with a clock and a stop that the test controls. It runs until it is
idle and then waits for the next command. SIGKILL can hit it at any call of clock or stop. The other modules
of the model don't know how the exporter is built.
"""

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from journal_exporter.config import Settings
from journal_exporter.errors import OutputError
from journal_exporter.monitoring import health
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.process import worker
from journal_exporter.status import collect
from tests.support.machine.kept_output import KeptOutput
from tests.support.machine.stepping import COMMAND, IDLE, RUN, STOP, SteppedWorker

__all__ = ["Subject", "SubjectError"]

_DEADLINE_S = 30.0
_MAX_DEATHS = 6
_REPLACE, _BUG = 70, 71


class SubjectError(AssertionError):
    """The exporter failed, or does not become idle."""


class _Metrics(SharedMetrics):
    """Calls ``on_rotation`` after each rotation of the output."""

    on_rotation: Callable[[], None]

    def add(self, name: str, amount: float = 1, value: str = "") -> None:
        super().add(name, amount, value)
        if name == "rotations":
            self.on_rotation()


class Subject:
    """One exporter with its output and state below ``base``; ``close`` it.

    ``time_s`` is the machine's realtime clock. No line is ever lost to retention: archives are kept.
    """

    def __init__(
        self, base: Path, root: Path, time_s: Callable[[], float], *, max_bytes: int = 1 << 20
    ) -> None:
        self._time_s = time_s
        self._log = base / "exporter.log"
        (base / "state").mkdir(parents=True)
        self._settings = Settings(
            journal_root=root,
            start="head",
            output=base / "log" / "messages",
            state_directory=base / "state",
            max_priority="debug",
            exclude_facility=(),
            max_bytes=max_bytes,
            keep_files=9,
            rotation_settle_s=0.0,
            rotation_interval_s=0.0,
        )
        self.output = KeptOutput(self._settings.output, base / "kept")
        self._metrics = _Metrics()
        self._metrics.on_rotation = self.output.keep_archives
        self._now_s = 1000.0
        self._pid = self._commands = self._reports = 0
        self._boot_id = ""
        self.deaths: list[str] = []
        """The causes of death of workers that the test did not kill."""

    @property
    def is_alive(self) -> bool:
        """Whether there is a worker."""
        return self._pid != 0

    def start(self, boot_id: str) -> None:
        """Start a worker, which does nothing before `run_until_idle`."""
        command_read, self._commands = os.pipe()
        self._reports, report_write = os.pipe()
        self._boot_id = boot_id
        self._metrics.recovered = False
        self._metrics.output_unblocked()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(self._commands)
            os.close(self._reports)
            self._live(command_read, report_write)
        os.close(command_read)
        os.close(report_write)
        self._pid = pid

    def run_until_idle(self, kill_at: int = -1) -> bool:
        """Run until nothing is left to do; return False if it was killed at the call ``kill_at``.

        A worker that dies is replaced, as the supervisor does.

        Raises:
            SubjectError: it fails repeatedly, or does not become idle.
        """
        for _ in range(_MAX_DEATHS):
            self._send(RUN, kill_at)
            ready, _, _ = select.select([self._reports], [], [], _DEADLINE_S)
            if not ready:
                self.kill()
                raise SubjectError(f"the exporter does not become idle\n{self.log()}")
            if os.read(self._reports, 1) == IDLE:
                return True
            code = self._reap()
            if code == -signal.SIGKILL:
                return False
            self.deaths.append(signal.Signals(-code).name if code < 0 else str(code))
            if code >= 0 and code != _REPLACE:
                raise SubjectError(f"the exporter ended with {code}\n{self.log()}")
            self.start(self._boot_id)
        self.kill()
        raise SubjectError(f"worker after worker ended by {self.deaths}\n{self.log()}")

    def stop(self) -> None:
        """Stop the worker, and wait until it has ended."""
        self._send(STOP, -1)
        code = self._reap()
        if code:
            raise SubjectError(f"a worker that was asked to end ended with {code}\n{self.log()}")

    def kill(self) -> None:
        """Kill the worker."""
        os.kill(self._pid, signal.SIGKILL)
        self._reap()

    def restart(self, boot_id: str) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start(boot_id)

    def close(self) -> None:
        """Kill what still runs."""
        if self.is_alive:
            self.kill()

    def lost(self) -> int:
        """Return how many entries it reports as lost."""
        found: int = collect(self._settings.state_directory)["gaps"]["lost_entries"]
        return found

    def ready(self) -> bool:
        """Whether /readyz would answer 200."""
        return health.ready(self._metrics, max_lag_s=self._settings.ready_max_lag_s).ok

    def lag_entries(self) -> float:
        """Return the number of unread entries that it reports."""
        return self._metrics.get("lag_entries")

    def says_all_is_read(self) -> bool:
        """Whether it reports that it is ready and has no lag."""
        return self.ready() and self.lag_entries() == 0

    def lines(self) -> list[bytes]:
        """Return the lines of all files, the oldest first."""
        return self.output.lines()

    def log(self) -> str:
        """Return the end of what it logged."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def _send(self, command: bytes, kill_at: int) -> None:
        self._now_s += 1.0
        os.write(self._commands, COMMAND.pack(command, kill_at, self._time_s(), self._now_s))

    def _reap(self) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._commands)
        os.close(self._reports)
        self._pid = 0
        return code

    def _live(self, commands: int, reports: int) -> NoReturn:
        """Be the worker."""
        code = _BUG
        try:
            with self._log.open("ab", buffering=0) as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            control = SteppedWorker(commands, reports, self._metrics)
            worker.run(
                self._settings, self._metrics, clock=control, stop=control, boot_id=self._boot_id
            )
            code = 0
        except OutputError as error:
            os.write(2, f"{error}\n".encode())
            code = _REPLACE
        finally:
            if code == _BUG:
                os.write(2, traceback.format_exc().encode())
            os._exit(code)
