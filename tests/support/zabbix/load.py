"""Logs numbered lines at a steady rate, and counts what Zabbix' history has of them."""

import dataclasses
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

from tests.support.journald import Journald
from tests.support.waiting import wait_for
from tests.support.zabbix.hosts import Host

__all__ = ["Load", "Row", "counts", "drained", "matrix", "numbers", "rows", "stored"]

_NUMBER = re.compile(r"load\[?\d*\]?: (\w+) (\d+) ")

_QUIET_S = 6.0  # the server writes its history every second


class Load:
    """A thread that logs ``NAME NUMBER …``; a context manager. ``mark`` begins a part of the run."""

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
        """Stop logging; does nothing if it has stopped."""
        self._stop.set()
        self._thread.join()

    def mark(self, part: str, seconds: float) -> None:
        """Begin a part of the run, and return when it has lasted this long."""
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
    """How many lines of one part were lost or repeated."""

    where: str
    part: str
    lines: int
    lost: int
    repeated: int


def numbers(lines: Iterable[str], name: str) -> Counter[int]:
    """Return how often each number of a load is in the lines."""
    found = (_NUMBER.search(line) for line in lines)
    return Counter(int(match[2]) for match in found if match and match[1] == name)


def counts(values: Iterable[dict[str, Any]], name: str) -> Counter[int]:
    """Return how often each number is in a history."""
    return numbers((value["value"] for value in values), name)


def stored(load: Load, host: Host, item_id: str, timeout_s: float = 60.0) -> Counter[int]:
    """Wait until the history has the last line and no longer grows; return how often it has each line."""
    last = len(load.sent_s) - 1
    found: Counter[int] = Counter()

    def settled() -> bool:
        before = found.total()
        found.clear()
        found.update(counts(host.history(item_id), load.name))
        time.sleep(1)
        return last in found and found.total() == before

    wait_for(settled, f"line {last} of {load.name}", timeout_s)
    return found


def drained(load: Load, host: Host, item_id: str, timeout_s: float = 60.0) -> None:
    """Wait until the server has stored all lines, while no more are sent."""
    last, since_s = -1, 0.0

    def unchanged() -> bool:
        nonlocal last, since_s
        found = counts(host.history(item_id), load.name).total()
        if found != last:
            last, since_s = found, time.monotonic()
        time.sleep(0.5)
        return time.monotonic() - since_s > _QUIET_S

    wait_for(unchanged, "the server to store what it has", timeout_s)


def rows(load: Load, found: Counter[int], where: str) -> list[Row]:
    """Return a row per part of the load; ``where`` names what was counted."""
    ends = [begin for _, begin in load.parts[1:]] + [len(load.sent_s)]
    result = []
    for (part, begin), end in zip(load.parts, ends, strict=True):
        seen = [found[number] for number in range(begin, end)]
        repeated = sum(count - 1 for count in seen if count > 1)
        result.append(Row(where, part, len(seen), seen.count(0), repeated))
    return result


def matrix(found: Iterable[Row]) -> str:
    """Return the rows as a table."""
    lines = [f"{'where':8}{'meanwhile':28}{'lines':>7}{'lost':>6}{'repeated':>10}"]
    lines += [f"{r.where:8}{r.part:28}{r.lines:7}{r.lost:6}{r.repeated:10}" for r in found]
    return "\n".join(lines)
