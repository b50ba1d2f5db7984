"""Daemons in a mount namespace of their own, from the machine's packages or from another root.

A daemon sees directories of the test at the paths that it expects (``/var/log``). Nothing is left behind: the
mounts end with the daemon, and the daemon ends with the test, even if the test is killed.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import wait_for

__all__ = ["Daemon", "StackError"]

TIMEOUT_S = 30.0

# In another root a daemon needs the kernel's file systems. PR_SET_PDEATHSIG must be set last, because the
# kernel clears it when credentials change.
_ENTER = """
root=$1; shift
if [ "$root" != / ]; then
    for path in /proc /sys /dev; do mount --no-mtab --rbind "$path" "$root$path"; done
fi
while [ "$1" != -- ]; do mount --no-mtab --bind "$1" "$root/$2"; shift 2; done
shift
exec chroot "$root" "$@"
"""


class StackError(RuntimeError):
    """A daemon or the API of the stack failed."""


class Daemon:
    """One process and its children; ``mounts`` has directories of the test and their paths inside."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        root: Path = Path("/"),
        mounts: Mapping[Path, str] | None = None,
        unshare: Sequence[str] = ("--mount", "--propagation=private"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        pairs = [text for pair in (mounts or {}).items() for text in map(str, pair)]
        inside = (
            ["sh", "-euc", _ENTER, "sh", str(root), *pairs, "--"] if "--mount" in unshare else []
        )
        # All processes of a PID namespace end with its first one, and so does their System V shared memory.
        self._command = [
            *("setpriv", "--pdeathsig=KILL", "unshare", *unshare),
            *("--ipc", "--pid", "--fork", "--kill-child=KILL"),
            *(*inside, *command),
        ]
        self.path = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the daemon itself, outside of its namespace."""
        assert self._process is not None
        outer = self._process.pid
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        if not children:
            raise StackError(f"{self._command[-1]} has ended: {self.log()[-2000:]}")
        return int(children[0])

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, or start it again."""
        assert not self.running
        with self.path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                process_group=0,
            )

    def signal(self, number: int) -> None:
        """Send a signal to the daemon itself."""
        os.kill(self.pid, number)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        assert self._process is not None
        self.signal(signal.SIGTERM)
        self._process.wait(TIMEOUT_S)
        self._process = None

    def kill(self) -> None:
        """Kill it and its children; does nothing if it has ended."""
        if self._process is None:
            return
        with contextlib.suppress(StackError, ProcessLookupError, FileNotFoundError):
            # The outer process ends after it has reaped its child.
            self.signal(signal.SIGKILL)
            self._process.wait(TIMEOUT_S)
        self._process.kill()
        self._process.wait()
        self._process = None

    def log(self) -> str:
        """Return what it printed."""
        return self.path.read_text(errors="replace") if self.path.exists() else ""

    def ready(self, happened: Callable[[], bool], what: str) -> float:
        """Return the seconds until it was ready; fail at once when it ends."""
        return wait_for(happened, what, evidence=lambda: self.log()[-2000:], process=self._process)
