"""Finds the journal files that kill the process that reads them, so that they can be set aside.

A file on a bad sector causes SIGBUS whenever its mapping is read, and a malformed file has made libsystemd
abort (fluent-bit issue 4268). A worker that is replaced again and again would never get past such a file.
"""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

PROBE_S = 20
"""Reading a file of 128 MiB takes a second or two. A probe that takes longer than this is killed, and its
file counts as slow, not as deadly. Below the default of ``--live-timeout-s``."""


def deadly_files(paths: Iterable[Path], probe: Callable[[Path], None]) -> frozenset[Path]:
    """Return the files for which ``probe``, in a process of its own, is killed by a signal."""
    return frozenset(path for path in paths if _kills(probe, path))


def _kills(probe: Callable[[Path], None], path: Path) -> bool:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PROBE_S)
        try:
            probe(path)
        finally:
            # An exception is not a crash: the reader can handle it, and the file stays.
            os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM
