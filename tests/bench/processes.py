"""Starts a program, watches what it and its children use, and ends it by its pid."""

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Memory", "Program", "Usage"]

_GRACE_S = 20.0
_POLL_S = 0.01
_SAMPLE_S = 0.2
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_PEAK_RSS = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_PROC = Path("/proc")


@dataclasses.dataclass(frozen=True, slots=True)
class Memory:
    """One look at a tree of processes: the sum of their PSS, and the largest peak RSS of any."""

    pss_kib: int
    peak_rss_kib: int


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """What a run took from its start to its end."""

    wall_s: float
    cpu_s: float
    peak_rss_mib: float
    peak_pss_mib: float


def _read(path: Path) -> bytes:
    """Return a file of a process, or nothing when the process has ended."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _number(pattern: re.Pattern[bytes], data: bytes) -> int:
    found = pattern.search(data)
    return int(found[1]) if found else 0


class Program:
    """A running program; use it as a context manager, so that it ends in any case.

    `setup` wraps the command so that it stays the same process, as `unshare` does.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start it: standard output goes to `output`, or nowhere, errors to ours."""
        sink = os.devnull if output is None else output
        with open(sink, "wb") as stdout:  # noqa: PTH123 - a path or a device
            self._started_s = time.monotonic()
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                env=None if environment is None else {**os.environ, **environment},
                cwd=directory,
            )
        self._usage: Usage | None = None
        self._peak = Memory(0, 0)
        self._sampled_s = self._started_s

    def __enter__(self) -> Self:
        """Return the program, which runs since it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it if it still runs."""
        if self._usage is None:
            self.stop()

    @property
    def pid(self) -> int:
        """The process id of the first process."""
        return self._process.pid

    def tree(self) -> list[int]:
        """Return the ids of the process and of its descendants."""
        found = [self.pid]
        for pid in found:
            with contextlib.suppress(FileNotFoundError):
                for task in (_PROC / str(pid) / "task").iterdir():
                    found.extend(map(int, _read(task / "children").split()))
        return found

    def memory(self) -> Memory:
        """Look at what the whole tree holds now."""
        tree = [_PROC / str(pid) for pid in self.tree()]
        return Memory(
            sum(_number(_PSS, _read(process / "smaps_rollup")) for process in tree),
            max(_number(_PEAK_RSS, _read(process / "status")) for process in tree),
        )

    def cpu_s(self) -> float:
        """Return the CPU time of the tree's running threads, to the nanosecond."""
        total_ns = 0
        for pid in self.tree():
            with contextlib.suppress(FileNotFoundError):
                for task in (_PROC / str(pid) / "task").iterdir():
                    total_ns += int((_read(task / "schedstat").split() or [b"0"])[0])
        return total_ns / 1e9

    def wait(self, done: Callable[[], bool] = lambda: False, *, sample: bool = True) -> Usage:
        """Wait until it ends by itself or `done`, then stop it; return what it took until then."""
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            now_s = time.monotonic()
            if pid:
                return self._ended(status, usage.ru_utime + usage.ru_stime, now_s)
            if done():
                return self.stop(now_s)
            if sample and now_s - self._sampled_s >= _SAMPLE_S:
                self._sampled_s = now_s
                now = self.memory()
                self._peak = Memory(
                    max(self._peak.pss_kib, now.pss_kib),
                    max(self._peak.peak_rss_kib, now.peak_rss_kib),
                )
            time.sleep(_POLL_S)

    def stop(self, ended_s: float | None = None) -> Usage:
        """Ask it to end, wait for that, and return what it took until `ended_s`."""
        wall_end_s = time.monotonic() if ended_s is None else ended_s
        os.kill(self.pid, signal.SIGTERM)
        deadline_s = time.monotonic() + _GRACE_S
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                return self._ended(status, usage.ru_utime + usage.ru_stime, wall_end_s)
            if time.monotonic() > deadline_s:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(_POLL_S)

    def _ended(self, status: int, cpu_s: float, ended_s: float) -> Usage:
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._usage = Usage(
            wall_s=ended_s - self._started_s,
            cpu_s=cpu_s,
            peak_rss_mib=self._peak.peak_rss_kib / 1024,
            peak_pss_mib=self._peak.pss_kib / 1024,
        )
        return self._usage

    @property
    def code(self) -> int:
        """The exit code, negative for a signal, once it has ended."""
        return self._process.returncode
