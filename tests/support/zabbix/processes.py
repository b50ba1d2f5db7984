"""Daemons in a mount namespace of their own, from the machine's packages or from another root.

A daemon sees the directories that it is given under the paths that it expects (``/var/log``), and
nothing of that is left behind: the mounts end with it, and it ends with us, even when we are killed.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import wait_for

__all__ = ["Daemon", "StackError"]

DEADLINE_S = 30.0

# With a root of its own, a daemon needs the kernel's file systems there. PR_SET_PDEATHSIG comes last:
# the kernel forgets it where credentials change.
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
    """A daemon did not do what it was told."""


class Daemon:
    """One process and its children, with ``mounts`` (directory here: path there)."""

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
        # A namespace of process ids ends whole with its first process: no child outlives it. So does what
        # they share as System V has it.
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
        """The daemon's own process id, seen from here."""
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
        """Start it, again too."""
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
        """Send the daemon itself a signal."""
        os.kill(self.pid, number)

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        assert self._process is not None
        self.signal(signal.SIGTERM)
        self._process.wait(DEADLINE_S)
        self._process = None

    def kill(self) -> None:
        """End it and its children at once; harmless when it has ended."""
        if self._process is None:
            return
        with contextlib.suppress(StackError, ProcessLookupError, FileNotFoundError):
            # The outer process ends when it has seen its child end, which is then no zombie.
            self.signal(signal.SIGKILL)
            self._process.wait(DEADLINE_S)
        self._process.kill()
        self._process.wait()
        self._process = None

    def log(self) -> str:
        """Return what it printed."""
        return self.path.read_text(errors="replace") if self.path.exists() else ""

    def ready(self, happened: Callable[[], bool], what: str) -> float:
        """Return the seconds until it was ready; fail at once when it ends."""
        return wait_for(happened, what, evidence=lambda: self.log()[-2000:], process=self._process)
