"""A running exporter with its metrics, for the sections that watch one."""

import re
import socket
import urllib.request
from pathlib import Path

from tests.bench.contenders import exporter_command
from tests.bench.processes import Program
from tests.support.paths import ROOT

__all__ = ["Exporter"]

_TIMEOUT_S = 5.0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Exporter(Program):
    """An exporter that follows a journal, writes to `directory` and serves its metrics."""

    def __init__(self, python: str, journal: Path, directory: Path, *flags: str) -> None:
        """Start it as deployed: a supervisor, a worker and an HTTP process."""
        self.output = directory / "messages"
        self._address = f"127.0.0.1:{_free_port()}"
        address = f"--metrics-address={self._address}"
        command = exporter_command(python, journal, directory, address, *flags)
        super().__init__(command, directory=ROOT)

    def metric(self, name: str) -> float:
        """Return one number; -1 while nothing is served yet."""
        # Without this, a proxy of the environment would be asked.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self._address}/metrics", timeout=_TIMEOUT_S) as answer:
                text = answer.read().decode()
        except OSError:
            return -1.0
        found = re.search(rf"^journal_exporter_{name} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else -1.0
