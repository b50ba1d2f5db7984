"""Every number that the exporter tells: names, helps, labels, in one table.

Guarantees: every series exists, at 0, from the start; counters go on when the worker is replaced,
because they live in memory that the supervisor, the worker and the HTTP process share.
Each value is one aligned double with one writer, so readers need no lock.

Methods are named after events; nothing here is logged and nothing decides.
"""

import mmap
from collections.abc import Iterator
from typing import NamedTuple

from journal_exporter.errors import OutputError
from journal_exporter.journal.files import STATES

PREFIX = "journal_exporter_"
SIGNALS = ("SIGBUS", "SIGSEGV", "SIGABRT", "SIGKILL", "error", "other")
RECOVERIES = ("first_start", "clean", "adopted", "finished_torn", "replayed", "output_gone")
DELETE_REASONS = ("count", "bytes", "disk_full")
REOPEN_REASONS = ("error", "stall")


class Metric(NamedTuple):
    """One metric; ``values`` are the label's values, all of them made at the start."""

    name: str
    kind: str
    help: str
    label: str = ""
    values: tuple[str, ...] = ("",)


METRICS = (
    Metric("entries_read", "counter", "Journal entries read, before any filter."),
    Metric("lines_written", "counter", "Lines written to the output."),
    Metric("written_bytes", "counter", "Bytes written to the output."),
    Metric("entries_filtered", "counter", "Journal entries left out by the filters."),
    Metric("entries_invalid", "counter", "Journal entries of which no field could be read, or no message."),
    Metric("entries_lost", "counter", "Journal entries gone before they could be read."),
    Metric("gaps", "counter", "Runs of lost entries, each marked by one line in the output."),
    Metric("numbering_restarts", "counter", "New numberings of the journal: losses across them can't be counted."),
    Metric("duplicates_suppressed", "counter", "Entries or lines that were in the output already and not written again."),
    Metric("recoveries", "counter", "Starts of the worker by what it found in the output.", "kind", RECOVERIES),
    Metric("recovery_mismatches", "counter", "Times that the output did not hold what the journal says."),
    Metric("lag_seconds", "gauge", "Age of the oldest entry that is not read, against the newest on disk."),
    Metric("lag_entries", "gauge", "Entries on disk that are not read."),
    Metric("newest_entry_timestamp_seconds", "gauge", "Time of the newest entry read."),
    Metric("checkpoint_timestamp_seconds", "gauge", "When the checkpoint was last made durable."),
    Metric("rotations", "counter", "Rotations of the output."),
    Metric("archives_deleted", "counter", "Archives deleted.", "reason", DELETE_REASONS),
    Metric("archives", "gauge", "Archives that there are."),
    Metric("output_size_bytes", "gauge", "Size of the live output file."),
    Metric("output_blocked", "gauge", "1 while the output or the state can't be written.", "reason", OutputError.REASONS),
    Metric("output_blocked_seconds", "counter", "Time for which the output or the state could not be written.", "reason", OutputError.REASONS),
    Metric("worker_restarts", "counter", "Times that the worker was replaced, by the signal that ended it.", "signal", SIGNALS),
    Metric("journal_reopens", "counter", "Times that the journal was opened again.", "reason", REOPEN_REASONS),
    Metric("journal_files", "gauge", "Files of the journal.", "state", STATES),
    Metric("journal_size_bytes", "gauge", "Disk space of the journal's files."),
    Metric("inotify_available", "gauge", "1 if the journal can be watched, 0 if it is polled."),
    Metric("time_to_vacuum_seconds", "gauge", "Estimated time until journald deletes entries that are not read; +Inf while the journal does not grow."),
    Metric("heartbeat_timestamp_seconds", "gauge", "When the worker's loop last turned."),
)  # fmt: skip


class SharedMetrics:
    """The shared page: make it before the first fork."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, str], int] = {}
        for metric in METRICS:
            for value in metric.values:
                self._index[metric.name, value] = len(self._index)
        # Two more that are not exposed as they are: the beat on the monotonic clock, and recovered.
        self._heartbeat = len(self._index)
        self._recovered = self._heartbeat + 1
        self._page = mmap.mmap(-1, 8 * (self._recovered + 1))
        self._cells = memoryview(self._page).cast("d")

    def get(self, name: str, value: str = "") -> float:
        """Return one number."""
        return self._cells[self._index[name, value]]

    def add(self, name: str, amount: float = 1, value: str = "") -> None:
        """Count; only the process that owns the number may."""
        self._cells[self._index[name, value]] += amount

    def set(self, name: str, amount: float, value: str = "") -> None:
        """Set a gauge."""
        self._cells[self._index[name, value]] = amount

    def heartbeat(self, monotonic_s: float, time_s: float) -> None:
        """Note that the loop turns; the monotonic clock is one for all processes of a machine."""
        self._cells[self._heartbeat] = monotonic_s
        self.set("heartbeat_timestamp_seconds", time_s)

    @property
    def heartbeat_s(self) -> float:
        """When the loop last turned, on the monotonic clock."""
        return self._cells[self._heartbeat]

    @property
    def recovered(self) -> bool:
        """Whether the worker has found its place."""
        return self._cells[self._recovered] > 0

    @recovered.setter
    def recovered(self, done: bool) -> None:
        self._cells[self._recovered] = float(done)

    def samples(self) -> Iterator[tuple[Metric, str, float]]:
        """Yield every metric, label value and number, in the table's order."""
        for metric in METRICS:
            for value in metric.values:
                yield metric, value, self.get(metric.name, value)

    def output_blocked(self, reason: str, elapsed_s: float) -> None:
        """Count time for which writing was blocked."""
        for other in OutputError.REASONS:
            self.set("output_blocked", float(other == reason), other)
        self.add("output_blocked_seconds", elapsed_s, reason)

    def output_unblocked(self) -> None:
        """Note that writing works again."""
        for reason in OutputError.REASONS:
            self.set("output_blocked", 0, reason)

    @property
    def blocked_reason(self) -> str | None:
        """Why writing is blocked, if it is."""
        reasons = (r for r in OutputError.REASONS if self.get("output_blocked", r))
        return next(reasons, None)

    def worker_replaced(self, cause: str) -> None:
        """Count the end of a worker; unknown signals are ``other``."""
        self.add("worker_restarts", 1, cause if cause in SIGNALS else "other")
