"""Scans the journal's files every few seconds: lag, unreadable files, and readers that stall."""

import collections
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.files import STATES, JournalFile, find_files, inspect_files
from journal_exporter.journal.position import Position
from journal_exporter.monitoring import lag
from journal_exporter.monitoring.metrics import SharedMetrics

_LOG = logging.getLogger(__name__)
_GROWTH_WINDOW_S = 600.0


class JournalWatch:
    """Scans the files, and compares each scan with the ones before."""

    def __init__(
        self,
        directories: Sequence[Path],
        metrics: SharedMetrics,
        set_aside: frozenset[str] = frozenset(),
        time_s: Callable[[], float] = time.time,
    ) -> None:
        self._directories = directories
        self._set_aside = set_aside
        self._metrics = metrics
        self._reported: set[Path] = set()
        self._is_missing = False
        self._time_s = time_s
        self._read_all_s = float("-inf")
        self._oldest = 0, 0.0
        """The time of the oldest unread entry, and when a scan found it first."""
        self._samples: collections.deque[tuple[float, int]] = collections.deque()
        self._written_bytes = 0
        self._sizes: dict[int, int] = {}
        metrics.set("time_to_vacuum_seconds", math.inf)

    def scan(self, position: Position, now_s: float) -> bool:
        """Inspect every file, and update the metrics; ``now_s`` is on the monotonic clock.

        Returns whether files hold entries after the position.
        """
        files = [
            file._replace(state="set_aside") if file.key in self._set_aside else file
            for file in inspect_files(find_files(self._directories))
        ]
        for state in STATES:
            self._metrics.set("journal_files", sum(f.state == state for f in files), state)
        self._metrics.set("journal_size_bytes", sum(f.size_bytes for f in files))
        self._report_ignored(files)
        good = [file for file in files if file.state == "readable"]
        self._report_missing(bool(good))
        return self._measure_lag(good, position, now_s)

    def _measure_lag(self, files: Sequence[JournalFile], position: Position, now_s: float) -> bool:
        behind = lag.lag(files, position)
        self._metrics.set("lag_entries", behind.entries)
        self._metrics.set("lag_seconds", self._waiting_s(behind, now_s))
        if position.cursor is not None:
            newest_us = cursors.parse(position.cursor).realtime_us
            self._metrics.set("newest_entry_timestamp_seconds", newest_us / 1e6)
        self._metrics.set(
            "time_to_vacuum_seconds",
            lag.seconds_to_vacuum(
                files,
                position,
                growth_bytes_per_s=self._growth(files, now_s),
                max_use_bytes=_max_use_bytes(files),
            ),
        )
        return behind.entries > 0

    def _waiting_s(self, behind: lag.Lag, now_s: float) -> float:
        """Return how long the oldest unread entry has been waiting.

        Its time alone does not tell: clocks are wrong. It did not wait before all was read the last time,
        and it has waited since a scan found it unread.
        """
        if not behind.entries:
            self._read_all_s, self._oldest = now_s, (0, now_s)
            return 0.0
        if behind.oldest_us != self._oldest[0]:
            self._oldest = behind.oldest_us, now_s
        age_s = self._time_s() - behind.oldest_us / 1e6
        return max(0.0, now_s - self._oldest[1], min(age_s, now_s - self._read_all_s))

    def _growth(self, files: Sequence[JournalFile], now_s: float) -> float:
        """Return the growth in bytes per second over ten minutes; deleted files do not count."""
        sizes = {file.inode: file.size_bytes for file in files}
        if self._samples:
            self._written_bytes += sum(
                max(0, size - self._sizes.get(inode, 0)) for inode, size in sizes.items()
            )
        self._sizes = sizes
        self._samples.append((now_s, self._written_bytes))
        while now_s - self._samples[0][0] > _GROWTH_WINDOW_S:
            self._samples.popleft()
        start_s, start_bytes = self._samples[0]
        elapsed_s = now_s - start_s
        return (self._written_bytes - start_bytes) / elapsed_s if elapsed_s > 0 else 0.0

    def _report_missing(self, found: bool) -> None:  # noqa: FBT001
        if found == self._is_missing:
            places = " and ".join(map(str, self._directories))
            if found:
                _LOG.info("found journal files in %s again", places)
            else:
                _LOG.warning("no journal file can be read in %s; waiting", places)
        self._is_missing = not found

    def _report_ignored(self, files: Sequence[JournalFile]) -> None:
        ignored = {file.path: file.state for file in files if file.state != "readable"}
        for path in ignored.keys() - self._reported:
            _LOG.warning(
                "journal file %s is %s: some or all of its entries are not read%s",
                path,
                ignored[path],
                "; install libzstd1, liblz4-1 and liblzma5, or a newer libsystemd"
                if ignored[path] == "unsupported"
                else "",
            )
        self._reported = set(ignored)


def _max_use_bytes(files: Sequence[JournalFile]) -> int:
    for file in files:
        try:
            status = os.statvfs(file.path)
        except OSError:
            continue
        return lag.default_max_use_bytes(status.f_frsize * status.f_blocks)
    return 0


Scan = Callable[[Position, float], bool]
