"""Starts and ends child processes of a supervisor that handles its signals synchronously.

Guarantees: a child never runs its parent's clean-up code, and signals that end the parent do not reach it.
It ends when the parent closes the stop pipe, or is gone.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from journal_exporter import exit_codes
from journal_exporter.errors import BlockedError, ConfigError, OutputError

_LOG = logging.getLogger(__name__)
_END_S = 1.0
EXIT_REPLACE = 75
"""EX_TEMPFAIL of sysexits(3): a worker asks to be replaced. The supervisor never returns it."""
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SIGNALS = (signal.SIGCHLD, *END_SIGNALS)
"""Blocked in the supervisor, which waits for them."""


def fork(body: Callable[[], None], stop_fd: int) -> int:
    """Run ``body`` in a child, and return the child's process id.

    The child closes ``stop_fd``, the parent's end of the stop pipe. Errors decide the child's exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # None where it was closed before the start.
        if stream is not None:
            stream.flush()
    pid = os.fork()
    if pid:
        return pid
    code = exit_codes.ERROR
    try:
        os.close(stop_fd)
        # Only the supervisor acts on a signal to the whole group: the pipe ends the others.
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        code = _code_of(body)
    finally:
        # Any other exception is a bug: print it, and skip the parent's clean-up.
        if sys.exc_info()[0] is not None:
            sys.excepthook(*sys.exc_info())
        if sys.stderr is not None:
            sys.stderr.flush()
        os._exit(code)


def _code_of(body: Callable[[], None]) -> int:
    """Run ``body``, and return the exit code that its end means."""
    try:
        body()
    except ConfigError as error:
        for problem in error.problems:
            _LOG.error("%s", problem)
        return exit_codes.ERROR
    except BlockedError as error:
        _LOG.error("%s", error)
        return exit_codes.ERROR
    except OutputError as error:
        _LOG.error("%s; replacing the worker", error)
        return EXIT_REPLACE
    return exit_codes.SUCCESS


def cause_of_end(status: int) -> str:
    """Return the name of the signal that ended a child, or ``error``; ``status`` is that of wait(2)."""
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return "error"


def ended() -> list[tuple[int, int]]:
    """Return process id and status of each child that ended since the last call."""
    found = []
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(child)
    return found


def end(pid: int) -> None:
    """Wait for a child that was asked to end; kill it after a second."""
    until_s = time.monotonic() + _END_S
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > until_s:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            signal.sigtimedwait(SIGNALS, 0.05)
