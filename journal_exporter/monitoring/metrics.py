"""The metrics: one table of names, help texts and labels, and the memory that holds their values.

Guarantees: every series exists from the start, with the value 0. The supervisor, the worker and the HTTP
process share the memory, so counters continue when the worker is replaced. Each value is one aligned double
with one writer, so readers need no lock.

To add a metric, add a row to ``METRICS``, and count it where the event happens.
"""

import mmap
from collections.abc import Iterator
from typing import NamedTuple

from journal_exporter.clock import Clock
from journal_exporter.errors import OutputError
from journal_exporter.journal.files import STATES

PREFIX = "journal_exporter_"
SIGNALS = ("SIGBUS", "SIGSEGV", "SIGABRT", "SIGKILL", "error", "other")
RECOVERIES = (
    "first_start",
    "clean",
    "adopted",
    "finished_torn",
    "replayed",
    "output_gone",
    "from_output",
)
DELETE_REASONS = ("count", "bytes", "disk_full")
REOPEN_REASONS = ("stall",)


class Metric(NamedTuple):
    """One metric; ``values`` are all values of its label."""

    name: str
    kind: str
    help: str
    label: str = ""
    values: tuple[str, ...] = ("",)


METRICS = (
    Metric("entries_read", "counter", "Journal entries read, before any filter."),
    Metric("lines_written", "counter", "Lines written to the output."),
    Metric("written_bytes", "counter", "Bytes written to the output."),
    Metric("entries_filtered", "counter", "Journal entries excluded by the filters."),
    Metric("entries_invalid", "counter", "Journal entries without a readable field or without a message."),
    Metric("entries_lost", "counter", "Journal entries lost before they could be read: deleted or damaged."),
    Metric("gaps", "counter", "Gaps of lost entries; one line in the output marks each."),
    Metric("numbering_restarts", "counter", "Restarts of the journal's sequence numbers; losses across a restart can't be counted."),
    Metric("duplicates_suppressed", "counter", "Entries and lines that were in the output already, and were not written again."),
    Metric("recoveries", "counter", "Starts of the worker, by what it found in the output.", "kind", RECOVERIES),
    Metric("recovery_mismatches", "counter", "Places where the output did not match the journal."),
    Metric("checkpoints_set_aside", "counter", "Damaged checkpoints that were renamed, and replaced by what the output shows."),
    Metric("lag_seconds", "gauge", "How long the oldest unread entry on disk has been waiting."),
    Metric("lag_entries", "gauge", "Unread entries on disk."),
    Metric("newest_entry_timestamp_seconds", "gauge", "Unix time of the newest entry read."),
    Metric("checkpoint_timestamp_seconds", "gauge", "Unix time when the checkpoint was last synced to disk."),
    Metric("rotations", "counter", "Rotations of the output."),
    Metric("archives_deleted", "counter", "Archives deleted.", "reason", DELETE_REASONS),
    Metric("archives", "gauge", "Number of archives."),
    Metric("output_size_bytes", "gauge", "Size of the live output file."),
    Metric("output_blocked", "gauge", "1 while the output or the state can't be written.", "reason", OutputError.REASONS),
    Metric("output_blocked_seconds", "counter", "Seconds during which the output or the state could not be written.", "reason", OutputError.REASONS),
    Metric("worker_restarts", "counter", "Replacements of the worker, by the signal that ended it.", "signal", SIGNALS),
    Metric("journal_reopens", "counter", "Times the journal was reopened.", "reason", REOPEN_REASONS),
    Metric("journal_files", "gauge", "Number of journal files, by state.", "state", STATES),
    Metric("journal_size_bytes", "gauge", "Disk space of the journal files, in bytes."),
    Metric("inotify_available", "gauge", "1 if the journal is watched with inotify, 0 if it is polled."),
    Metric("time_to_vacuum_seconds", "gauge", "Estimated seconds until journald deletes unread entries; +Inf while the journal does not grow."),
    Metric("heartbeat_timestamp_seconds", "gauge", "Unix time of the last iteration of the worker's loop."),
)  # fmt: skip


class SharedMetrics:
    """The values of all metrics, in memory that is shared with processes forked later."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, str], int] = {}
        for metric in METRICS:
            for value in metric.values:
                self._index[metric.name, value] = len(self._index)
        # Two more that are not exposed themselves: the heartbeat on the monotonic clock, and recovered.
        self._heartbeat = len(self._index)
        self._recovered = self._heartbeat + 1
        self._page = mmap.mmap(-1, 8 * (self._recovered + 1))
        self._cells = memoryview(self._page).cast("d")

    def get(self, name: str, value: str = "") -> float:
        """Return one value."""
        return self._cells[self._index[name, value]]

    def add(self, name: str, amount: float = 1, value: str = "") -> None:
        """Count; only one process may write a value."""
        self._cells[self._index[name, value]] += amount

    def set(self, name: str, amount: float, value: str = "") -> None:
        """Set a gauge."""
        self._cells[self._index[name, value]] = amount

    def heartbeat(self, clock: Clock) -> None:
        """Record that the worker is alive."""
        self._cells[self._heartbeat] = clock.monotonic_s()
        self.set("heartbeat_timestamp_seconds", clock.time_s())

    @property
    def heartbeat_s(self) -> float:
        """Time of the last heartbeat, on the monotonic clock, which all processes share."""
        return self._cells[self._heartbeat]

    @property
    def recovered(self) -> bool:
        """Whether the worker has resumed, and is at the output's end."""
        return self._cells[self._recovered] > 0

    @recovered.setter
    def recovered(self, done: bool) -> None:
        self._cells[self._recovered] = float(done)

    def samples(self) -> Iterator[tuple[Metric, str, float]]:
        """Yield every metric, label value and value, in the table's order."""
        for metric in METRICS:
            for value in metric.values:
                yield metric, value, self.get(metric.name, value)

    def output_blocked(self, reason: str, elapsed_s: float) -> None:
        """Add to the time during which writing was blocked."""
        for other in OutputError.REASONS:
            self.set("output_blocked", float(other == reason), other)
        self.add("output_blocked_seconds", elapsed_s, reason)

    def output_unblocked(self) -> None:
        """Record that writing works again."""
        for reason in OutputError.REASONS:
            self.set("output_blocked", 0, reason)

    @property
    def blocked_reason(self) -> str | None:
        """Why writing is blocked, if it is."""
        reasons = (r for r in OutputError.REASONS if self.get("output_blocked", r))
        return next(reasons, None)

    def worker_replaced(self, cause: str) -> None:
        """Count the end of a worker; signals without a label value are ``other``."""
        self.add("worker_restarts", 1, cause if cause in SIGNALS else "other")
