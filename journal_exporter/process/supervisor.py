"""The composition root: the supervisor, the worker and the HTTP process.

Guarantees: a worker that dies of a signal (libsystemd's SIGBUS, when journald truncates a file that is
mapped) is replaced within milliseconds, by a fork; one that dies again without having got further, after
a growing pause. Every problem that a restart can't cure is found before anything is started and ends
with exit code 2. The supervisor has no threads, so forking is safe at any time.

The processes share memory for the numbers and a lock on the state directory. When the supervisor goes,
the closed pipe tells the others to go too.
"""

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from journal_exporter.clock import Clock, PipeStop, SystemClock
from journal_exporter.config import Loaded, Settings
from journal_exporter.errors import ConfigError, JournalError, OutputError
from journal_exporter.journal import quarantine
from journal_exporter.journal.files import file_key, find_files, journal_directories
from journal_exporter.journal.libsystemd import read_all_entries
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.process import preflight, worker

_LOG = logging.getLogger(__name__)
EXIT_OK, EXIT_FAILED, EXIT_CONFIG = 0, 1, 2
EXIT_REPLACE = 75
"""EX_TEMPFAIL of sysexits(3): a worker that wants to be replaced."""
_MAX_PAUSE_S = 10.0
_GRACE_S = 20.0
"""For a worker that syncs to a slow disk; Kubernetes' own grace is 30 s."""
_REAP_S = 1.0
_STOP_STEP_S = 0.5
_SUSPICIOUS_DEATHS = 3
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def boot_id() -> str:
    """Return the kernel's boot id; it tells a restart from a power cut."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")


def run(loaded: Loaded) -> int:
    """Run the exporter; return its exit code.

    Raises:
        ConfigError: it can't start, with every reason.
    """
    with contextlib.ExitStack() as stack:
        listener = preflight.start(loaded, stack)
        return Supervisor(loaded.settings, listener).run()


class Supervisor:
    """Keeps one worker, and one HTTP process if there is an address."""

    def __init__(self, settings: Settings, listener: socket.socket | None) -> None:
        self._settings = settings
        self._listener = listener
        self._clock: Clock = SystemClock()
        self._metrics = SharedMetrics()
        self._stop, self._holder_fd = PipeStop.pipe()
        self._worker_pid = 0
        self._http_pid = 0
        self._stopping = False
        self._fruitless = 0
        self._read_at_death = -1.0
        self._set_aside: frozenset[str] = frozenset()
        self._prober_pid = 0
        self._report_fd = -1
        self._stop_until_s = 0.0

    def run(self) -> int:
        """Start the processes, replace those that die, end when the worker is done."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        gc.collect()
        # What exists now is shared with the children as long as no collection touches it.
        gc.freeze()
        self._metrics.heartbeat(self._clock.monotonic_s(), self._clock.time_s())
        if self._listener is not None:
            self._http_pid = self._fork(self._serve)
        self._worker_pid = self._fork(self._work)
        try:
            return self._supervise()
        finally:
            self._end_children()

    def _supervise(self) -> int:
        while True:
            ended = _ended_children()
            if not ended and self._stopping and time.monotonic() > self._stop_until_s:
                _LOG.error("the worker did not end in time; the next start goes on from there")
                return EXIT_FAILED
            if not ended:
                self._wait_for_signal(_STOP_STEP_S if self._stopping else None)
            for pid, status in ended:
                if pid == self._http_pid and not self._stopping:
                    _LOG.error("the HTTP process ended (%s); starting it again", _cause(status))
                    self._pause(1.0)
                    self._http_pid = 0 if self._stopping else self._fork(self._serve)
                elif pid == self._prober_pid:
                    self._probed()
                elif pid == self._worker_pid:
                    code = self._worker_ended(status)
                    if code is not None:
                        return code

    def _worker_ended(self, status: int) -> int | None:
        """Replace the worker; or return the exit code when that is no use."""
        self._worker_pid = 0
        code = os.waitstatus_to_exitcode(status)
        if code in (EXIT_OK, EXIT_FAILED, EXIT_CONFIG):
            return code
        cause = _cause(status)
        self._metrics.worker_replaced(cause)
        if self._stopping:
            return EXIT_FAILED
        read = self._metrics.get("entries_read")
        self._fruitless = self._fruitless + 1 if read == self._read_at_death else 0
        self._read_at_death = read
        pause_s = min(0.1 * 2**self._fruitless, _MAX_PAUSE_S) if self._fruitless else 0.0
        _LOG.warning("the worker ended (%s); starting another in %.1f s", cause, pause_s)
        self._pause(pause_s)
        if self._stopping:
            return EXIT_OK
        if self._fruitless and self._fruitless % _SUSPICIOUS_DEATHS == 0:
            self._probe()
        else:
            self._worker_pid = self._fork(self._work)
        return None

    def _probe(self) -> None:
        """Several workers in a row died at one place: see which file kills its readers."""
        self._report_fd, write_fd = os.pipe2(os.O_CLOEXEC)

        def find_culprits() -> int:
            found = quarantine.deadly_files(self._beating(self._journal()), read_all_entries)
            os.write(write_fd, "\n".join(file_key(path) for path in found).encode())
            return EXIT_OK

        self._prober_pid = self._fork(find_culprits)
        os.close(write_fd)

    def _probed(self) -> None:
        """Take the prober's answer, and start a worker that leaves those files alone."""
        self._prober_pid = 0
        with os.fdopen(self._report_fd) as report:
            self._set_aside = frozenset(report.read().split("\n")) - {""}
        for path in self._journal():
            if file_key(path) in self._set_aside:
                _LOG.error("journal file %s kills its readers; it is set aside", path)
        if not self._stopping:
            self._worker_pid = self._fork(self._work)

    def _journal(self) -> list[Path]:
        return find_files(
            journal_directories(
                root=self._settings.journal_root, directory=self._settings.journal_directory
            )
        )

    def _beating(self, paths: Iterable[Path]) -> Iterator[Path]:
        for path in paths:
            self._metrics.heartbeat(self._clock.monotonic_s(), self._clock.time_s())
            yield path

    def _wait_for_signal(self, timeout_s: float | None) -> None:
        """Take one signal; a request to end closes the pipe that the others watch."""
        if timeout_s is None:
            info: signal.struct_siginfo | None = signal.sigwaitinfo(_SIGNALS)
        else:
            info = signal.sigtimedwait(_SIGNALS, timeout_s)
        if info is not None and info.si_signo != signal.SIGCHLD and not self._stopping:
            self._stopping = True
            self._stop_until_s = time.monotonic() + _GRACE_S
            os.close(self._holder_fd)

    def _pause(self, pause_s: float) -> None:
        until_s = time.monotonic() + pause_s
        while not self._stopping and (left_s := until_s - time.monotonic()) > 0:
            self._wait_for_signal(left_s)

    def _fork(self, body: Callable[[], int]) -> int:
        for stream in (sys.stdout, sys.stderr):
            # None where it was closed before the start.
            if stream is not None:
                stream.flush()
        pid = os.fork()
        if pid:
            return pid
        code = EXIT_FAILED
        try:
            os.close(self._holder_fd)
            # A signal to the whole group is the supervisor's to obey: the others end by the pipe.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = body()
        except ConfigError as error:
            for problem in error.problems:
                _LOG.error("%s", problem)
            code = EXIT_CONFIG
        except (JournalError, OutputError) as error:
            _LOG.error("%s; the worker gives up", error)
            code = EXIT_REPLACE
        finally:
            # Anything else is a bug: show it, and leave without the parent's clean-up.
            if sys.exc_info()[0] is not None:
                sys.excepthook(*sys.exc_info())
            if sys.stderr is not None:
                sys.stderr.flush()
            os._exit(code)

    def _work(self) -> int:
        if self._listener is not None:
            self._listener.close()
        self._metrics.recovered = False
        self._metrics.output_unblocked()
        work = worker.Work(self._settings, self._metrics, self._clock, boot_id(), self._set_aside)
        worker.run(work, self._stop)
        return EXIT_OK

    def _serve(self) -> int:
        # Imported here, in the process that serves: the others stay small.
        from journal_exporter.monitoring import server  # noqa: PLC0415

        if self._listener is None:
            raise RuntimeError("there is no address to serve")
        application = server.Application(
            self._metrics,
            live_timeout_s=self._settings.live_timeout_s,
            max_lag_s=self._settings.ready_max_lag_s,
        )
        listener = self._listener
        threading.Thread(target=server.serve, args=(listener, application), daemon=True).start()
        self._stop.wait(None)
        return EXIT_OK

    def _end_children(self) -> None:
        if not self._stopping:
            os.close(self._holder_fd)
        self._stopping = True
        for pid in (self._worker_pid, self._prober_pid, self._http_pid):
            if pid:
                _reap(pid)


def _cause(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return "error"


def _ended_children() -> list[tuple[int, int]]:
    ended = []
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append(child)
    return ended


def _reap(pid: int) -> None:
    """Wait for a child that was told to end; kill it when it does not."""
    until_s = time.monotonic() + _REAP_S
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > until_s:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            signal.sigtimedwait(_SIGNALS, 0.05)
