"""Finds the journal files that kill whoever reads them, so that they can be set aside.

A file on a bad sector gives SIGBUS at every touch of its mapping, and a malformed one has made libsystemd
abort (fluent-bit issue 4268). A worker that is replaced again and again would never get past it.
"""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

PROBE_S = 20
"""Reading a file of 128 MiB takes a second or two; a probe that takes so long is ended, and its file is
slow, not deadly. Below the default of ``--live-timeout-s``."""


def culprits(paths: Iterable[Path], probe: Callable[[Path], None]) -> frozenset[Path]:
    """Return the files at which ``probe``, run in a process of its own, is killed by a signal."""
    return frozenset(path for path in paths if _kills(probe, path))


def _kills(probe: Callable[[Path], None], path: Path) -> bool:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PROBE_S)
        try:
            probe(path)
        finally:
            # An exception is no crash: the reader can handle it, the file stays.
            os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM
