"""Keeps every file of the exporter's output and the log of each daemon, to examine after a run.

They show why a line is not in the history exactly once: whether the output contains it, what the agent logged
about its files at that time (with ``DebugLevel=4``), and what the server logged.
"""

import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from tests.support.zabbix.load import Load, numbers
from tests.support.zabbix.node import Node

__all__ = ["Evidence", "runs"]

_LOOK_S = 0.25  # files are rotated at least a second apart, and ten exist at a time


class Evidence:
    """A context manager that copies each archive of the output into ``directory`` before it is removed.

    It makes no links: they would keep the file system from reusing the inodes of removed files, which agents
    see. ``save`` adds the daemons' logs, and is called at the end.
    """

    def __init__(self, node: Node, directory: Path) -> None:
        self._node = node
        self._directory = directory
        self._files = directory / "output"
        self._files.mkdir(parents=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end()
        self.save()

    def lines(self, load: Load) -> Counter[int]:
        """Return how often each number of a load is in the output; call it when the load has ended."""
        self._end()
        self._copy(self._node.exporter.files())
        found: Counter[int] = Counter()
        for path in self._files.iterdir():
            found.update(numbers(path.read_text().splitlines(), load.name))
        return found

    def save(self) -> None:
        """Copy the daemons' logs and the agent's buffer."""
        logs = (self._node.agent.daemon.path, self._node.stack.server.path)
        for path in (*logs, self._node.exporter.errors, *self._node.agent.buffer.iterdir()):
            shutil.copy(path, self._directory / path.name)

    def _end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            self._copy(self._node.exporter.files()[:-1])

    def _copy(self, paths: list[Path]) -> None:
        for path in paths:
            try:
                with path.open("rb") as file:  # whatever its name is by now
                    state = os.fstat(file.fileno())
                    target = self._files / f"{state.st_mtime_ns}-{state.st_ino}"
                    if not target.exists():
                        target.write_bytes(file.read())
            except FileNotFoundError:
                continue


def runs(found: Iterable[int]) -> str:
    """Return numbers as ranges, such as ``3, 7-9``."""
    ranges: list[list[int]] = []
    for number in sorted(found):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
