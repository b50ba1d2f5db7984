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
from journal_exporter.output.checkpoint import Mark, State
from journal_exporter.output.replay import Replay
from journal_exporter.output.rotating_file import Output
from journal_exporter.output.writer import SYNC_BYTES, Writer

_LOG = logging.getLogger(__name__)
_TAIL_LIMIT_BYTES = 2 * SYNC_BYTES


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
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
        setup: Setup,
        source: Source,
        writer: Writer,
        output: Output,
        formatter: Formatter,
        numbers: SharedMetrics,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._source = source
        self._writer = writer
        self._output = output
        self._formatter = formatter
        self._numbers = numbers
        self._clock = clock

    def run(self, state: State | None) -> None:
        """Start from what the last run left, or from nothing."""
        self._writer.open()
        kind = "first_start"
        since_s = self._clock.time_s()
        if state is None:
            self._end_torn_line()
            position = self._source.start(self._setup.start)
        else:
            kind, position = self._resume(state)
            since_s = state.file_since_s or since_s
        mark = self._writer.here(position)
        fresh = State(
            output=self._setup.output,
            boot_id=self._setup.boot_id,
            render_hash=self._setup.render_hash,
            durable=mark,
            written=mark,
            journal=self._setup.journal,
            file_since_s=since_s,
            generation=state.generation if state else 0,
        )
        self._writer.begin(fresh)
        self._numbers.add("recoveries", 1, kind)
        self._numbers.recovered = True
        _LOG.info("start: %s; output %s at byte %d", kind, self._output.path, mark.offset)

    def _resume(self, state: State) -> tuple[str, Position]:
        same_boot = state.boot_id == self._setup.boot_id
        mark = self._reachable(state.written)
        if mark is None and not same_boot:
            # A power cut took what was not synced: the journal still has it.
            mark = self._reachable(state.durable)
        if mark is None:
            _LOG.warning(
                "%s was removed or emptied; going on in it, from the checkpoint", self._output.path
            )
            self._end_torn_line()
            return "output_gone", state.written.position
        found = mark
        tail = self._writer.insist(
            lambda: self._output.tail(found.file, found.offset, _TAIL_LIMIT_BYTES)
        )
        if not tail:
            return "clean", mark.position
        intent = state.intent
        if same_boot and intent is not None and len(tail) == intent.end_offset - mark.offset:
            return "adopted", intent.position
        return self._replay(mark, tail)

    def _reachable(self, mark: Mark) -> Mark | None:
        size_bytes = self._writer.insist(lambda: self._output.size_of(mark.file))
        return mark if size_bytes is not None and size_bytes >= mark.offset else None

    def _end_torn_line(self) -> None:
        """Somebody else's last line, or one of a run whose checkpoint is gone."""
        if self._writer.insist(self._output.ends_torn):
            self._writer.append(b"\n")

    def _replay(self, mark: Mark, tail: bytes) -> tuple[str, Position]:
        replay = Replay(tail)
        self._source.seek(mark.position)
        position = mark.position
        while not replay.is_over:
            self._numbers.beat(self._clock.monotonic_s(), self._clock.time_s())
            batch = self._source.read(precise=True)
            if not batch.entries:
                self._add(replay.close())
                break
            position = self._compare(replay, batch)
        self._numbers.add("duplicates_suppressed", replay.suppressed)
        self._numbers.add("recovery_mismatches", replay.mismatches)
        if replay.mismatches:
            _LOG.warning(
                "the output holds %d places that the journal does not explain", replay.mismatches
            )
        return "finished_torn" if replay.finished_torn else "replayed", position

    def _add(self, data: bytes) -> None:
        self._writer.append(data)
        self._numbers.add("lines_written", data.count(b"\n"))

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
                    self._numbers.add("entries_lost", left.entries)
                    self._numbers.add("gaps")
            if line is not None:
                self._add(replay.offer(line))
        return batch.end
