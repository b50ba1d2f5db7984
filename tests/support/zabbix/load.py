"""Numbered lines into a real journal at a steady rate, and what became of each in Zabbix' history."""

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

_QUIET_S = 6.0  # a server writes its history each second


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


def stored(load: Load, host: Host, item_id: str, deadline_s: float = 60.0) -> Counter[int]:
    """Wait until the last line has come and nothing more comes; return how often each is in the history."""
    last = len(load.sent_s) - 1
    found: Counter[int] = Counter()

    def settled() -> bool:
        before = found.total()
        found.clear()
        found.update(counts(host.history(item_id), load.name))
        time.sleep(1)
        return last in found and found.total() == before

    wait_for(settled, f"line {last} of {load.name}", deadline_s)
    return found


def drained(load: Load, host: Host, item_id: str, deadline_s: float = 60.0) -> None:
    """Wait until the server has stored all that it was sent, while nothing more is sent."""
    last, since_s = -1, 0.0

    def unchanged() -> bool:
        nonlocal last, since_s
        found = counts(host.history(item_id), load.name).total()
        if found != last:
            last, since_s = found, time.monotonic()
        time.sleep(0.5)
        return time.monotonic() - since_s > _QUIET_S

    wait_for(unchanged, "the server to store what it has", deadline_s)


def rows(load: Load, found: Counter[int], where: str) -> list[Row]:
    """Return a row for each part of the load."""
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
