"""The start: finds out what is in the output, and leaves a writer that stands at its end.

Guarantees: after a kill, a power cut or a full disk nothing is written twice and nothing is left out;
a file that somebody else removed or emptied is begun anew.
"""

import dataclasses
import logging
from collections.abc import Sequence

from journal_exporter.clock import Clock
from journal_exporter.journal.batch import Batch, Position, Source
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import Progress, State
from journal_exporter.output.replay import Replay
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.output.writer import SYNC_BYTES, Writer

_LOG = logging.getLogger(__name__)
_TAIL_LIMIT_BYTES = 2 * SYNC_BYTES


@dataclasses.dataclass(frozen=True, slots=True)
class RunInfo:
    """What a fresh state says of this run; ``boot_id`` is the kernel's."""

    output: str
    boot_id: str
    render_hash: str
    start: str
    journal: Sequence[str] = ()


class Resume:
    """Brings the writer to the output's end. ``formatter`` renders as the previous run did."""

    def __init__(
        self,
        *,
        run_info: RunInfo,
        source: Source,
        writer: Writer,
        output: RotatingFile,
        formatter: Formatter,
        metrics: SharedMetrics,
        clock: Clock,
    ) -> None:
        self._run_info = run_info
        self._source = source
        self._writer = writer
        self._output = output
        self._formatter = formatter
        self._metrics = metrics
        self._clock = clock

    def run(self, state: State | None) -> None:
        """Start from what the last run left, or from nothing."""
        self._writer.open()
        kind = "first_start"
        since_s = self._clock.time_s()
        if state is None:
            self._end_torn_line()
            position = self._source.start(self._run_info.start)
        else:
            kind, position = self._resume(state)
            since_s = state.file_since_s or since_s
        progress = self._writer.here(position)
        fresh = State(
            output=self._run_info.output,
            boot_id=self._run_info.boot_id,
            render_hash=self._run_info.render_hash,
            durable=progress,
            written=progress,
            journal=self._run_info.journal,
            file_since_s=since_s,
            generation=state.generation if state else 0,
        )
        self._writer.begin(fresh)
        self._metrics.add("recoveries", 1, kind)
        self._metrics.recovered = True
        _LOG.info("start: %s; output %s at byte %d", kind, self._output.path, progress.offset)

    def _resume(self, state: State) -> tuple[str, Position]:
        same_boot = state.boot_id == self._run_info.boot_id
        progress = self._reachable(state.written)
        if progress is None and not same_boot:
            # A power cut took what was not synced: the journal still has it.
            progress = self._reachable(state.durable)
        if progress is None:
            _LOG.warning(
                "%s was removed or emptied; going on in it, from the checkpoint", self._output.path
            )
            self._end_torn_line()
            return "output_gone", state.written.position
        found = progress
        tail = self._writer.insist(
            lambda: self._output.tail(found.file, found.offset, _TAIL_LIMIT_BYTES)
        )
        if not tail:
            return "clean", progress.position
        intent = state.intent
        if same_boot and intent is not None and len(tail) == intent.end_offset - progress.offset:
            return "adopted", intent.position
        return self._replay(progress, tail)

    def _reachable(self, progress: Progress) -> Progress | None:
        size_bytes = self._writer.insist(lambda: self._output.size_of(progress.file))
        return progress if size_bytes is not None and size_bytes >= progress.offset else None

    def _end_torn_line(self) -> None:
        """Somebody else's last line, or one of a run whose checkpoint is gone."""
        if self._writer.insist(self._output.ends_torn):
            self._writer.append(b"\n")

    def _replay(self, progress: Progress, tail: bytes) -> tuple[str, Position]:
        replay = Replay(tail)
        self._source.seek(progress.position)
        position = progress.position
        while not replay.is_over:
            self._metrics.heartbeat(self._clock.monotonic_s(), self._clock.time_s())
            batch = self._source.read(precise=True)
            if not batch.entries:
                self._add(replay.close())
                break
            position = self._compare(replay, batch)
        self._metrics.add("duplicates_suppressed", replay.suppressed)
        self._metrics.add("recovery_mismatches", replay.mismatches)
        if replay.mismatches:
            _LOG.warning(
                "the output holds %d places that the journal does not explain", replay.mismatches
            )
        return "finished_torn" if replay.finished_torn else "replayed", position

    def _add(self, data: bytes) -> None:
        self._writer.append(data)
        self._metrics.add("lines_written", data.count(b"\n"))

    def _compare(self, replay: Replay, batch: Batch) -> Position:
        """Append what the output lacks, up to where its end is reached."""
        lines = self._formatter.lines(batch)
        for index, line in enumerate(lines):
            if replay.is_over:
                return batch.positions[index - 1]
            gap = batch.gaps.get(index)
            if gap is not None:
                time_us, context = batch.times_us[index], batch.contexts[index]
                marker = self._formatter.gap_line(gap, time_us, context)
                following = next((later for later in lines[index:] if later is not None), None)
                left = replay.explained(gap, marker, following)
                if left is not None:
                    marker = self._formatter.gap_line(left, time_us, context)
                    self._add(replay.offer(marker))
                    self._metrics.add("entries_lost", left.entries)
                    self._metrics.add("gaps")
            if line is not None:
                self._add(replay.offer(line))
        return batch.end
