"""When lines came into Zabbix' history, and which of them it may have twice.

To an agent that starts, the server tells the position of what is stored; what it has acknowledged and not
stored yet is sent again (docs/reference/zabbix.md). So a line may come once more for each start
of an agent between when it was logged and its first copy in the history, and never otherwise.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from tests.cluster.zabbix import Host
from tests.support.zabbix.load import Load, counts
from tests.support.zabbix.processes import StackError

__all__ = ["Watch", "unexplained"]

_EVERY_S = 0.1
_LATEST = 2000
"""Lines that are looked at each time; more than a load logs until an agent is back."""


class Watch:
    """A thread that asks for the history all the while; a context manager. Times are of ``time.time``."""

    def __init__(self, host: Host, load: Load) -> None:
        self.seen_s: dict[int, float] = {}
        self._host = host
        self._load = load
        self._failed: list[Exception] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._thread.join()

    def has_all(self) -> bool:
        """Whether every line that was logged so far has been seen.

        Raises:
            StackError: the API did not answer; that ended the thread.
        """
        if self._failed:
            raise self._failed[0]
        return len(self.seen_s) >= len(self._load.sent_s)

    def missing(self) -> str:
        """Return how many lines of each part have not been seen."""
        ends = [begin for _, begin in self._load.parts[1:]] + [len(self._load.sent_s)]
        return "\n".join(
            f"{part}: {sum(n not in self.seen_s for n in range(begin, end))} of {end - begin} missing"
            for (part, begin), end in zip(self._load.parts, ends, strict=True)
        )

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            try:
                lines = self._host.lines(_LATEST)
            except (StackError, OSError) as error:
                self._failed.append(error)
                return
            now_s = time.time()
            for number in counts(lines, self._load.name):
                self.seen_s.setdefault(number, now_s)


def unexplained(
    found: Counter[int],
    sent_s: Sequence[float],
    seen_s: Mapping[int, float],
    starts_s: Iterable[float],
) -> dict[int, int]:
    """Return the lines that are in the history more often than starts of an agent explain; pure.

    ``found`` is how often each line is there; a start must not be later than it was.
    """
    starts = sorted(set(starts_s))
    return {
        number: count
        for number, count in sorted(found.items())
        if count > 1 + sum(sent_s[number] < start <= seen_s[number] for start in starts)
    }
