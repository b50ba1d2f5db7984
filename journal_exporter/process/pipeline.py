"""The loop: read a batch, write its lines, look after the journal; and start over from the checkpoint.

Guarantees: nothing is read on before what was read is committed, so reopening the journal and
restarting the process are one path. Every failure passes through a wait on ``stop``.
"""

import dataclasses
import logging
from collections.abc import Callable

from journal_exporter.clock import Clock, Stop
from journal_exporter.errors import JournalError
from journal_exporter.journal.batch import Batch, Position, Source
from journal_exporter.journal.sequence import Gap
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.journal_watch import Scan
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.writer import Stopped, Writer

_LOG = logging.getLogger(__name__)
POLL_S = 0.25
SCAN_S = 5.0
SCAN_POLLING_S = 1.0
MAX_REOPENS = 5
_MAX_REOPEN_WAIT_S = 10.0
_CHUNK_BYTES = 256 * 1024
_PRECISE_BELOW_BYTES = 512 * 1024
"""More than the lines of a batch take, as a rule."""


@dataclasses.dataclass(slots=True)
class Lines:
    """Lines that belong together: they go into one file. ``gaps`` are those that lines of them progress."""

    data: bytearray = dataclasses.field(default_factory=bytearray)
    count: int = 0
    gaps: list[Gap] = dataclasses.field(default_factory=list)


