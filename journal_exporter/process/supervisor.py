"""Starts the worker and the HTTP process, and replaces those that die.

Guarantees: a worker that dies of a signal is replaced within milliseconds, by a fork. (libsystemd's SIGBUS
is one, when journald truncates a mapped file.) A worker that dies again without progress is replaced after
a growing pause. The preflight finds every problem that a restart can't fix before anything starts. The
supervisor has no threads, so it can fork at any time.

The processes share the memory of the metrics, and the lock on the state directory. When the supervisor is
gone, its end of the stop pipe is closed, and the other processes end.
"""

import contextlib
import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from journal_exporter import exit_codes
from journal_exporter.clock import Clock, PipeStop, SystemClock
from journal_exporter.config import Loaded, Settings
from journal_exporter.journal import quarantine
from journal_exporter.journal.files import file_key, find_files
from journal_exporter.journal.opening import read_all_entries
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.process import children, preflight, worker
from journal_exporter.process.state_lock import StateLock

_LOG = logging.getLogger(__name__)
_MAX_PAUSE_S = 10.0
_GRACE_S = 20.0
"""For a worker that syncs to a slow disk; Kubernetes' own grace period is 30 s."""
_STOP_STEP_S = 0.5
_DEATHS_BEFORE_PROBE = 3


def boot_id() -> str:
    """Return the kernel's boot id, which shows whether the machine restarted since the last run."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")


def run(loaded: Loaded) -> int:
    """Run the exporter; return its exit code.

    Raises:
        ConfigError: it can't start, with every reason.
    """
    with contextlib.ExitStack() as stack:
        lock, listener = preflight.start(loaded, stack)
        return Supervisor(loaded.settings, lock, listener).run()


class Supervisor:
    """Keeps one worker running, and one HTTP process if there is an address."""

    def __init__(self, settings: Settings, lock: StateLock, listener: socket.socket | None) -> None:
        self._settings = settings
        self._lock = lock
        self._listener = listener
        self._clock: Clock = SystemClock()
        self._metrics = SharedMetrics()
        self._stop, self._stop_fd = PipeStop.pipe()
        self._worker_pid = 0
        self._http_pid = 0
        self._stopping = False
        self._stuck_deaths = 0
        self._read_at_death = -1.0
        self._set_aside: frozenset[str] = frozenset()
        self._probe_pid = 0
        self._report_fd = -1
        self._stop_until_s = 0.0

    def run(self) -> int:
        """Start the processes, replace those that die, and return the exit code when the worker has ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, children.SIGNALS)
        gc.collect()
        # Objects that exist now stay shared with the children, because no collection visits them.
        gc.freeze()
        self._metrics.heartbeat(self._clock)
        if self._listener is not None:
            self._http_pid = children.fork(self._serve, self._stop_fd)
        self._worker_pid = children.fork(self._work, self._stop_fd)
        try:
            return self._supervise()
        finally:
            self._end_children()

    def _supervise(self) -> int:
        while True:
            ended = children.ended()
            if not ended and self._stopping and time.monotonic() > self._stop_until_s:
                _LOG.error(
                    "the worker did not end within %.0f s; the next run resumes from the checkpoint",
                    _GRACE_S,
                )
                return exit_codes.ERROR
            if not ended:
                self._wait_for_signal(_STOP_STEP_S if self._stopping else None)
            for pid, status in ended:
                if pid == self._http_pid and not self._stopping:
                    _LOG.error(
                        "the HTTP process ended (%s); restarting it", children.cause_of_end(status)
                    )
                    self._pause(1.0)
                    self._http_pid = (
                        0 if self._stopping else children.fork(self._serve, self._stop_fd)
                    )
                elif pid == self._probe_pid:
                    self._take_probe_result()
                elif pid == self._worker_pid:
                    code = self._worker_ended(status)
                    if code is not None:
                        return code

    def _worker_ended(self, status: int) -> int | None:
        """Replace the worker, or return the exit code if another worker would not help."""
        self._worker_pid = 0
        code = os.waitstatus_to_exitcode(status)
        if code in (exit_codes.SUCCESS, exit_codes.ERROR):
            return code
        cause = children.cause_of_end(status)
        self._metrics.worker_replaced(cause)
        if self._stopping:
            return exit_codes.ERROR
        read = self._metrics.get("entries_read")
        self._stuck_deaths = self._stuck_deaths + 1 if read == self._read_at_death else 0
        self._read_at_death = read
        if self._settings.once and self._stuck_deaths > _DEATHS_BEFORE_PROBE:
            _LOG.error("the worker ended (%s) without progress; giving up", cause)
            return exit_codes.ERROR
        pause_s = min(0.1 * 2**self._stuck_deaths, _MAX_PAUSE_S) if self._stuck_deaths else 0.0
        _LOG.warning("the worker ended (%s); starting another in %.1f s", cause, pause_s)
        self._pause(pause_s)
        if self._stopping:
            return exit_codes.SUCCESS
        if self._stuck_deaths and self._stuck_deaths % _DEATHS_BEFORE_PROBE == 0:
            self._start_probe()
        else:
            self._worker_pid = children.fork(self._work, self._stop_fd)
        return None

    def _start_probe(self) -> None:
        """Find the file that kills its readers: several workers in a row died at the same place."""
        self._report_fd, write_fd = os.pipe2(os.O_CLOEXEC)

        def find_deadly_files() -> None:
            found = quarantine.deadly_files(
                self._with_heartbeats(self._journal()), read_all_entries
            )
            os.write(write_fd, "\n".join(file_key(path) for path in found).encode())

        self._probe_pid = children.fork(find_deadly_files, self._stop_fd)
        os.close(write_fd)

    def _take_probe_result(self) -> None:
        """Set the files aside that the probe found, and start a worker without them."""
        self._probe_pid = 0
        with os.fdopen(self._report_fd) as report:
            self._set_aside = frozenset(report.read().split("\n")) - {""}
        for path in self._journal():
            if file_key(path) in self._set_aside:
                _LOG.error("journal file %s kills its readers; it is set aside", path)
        if not self._stopping:
            self._worker_pid = children.fork(self._work, self._stop_fd)

    def _journal(self) -> list[Path]:
        return find_files(self._settings.journal_directories)

    def _with_heartbeats(self, paths: Iterable[Path]) -> Iterator[Path]:
        for path in paths:
            self._metrics.heartbeat(self._clock)
            yield path

    def _wait_for_signal(self, timeout_s: float | None) -> None:
        """Take one signal; a request to end closes the pipe that the other processes watch."""
        if timeout_s is None:
            info: signal.struct_siginfo | None = signal.sigwaitinfo(children.SIGNALS)
        else:
            info = signal.sigtimedwait(children.SIGNALS, timeout_s)
        if info is not None and info.si_signo != signal.SIGCHLD and not self._stopping:
            self._stopping = True
            self._stop_until_s = time.monotonic() + _GRACE_S
            os.close(self._stop_fd)

    def _pause(self, pause_s: float) -> None:
        until_s = time.monotonic() + pause_s
        while not self._stopping and (left_s := until_s - time.monotonic()) > 0:
            self._wait_for_signal(left_s)

    def _work(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._metrics.recovered = False
        self._metrics.output_unblocked()
        worker.run(
            self._settings,
            self._metrics,
            clock=self._clock,
            stop=self._stop,
            boot_id=boot_id(),
            set_aside=self._set_aside,
            renew_lock=self._lock.renew,
        )

    def _serve(self) -> None:
        # Imported here, in the process that serves, so that the other processes stay small.
        from journal_exporter.monitoring import server  # noqa: PLC0415

        if self._listener is None:
            raise RuntimeError("no address to serve")
        application = server.Application(
            self._metrics,
            live_timeout_s=self._settings.live_timeout_s,
            max_lag_s=self._settings.ready_max_lag_s,
        )
        listener = self._listener
        threading.Thread(target=server.serve, args=(listener, application), daemon=True).start()
        self._stop.wait(None)

    def _end_children(self) -> None:
        if not self._stopping:
            os.close(self._stop_fd)
        self._stopping = True
        for pid in (self._worker_pid, self._probe_pid, self._http_pid):
            if pid:
                children.end(pid)
