"""The programs of a cluster, each with its own log, which is shown when the program fails.

All run below ``enter``, and end with it, so that nothing here cleans up after a crash.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.waiting import wait_for

__all__ = ["BIN", "ClusterError", "Program", "base", "cgroup", "logs", "run"]

BIN = ROOT / ".cache/bin"
_TAIL_BYTES = 4000


class ClusterError(RuntimeError):
    """A part of the cluster failed; the text has the end of its output."""


def base() -> Path:
    """Return the directory that is removed with the namespaces.

    Raises:
        ClusterError: this is not below ``tests/cluster/enter``.
    """
    try:
        return Path(os.environ["NODEOBS_CLUSTER_BASE"])
    except KeyError:
        raise ClusterError(
            "a cluster needs namespaces of its own: run `make cluster-test`, or put tests/cluster/enter "
            "before the command"
        ) from None


def logs() -> Path:
    """Return the directory for the output of programs, which is kept when the cluster is gone."""
    path = base() / "logs"
    path.mkdir(exist_ok=True)
    return path


def cgroup() -> str:
    """Return the cgroup, below each controller, that is removed with the namespaces."""
    return os.environ["NODEOBS_CLUSTER_CGROUP"]


def run(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    codes: Collection[int] = (0,),
    timeout_s: float = 300,
) -> str:
    """Run a command to its end; return what it printed.

    Raises:
        ClusterError: it ended with another exit code, or not within ``timeout_s``.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        said = b"".join(filter(None, (error.stdout, error.stderr)))[-_TAIL_BYTES:]
        raise ClusterError(
            f"{' '.join(words)} took longer than {timeout_s:.0f} s:\n{said.decode(errors='replace')}"
        ) from None
    if done.returncode not in codes:
        text = (done.stdout + done.stderr)[-_TAIL_BYTES:]
        raise ClusterError(f"{' '.join(words)} ended with {done.returncode}:\n{text}")
    return done.stdout


class Program:
    """One program; ``inside`` is a command prefix that moves it into another namespace."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, inside: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.log = logs() / f"{name}.log"
        self._command = [*inside, *(str(word) for word in command)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise ClusterError(f"{self.name} is not running")
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again."""
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        except FileNotFoundError as error:
            raise ClusterError(
                f"{error.filename} is not there; `tools/setup cluster` installs and builds it"
            ) from error

    def ready(self, happened: Callable[[], bool], what: str, timeout_s: float = 60) -> float:
        """Wait until it is ready; return the seconds.

        Raises:
            WaitError: it ended, or took longer than ``timeout_s``.
        """
        return wait_for(
            happened,
            f"{self.name}: {what}",
            timeout_s,
            every_s=0.2,
            evidence=self.tail,
            process=self._process,
        )

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 20) -> None:
        """End it, by force if it takes longer; harmless when it has ended."""
        if self._process is None:
            return
        self._process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        self._process.kill()
        self._process.wait()
        self._process = None

    def tail(self) -> str:
        """Return the end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.name} ---\n{text[-_TAIL_BYTES:]}"