class Pipeline:
    """Runs until stop is asked for, or with ``once`` until the journal's end.

    ``open_source`` opens the journal; where to go in it is the writer's position. Raises
    ``JournalError`` when reopening does not help.
    """

    def __init__(
        self,
        *,
        open_source: Callable[[], Source],
        formatter: Formatter,
        writer: Writer,
        scan: Scan,
        metrics: SharedMetrics,
        clock: Clock,
        stop: Stop,
        once: bool = False,
    ) -> None:
        self._open_source = open_source
        self._formatter = formatter
        self._writer = writer
        self._scan = scan
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._once = once
        self._source: Source | None = None
        self._failures = 0
        self._scanned_s = float("-inf")
        self._stalls = 0

    def run(self) -> None:
        """Write lines until the end; what was written is synced."""
        try:
            while not self._stop.is_set():
                self._heartbeat()
                try:
                    if not self._turn():
                        break
                except JournalError as error:
                    self._source_failed(error)
            self._writer.sync()
        except Stopped:
            # Blocked or settling: what is not committed comes again at the next start.
            _LOG.info("stopped while waiting to write; the next start goes on from the checkpoint")
        finally:
            self._close()

    def _heartbeat(self) -> None:
        self._metrics.heartbeat(self._clock.monotonic_s(), self._clock.time_s())

    def _turn(self) -> bool:
        source = self._source or self._opened()
        source.process()
        # Near the end of a file each entry's place is wanted, to cut the batch there.
        source, batch = self._read(source, precise=self._writer.room_bytes < _PRECISE_BELOW_BYTES)
        if batch.entries:
            self._failures = 0
            self.write(source, batch)
        elif self._once:
            return False
        else:
            source.wait(POLL_S, self._stop.fd)
        self._writer.sync_if_due()
        self._look_after(source, at_end=not batch.entries)
        return True

    def _read(self, source: Source, *, precise: bool) -> tuple[Source, Batch]:
        """Read; where something is missing, open the journal again and read once more.

        libsystemd may have lost sight of a file for a moment: that is no loss yet.
        """
        batch = source.read(precise=precise)
        if batch.gaps:
            self._close()
            source = self._opened()
            batch = source.read(precise=True)
        return source, batch

    def _opened(self) -> Source:
        source = self._open_source()
        self._source = source
        if not source.seek(self._writer.position):
            _LOG.warning("the entry of the checkpoint has gone from the journal; going on after it")
        self._metrics.set("inotify_available", float(source.inotify_fd is not None))
        source.single_sequence = self._scan(
            self._writer.position, self._clock.monotonic_s()
        ).single_sequence
        return source

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None

    def _source_failed(self, error: JournalError) -> None:
        """Open the journal again; when that keeps failing, let the worker be replaced."""
        self._failures += 1
        self._metrics.add("journal_reopens", 1, "error")
        if self._failures == 1:
            _LOG.error("%s; opening the journal again", error)
        self._close()
        if self._failures > MAX_REOPENS:
            raise error
        if self._stop.wait(min(0.1 * 4**self._failures, _MAX_REOPEN_WAIT_S)):
            raise Stopped

    def write(self, source: Source, batch: Batch) -> None:
        """Commit a batch, rotating on the way where it does not fit into the live file."""
        if not batch.gaps:
            data, lines = self._formatter.blob(batch)
            if len(data) <= self._writer.room_bytes:
                self._writer.commit(data, batch.end, lines)
                self._count(batch, lines)
                return
            if not batch.positions:
                # Longer lines than usual: go back, and read with each entry's place.
                source.seek(self._writer.position)
                _, batch = self._read(source, precise=True)
        self._write_precisely(batch)

    def _count(self, batch: Batch, lines: int) -> None:
        self._metrics.add("entries_read", batch.entries)
        self._metrics.add("entries_filtered", len(batch.times_us) - lines)
        self._metrics.add("entries_invalid", batch.unreadable + batch.without_message)
        self._metrics.add("duplicates_suppressed", batch.repeated)
        self._metrics.add("numbering_restarts", batch.sequence_restarts)

    def _write_precisely(self, batch: Batch) -> None:
        held = Lines()
        done = self._writer.position
        lines = self._formatter.lines(batch)
        for index, (line, position) in enumerate(zip(lines, batch.positions, strict=True)):
            texts = [line] if line is not None else []
            gap = batch.gaps.get(index)
            if gap is not None:
                marker = self._formatter.gap_line(gap, batch.times_us[index], batch.contexts[index])
                texts.insert(0, marker)
            size_bytes = sum(map(len, texts))
            if size_bytes and len(held.data) + size_bytes > self._writer.room_bytes:
                self._flush(held, done)
                held = Lines()
                if self._writer.output.size_bytes:
                    self._writer.rotate()
            held.data += b"".join(texts)
            held.count += len(texts)
            held.gaps += [gap] if gap is not None else []
            done = position
            if len(held.data) >= _CHUNK_BYTES:
                self._flush(held, done)
                held = Lines()
        self._flush(held, batch.end)
        self._count(batch, sum(line is not None for line in lines))

    def _flush(self, held: Lines, position: Position) -> None:
        self._writer.commit(bytes(held.data), position, held.count)
        for gap in held.gaps:
            _LOG.warning("%d journal entries lost (%d..%d)", gap.entries, *gap)
            self._metrics.add("entries_lost", gap.entries)
            self._metrics.add("gaps")

    def _look_after(self, source: Source, *, at_end: bool) -> None:
        now_s = self._clock.monotonic_s()
        pause_s = SCAN_S if source.inotify_fd is not None else SCAN_POLLING_S
        if now_s - self._scanned_s < pause_s:
            return
        self._scanned_s = now_s
        self._writer.rotate_if_old()
        self._writer.reopen_if_replaced()
        found = self._scan(self._writer.position, now_s)
        source.single_sequence = found.single_sequence
        if not (at_end and found.unread):
            self._stalls = 0
            return
        # The files hold more than the reader sees. It may just have been written: look once more.
        source.process()
        source, batch = self._read(source, precise=False)
        if batch.entries:
            self.write(source, batch)
            return
        self._stalls += 1
        if self._stalls & (self._stalls - 1) == 0:
            # At the 1st, 2nd, 4th, 8th ... look in a row: a file may stay unreadable for long.
            self._metrics.add("journal_reopens", 1, "stall")
            _LOG.info("the journal's files hold entries that the reader does not see; reopening")
            self._close()
