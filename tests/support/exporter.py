"""A real exporter process, for tests and benches."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.support.servers import fetch
from tests.support.waiting import wait_for

_DEADLINE_S = 30.0


def free_port() -> int:
    """Return a port of the loopback address that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Exporter:
    """``journal-exporter run`` with its output and state below ``base``; a context manager.

    ``arguments`` come last, so they win over the defaults here: all priorities and facilities, no pauses,
    the loopback address. ``prefix`` is a command that runs it, such as strace.
    """

    def __init__(
        self,
        base: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.output = base / "log" / "messages"
        self.state = base / "state"
        self.errors = base / "exporter.log"
        self.port = free_port()
        self._environment = {**os.environ, **(environment or {})}
        self._command = [
            *prefix,
            *(sys.executable, "-m", "journal_exporter", "run"),
            *("--output", str(self.output), "--state-directory", str(self.state)),
            *("--metrics-address", f"127.0.0.1:{self.port}"),
            *("--max-priority", "debug", "--exclude-facility", "none"),
            *("--rotation-settle-s", "0", "--rotation-interval-s", "0"),
            *arguments,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.end()

    def end(self) -> None:
        """Kill it if it runs."""
        if self._process is not None:
            self.kill()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The supervisor."""
        assert self._process is not None
        return self._process

    def start(self) -> Self:
        """Start it for the first time or again; return it."""
        self.errors.parent.mkdir(parents=True, exist_ok=True)
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self._command, stderr=errors, env=self._environment, process_group=0
            )
        return self

    def run(self) -> int:
        """Run it to its end, as with ``--once``; return the exit code."""
        self.start()
        return self.process.wait(_DEADLINE_S)

    def children(self) -> list[int]:
        """Return the process ids of worker and HTTP process."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def worker(self) -> int:
        """Return the process id of the worker: the one that has the output open."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid in self.children() if self._writes(pid)]
            return bool(found)

        self.wait_for(look, "the worker to open its output")
        return found[0]

    def _writes(self, pid: int) -> bool:
        try:
            return any(
                os.path.realpath(link) == str(self.output.resolve())
                for link in Path(f"/proc/{pid}/fd").iterdir()
            )
        except (FileNotFoundError, ProcessLookupError):
            return False

    def stop(self) -> float:
        """Ask it to end, expect exit code 0, return how many seconds it took."""
        begun_s = time.monotonic()
        self.process.terminate()
        code = self.process.wait(_DEADLINE_S)
        self._process = None
        assert code == 0, self.log()
        return time.monotonic() - begun_s

    def kill(self) -> None:
        """End supervisor and children with SIGKILL."""
        children = self.children() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        self._process = None
        for pid in children:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue

    def log(self) -> str:
        """Return what it logged."""
        return self.errors.read_text()

    def status(self) -> Any:  # noqa: ANN401 - JSON
        """Return what ``journal-exporter status --json`` prints."""
        command = [sys.executable, "-m", "journal_exporter", "status", "--json"]
        done = subprocess.run(
            [*command, "--state-directory", str(self.state)], check=True, capture_output=True
        )
        return json.loads(done.stdout)

    def files(self) -> list[Path]:
        """Return archives and output, oldest first."""
        archives = [self.output.with_name(f"messages.{number}") for number in range(9, 0, -1)]
        return [path for path in (*archives, self.output) if path.exists()]

    def lines(self, containing: bytes = b"") -> list[bytes]:
        """Return the lines of all files, oldest first."""
        data = b"".join(self._contents())
        return [line for line in data.split(b"\n")[:-1] if containing in line]

    def numbers(self) -> list[int]:
        """Return the numbers of the lines that come from ``tests.support.journals.numbered``."""
        return [int(line.split(b"number ", 1)[1][:6]) for line in self.lines(b"number ")]

    def _contents(self) -> list[bytes]:
        """Read all files as of one moment: a rotation under way gives some of them other names."""
        while True:
            before = self._inodes()
            try:
                contents = [path.read_bytes() for path in self.files()]
            except FileNotFoundError:
                continue
            if self._inodes() == before:
                return contents

    def _inodes(self) -> dict[str, int]:
        names = (self.output.name, *(f"{self.output.name}.{number}" for number in range(1, 10)))
        if not self.output.parent.exists():
            return {}
        with os.scandir(self.output.parent) as entries:
            return {entry.name: entry.inode() for entry in entries if entry.name in names}

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body; status 0 while nothing answers."""
        return fetch(self.port, path)

    def metric(self, name: str, labels: str = "") -> float:
        """Return one number, such as ``metric("gaps_total")``; minus one while nothing answers."""
        pattern = re.escape(f"journal_exporter_{name}{labels} ") + r"(\S+)"
        found = re.search("^" + pattern, self.get("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else -1.0

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        """Return when it has happened; fail with the end of the log when it does not."""
        wait_for(happened, what, every_s=0.01, evidence=lambda: self.log()[-2000:])

    def wait_for_line(self, containing: bytes) -> None:
        """Return when a line with these bytes is in the output."""
        self.wait_for(lambda: bool(self.lines(containing)), repr(containing))
