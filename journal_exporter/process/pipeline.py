"""Runs the loop: read a batch, write its lines, scan the journal; after a stall, open the journal again.

Guarantees: a batch is committed before the next one is read, so reopening the journal and restarting the
process are the same path. Every retry waits for ``stop``.
"""

import dataclasses
import logging
from collections.abc import Callable

from journal_exporter.clock import Clock, Stop
from journal_exporter.journal.batch import Batch, Source
from journal_exporter.journal.epoch import Gap
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.journal_watch import Scan
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.retry import Stopped
from journal_exporter.output.writer import Writer

_LOG = logging.getLogger(__name__)
POLL_S = 0.25
SCAN_S = 5.0
SCAN_POLLING_S = 1.0
_CHUNK_BYTES = 256 * 1024


@dataclasses.dataclass(kw_only=True, eq=False)
class Pipeline:
    """Runs until stop is asked for, or with ``once`` until the journal's end.

    ``open_source`` opens the journal; the loop resumes at the writer's position.
    """

    open_source: Callable[[], Source]
    formatter: Formatter
    writer: Writer
    scan: Scan
    metrics: SharedMetrics
    clock: Clock
    stop: Stop
    once: bool = False
    _source: Source | None = dataclasses.field(default=None, init=False)
    _scanned_s: float = dataclasses.field(default=float("-inf"), init=False)
    _stalls: int = dataclasses.field(default=0, init=False)

    def run(self) -> None:
        """Write lines until the end, then sync."""
        try:
            while not self.stop.is_set():
                self.metrics.heartbeat(self.clock)
                if not self._iterate():
                    break
            self.writer.sync()
        except Stopped:
            # Blocked or settling: entries that are not committed are read again by the next run.
            _LOG.info("stopped while waiting to write; the next run resumes from the checkpoint")
        finally:
            self._close()

    def _iterate(self) -> bool:
        source = self._source or self._open()
        source.process()
        batch = source.read()
        if batch.entries or batch.gaps:
            self.write(batch)
        elif self.once:
            return False
        else:
            self.writer.settle()
            source.wait(POLL_S, self.stop.fd)
        self.writer.sync_if_due()
        self._scan_if_due(source, at_end=not batch.entries)
        return True

    def _open(self) -> Source:
        source = self.open_source()
        self._source = source
        if not source.seek(self.writer.position):
            _LOG.warning("journal files of the checkpoint are gone; resuming after them")
        self.metrics.set("inotify_available", float(source.inotify_fd is not None))
        self.scan(self.writer.position, self.clock.monotonic_s())
        return source

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None

    def write(self, batch: Batch) -> None:
        """Commit a batch; rotate wherever it does not fit into the live file."""
        if not batch.gaps:
            data, lines = self.formatter.blob(batch)
            if len(data) <= self.writer.room_bytes:
                self.writer.commit(data, batch.end, lines)
                self._count(batch, lines)
                return
        self._write_in_parts(batch)

    def _count(self, batch: Batch, lines: int) -> None:
        self.metrics.add("entries_read", batch.entries)
        self.metrics.add("entries_filtered", len(batch.times_us) - lines)
        self.metrics.add("entries_invalid", batch.unreadable + batch.without_message)
        self.metrics.add("duplicates_suppressed", batch.repeated)
        self.metrics.add("numbering_restarts", batch.restarts)

    def _write_in_parts(self, batch: Batch) -> None:
        """Commit a batch that has gaps, or that does not fit into the live file."""
        lines = self.formatter.lines(batch)
        pending, count, gaps = bytearray(), 0, 0
        for index in range(len(lines) + 1):
            found = batch.gaps.get(index, ())
            line = lines[index] if index < len(lines) else None
            size_bytes = len(pending) + len(line or b"")
            is_full = bool(line) and size_bytes > self.writer.room_bytes
            if pending and (found or is_full or size_bytes > _CHUNK_BYTES):
                self.writer.commit(bytes(pending), batch.place_after(index, gaps), count)
                pending, count = bytearray(), 0
            for gap in found:
                gaps += 1
                self._mark(gap, batch, index, gaps)
            if line is None:
                continue
            if len(pending) + len(line) > self.writer.room_bytes:
                self.writer.rotate_for_size(len(line))
            pending += line
            count += 1
        self.writer.commit(bytes(pending), batch.end, count)
        self._count(batch, sum(line is not None for line in lines))

    def _mark(self, gap: Gap, batch: Batch, index: int, gaps: int) -> None:
        """Commit the line that marks a gap, the one number ``gaps`` of the batch."""
        marker = self.formatter.gap_line(gap, *batch.stamp(index))
        if len(marker) > self.writer.room_bytes:
            self.writer.rotate_for_size(len(marker))
        self.writer.commit(marker, batch.place_after(index, gaps), 1, is_marker=True)
        _LOG.warning("%d journal entries lost (%d..%d)", gap.entries, gap[0], gap[1])
        self.metrics.add("entries_lost", gap.entries)
        self.metrics.add("gaps")

    def _scan_if_due(self, source: Source, *, at_end: bool) -> None:
        now_s = self.clock.monotonic_s()
        pause_s = SCAN_S if source.inotify_fd is not None else SCAN_POLLING_S
        if now_s - self._scanned_s < pause_s:
            return
        self._scanned_s = now_s
        self.writer.rotate_for_age()
        self.writer.reopen_if_replaced()
        self.writer.restore_checkpoint()
        unread = self.scan(self.writer.position, now_s)
        if not (at_end and unread):
            self._stalls = 0
            return
        # The files hold more than the reader sees. It may just have been written: read once more.
        source.process()
        batch = source.read()
        if batch.entries or batch.gaps:
            self._stalls = 0
            self.write(batch)
            return
        self._stalls += 1
        if self._stalls & (self._stalls - 1) == 0:
            # At the 1st, 2nd, 4th, 8th ... scan in a row: a file may stay unreadable for a long time.
            self.metrics.add("journal_reopens", 1, "stall")
            _LOG.info(
                "the journal's files hold entries that the reader does not see; reopening the journal"
            )
            self._close()
