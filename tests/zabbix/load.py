"""Numbered lines into a real journal at a steady rate, and what became of each in Zabbix' history."""

import dataclasses
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

from tests.support.journald import Journald
from tests.zabbix.node import Node
from tests.zabbix.processes import wait_until

__all__ = ["Load", "Row", "counts", "matrix", "rows"]

_NUMBER = re.compile(r"load\[?\d*\]?: (\w+) (\d+) ")


class Load:
    """A thread that logs `NAME NUMBER …`; a context manager. ``mark`` begins a part of the run."""

    def __init__(self, journald: Journald, name: str, per_s: int) -> None:
        self.name = name
        self.sent_s: list[float] = []
        self.parts: list[tuple[str, int]] = []
        self._journald = journald
        self._interval_s = 1 / per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        self._stop.set()
        self._thread.join()

    def mark(self, part: str, seconds: float) -> None:
        """Begin a part, and let it last."""
        self.parts.append((part, len(self.sent_s)))
        time.sleep(seconds)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            text = f"{self.name} {len(self.sent_s)} {'x' * 60}"
            self.sent_s.append(time.time())
            self._journald.send(text.encode(), SYSLOG_IDENTIFIER="load")
            due_s += self._interval_s
            self._stop.wait(max(0.0, due_s - time.monotonic()))


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one part's lines."""

    item: str
    part: str
    lines: int
    lost: int
    repeated: int


def counts(values: Iterable[dict[str, Any]], name: str) -> Counter[int]:
    """Return how often each number is in a history."""
    found = (_NUMBER.search(value["value"]) for value in values)
    return Counter(int(match[2]) for match in found if match and match[1] == name)


def rows(load: Load, node: Node, item_id: str, item: str, deadline_s: float = 60.0) -> list[Row]:
    """Wait until the last line has come and nothing more comes; return a row for each part."""
    last = len(load.sent_s) - 1
    before = -1

    def settled() -> bool:
        nonlocal before
        found = counts(node.history(item_id), load.name)
        total, before = before, found.total()
        time.sleep(1)
        return last in found and found.total() == total

    wait_until(settled, f"line {last} of {load.name}", deadline_s)
    found = counts(node.history(item_id), load.name)
    ends = [begin for _, begin in load.parts[1:]] + [last + 1]
    result = []
    for (part, begin), end in zip(load.parts, ends, strict=True):
        seen = [found[number] for number in range(begin, end)]
        result.append(
            Row(item, part, len(seen), seen.count(0), sum(count - 1 for count in seen if count > 1))
        )
    return result


def matrix(found: Iterable[Row]) -> str:
    """Return the rows as a table."""
    lines = [f"{'item':8}{'meanwhile':28}{'lines':>7}{'lost':>6}{'repeated':>10}"]
    lines += [f"{r.item:8}{r.part:28}{r.lines:7}{r.lost:6}{r.repeated:10}" for r in found]
    return "\n".join(lines)
