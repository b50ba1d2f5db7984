"""When each line of a load came into Zabbix' history."""

import threading
import time
from typing import Self

from tests.support.waiting import wait_for
from tests.support.zabbix.hosts import Host
from tests.support.zabbix.load import Load, counts
from tests.support.zabbix.processes import StackError

__all__ = ["Watch"]

_EVERY_S = 0.1
_LATEST = 2000
"""Lines that are read each time; more than a load logs until an agent is back."""


class Watch:
    """A thread that reads the history of the host log again and again; a context manager.

    ``seen_s`` is the Unix time at which each line of a load was first seen.
    """

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
            StackError: the API did not answer, which ended the thread.
        """
        if self._failed:
            raise self._failed[0]
        return len(self.seen_s) >= len(self._load.sent_s)

    def wait_for_all(self, timeout_s: float = 30) -> None:
        """Return when every line that was logged so far has been seen.

        Raises:
            WaitError: it was not within ``timeout_s``; the text has the number of missing lines.
        """
        wait_for(self.has_all, f"all lines of {self._load.name}", timeout_s, evidence=self.missing)

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
