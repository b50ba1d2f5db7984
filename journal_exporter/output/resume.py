"""Starts a run: finds out what is in the output, and leaves a writer at the output's end.

Guarantees: after a kill, a power cut or a full disk, no line is missing and none is written twice. If another
process removed or emptied the file, the run continues after the checkpoint. Without a valid checkpoint, the
output's lines show where to continue.
"""

import dataclasses
import functools
import logging
from collections.abc import Iterator, Sequence

from journal_exporter.clock import Clock
from journal_exporter.journal.batch import Batch, Source
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import Field
from journal_exporter.journal.position import Position
from journal_exporter.journal.sequence import not_lost
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output import read_back
from journal_exporter.output.checkpoint import Progress, State
from journal_exporter.output.replay import Replay
from journal_exporter.output.retry import Stopped
from journal_exporter.output.search import Search
from journal_exporter.output.writer import SYNC_BYTES, Writer

_LOG = logging.getLogger(__name__)
_TAIL_LIMIT_BYTES = 2 * SYNC_BYTES
_Markers = list[tuple[int, Gap, tuple[int, tuple[Field, ...]]]]
"""Gaps whose lines were offered: the first number, what is left, and time and context of the line."""


@dataclasses.dataclass(kw_only=True, eq=False)
class Resume:
    """Brings the writer to the output's end.

    ``formatter`` formats as the previous run did, ``render_hash`` names this run's rendering. ``boot_id`` is
    the kernel's, ``start`` says where a first run begins, and ``journal`` has the journal's directories.
    """

    boot_id: str
    render_hash: str
    start: str
    journal: Sequence[str] = ()
    source: Source
    writer: Writer
    formatter: Formatter
    metrics: SharedMetrics
    clock: Clock

    def run(self, state: State | None, *, is_damaged: bool = False) -> None:
        """Resume from the last run's state, or begin without one.

        Where the checkpoint ``is_damaged``, the lines of the output show how far the last run came.
        """
        self.writer.open()
        kind = "first_start"
        since_s = self.clock.time_s()
        if state is None:
            found = self._recover() if is_damaged else None
            if found is not None:
                kind, position = "from_output", found
            else:
                self._end_torn_line()
                position = self.source.start(self.start)
        else:
            kind, position = self._resume(state)
            since_s = state.file_since_s or since_s
            if position.files is None:
                # Only the journal can tell where an earlier version's place is in each file.
                self.source.seek(position)
                position = self.source.position
        progress = self.writer.progress_at(position)
        fresh = State(
            output=str(self.writer.output.path),
            boot_id=self.boot_id,
            render_hash=self.render_hash,
            durable=progress,
            written=progress,
            journal=self.journal,
            file_since_s=since_s,
            generation=state.generation if state else 0,
        )
        if is_damaged:
            self._set_aside()
        self.writer.begin(fresh)
        self.metrics.add("recoveries", 1, kind)
        self.metrics.recovered = True
        _LOG.info("start: %s; output %s at byte %d", kind, self.writer.output.path, progress.offset)

    def _recover(self) -> Position | None:
        """Find the output's last lines in the journal, and append what is missing after them."""
        path = self.writer.output.path
        tail = self.writer.retry(lambda: read_back.read_last(path, _TAIL_LIMIT_BYTES))
        search = Search(tail)
        self.source.start("head")
        while True:
            # The whole journal may take longer than the grace period of a request to end.
            if self.writer.stop.is_set():
                raise Stopped
            self.metrics.heartbeat(self.clock)
            self.source.process()
            batch = self.source.read()
            if not batch.entries and not batch.gaps:
                break
            for index, line in enumerate(self.formatter.lines(batch)):
                if line is not None:
                    search.offer(line, functools.partial(_place_before, batch, index))
        if search.best is None:
            _LOG.warning("the journal has none of the last lines of %s", path)
            return None
        _kind, position = self._replay(search.best.position, tail[search.best.offset :], until=None)
        return position

    def _set_aside(self) -> None:
        name = self.writer.retry(self.writer.checkpoint.set_aside)
        self.metrics.add("checkpoints_set_aside")
        _LOG.error("the checkpoint was damaged; it was renamed to %s", name)

    def _resume(self, state: State) -> tuple[str, Position]:
        same_boot = state.boot_id == self.boot_id
        progress = self._reachable(state.written)
        if progress is None and not same_boot:
            # A power cut took bytes that were not synced: the journal still has their entries.
            progress = self._reachable(state.durable)
        if progress is None:
            _LOG.warning(
                "%s was removed or emptied; continuing after the checkpoint",
                self.writer.output.path,
            )
            self._end_torn_line()
            return "output_gone", state.written.position
        path, file, offset = self.writer.output.path, progress.file, progress.offset
        tail = self.writer.retry(
            lambda: read_back.read_after(path, file, offset, _TAIL_LIMIT_BYTES)
        )
        if not tail:
            return "clean", progress.position
        intent = state.intent if same_boot else None
        if intent is None:
            return self._replay(progress.position, tail, until=None)
        if len(tail) == intent.end_offset - progress.offset:
            return "adopted", intent.position
        if marker := intent.marker.encode():
            kind, _ = self._finish(tail, marker)
            return kind, intent.position
        # An earlier version's place has no end in each file.
        until = None if intent.position.files is None else intent.position
        return self._replay(progress.position, tail, until=until)

    def _finish(self, tail: bytes, line: bytes) -> tuple[str, None]:
        """Append what is missing of one line."""
        replay = Replay(tail)
        replay.offer(line)
        self._close(replay)
        return "finished_torn", None

    def _reachable(self, progress: Progress) -> Progress | None:
        size_bytes = self.writer.retry(
            lambda: read_back.size_of(self.writer.output.path, progress.file)
        )
        return progress if size_bytes is not None and size_bytes >= progress.offset else None

    def _end_torn_line(self) -> None:
        """End another program's last line, or the last line of a run whose checkpoint is gone."""
        if self.writer.retry(self.writer.output.ends_torn):
            self.writer.append_uncommitted(b"\n")

    def _replay(
        self, begin: Position, tail: bytes, *, until: Position | None
    ) -> tuple[str, Position]:
        """Append what the tail lacks of the entries up to a place.

        Without a place, or where a file of it is gone, continue until the tail is explained.
        """
        replay = Replay(tail)
        if not self.source.seek(begin, until) and until is not None:
            # The place has no losses of what was never written.
            until = None
            self.source.seek(begin)
        position = until or self.source.position
        found: list[tuple[Gap, int]] = []
        markers: _Markers = []
        while until is not None or not replay.is_over:
            self.metrics.heartbeat(self.clock)
            self.source.process()
            batch = self.source.read()
            if not batch.entries and not batch.gaps:
                break
            found += self._compare(replay, batch, markers)
            position = until or batch.end
        found += self._reduce(replay, markers)
        if until is None:
            sequences = position.sequences
            for gap, written in found:
                sequences = not_lost(sequences, gap, written)
            position = dataclasses.replace(position, sequences=sequences)
        self._close(replay)
        return "finished_torn" if replay.finished_torn else "replayed", position

    def _close(self, replay: Replay) -> None:
        data = replay.close()
        self.writer.append_uncommitted(data)
        self.metrics.add("lines_written", data.count(b"\n"))
        self.metrics.add("duplicates_suppressed", replay.suppressed)
        self.metrics.add("recovery_mismatches", replay.mismatches)
        if replay.mismatches:
            _LOG.warning(
                "the output has %d places that do not match the journal", replay.mismatches
            )

    def _reduce(self, replay: Replay, markers: _Markers) -> Iterator[tuple[Gap, int]]:
        """Reduce gaps by lines that no entry explained: a file that vanished had them among those of others.

        Yields each gap and how many of its entries the output has.
        """
        for first, gap, stamp in markers:
            marker = self.formatter.gap_line(gap, *stamp)
            left: Gap | None = gap
            if replay.has_lines and replay.holds_back(marker):
                left, written = replay.reduce_gap(gap, None)
                replay.amend(marker, self.formatter.gap_line(left, *stamp) if left else b"")
                yield gap._replace(seqnum_first=first), written
            if left is not None:
                self.metrics.add("entries_lost", left.entries)
                self.metrics.add("gaps")

    def _compare(
        self, replay: Replay, batch: Batch, markers: _Markers
    ) -> Iterator[tuple[Gap, int]]:
        """Offer the lines of a batch, and of the gaps in it, which are added to ``markers``.

        Yields each gap and how many of its entries the output has.
        """
        lines = self.formatter.lines(batch)
        for index in range(len(lines) + 1):
            for gap in batch.gaps.get(index, ()):
                stamp = batch.stamp(index)
                marker = self.formatter.gap_line(gap, *stamp)
                if replay.holds(marker):
                    replay.offer(marker)
                    continue
                following = next((later for later in lines[index:] if later is not None), None)
                left, written = replay.reduce_gap(gap, following)
                yield gap, written
                if left is not None:
                    replay.offer(self.formatter.gap_line(left, *stamp))
                    markers.append((gap.seqnum_first, left, stamp))
            if index < len(lines) and (line := lines[index]) is not None:
                replay.offer(line)


def _place_before(batch: Batch, index: int) -> Position:
    """Return the place before an element of a batch, after the gaps before it."""
    gaps = sum(len(found) for at, found in batch.gaps.items() if at <= index)
    return batch.place_after(index, gaps)
