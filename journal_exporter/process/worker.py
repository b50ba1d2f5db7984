"""The worker process: builds the parts from the settings and runs the pipeline.

It is replaced whenever it dies, so it owns nothing that a restart would miss.
"""

import contextlib
import dataclasses
import gc

from journal_exporter.clock import Clock, Stop
from journal_exporter.config import Settings
from journal_exporter.journal.files import directories
from journal_exporter.journal.memory import give_back_large_buffers
from journal_exporter.journal.reader import JournalSource
from journal_exporter.monitoring.journal_watch import JournalWatch
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output import checkpoint as checkpoints
from journal_exporter.output.checkpoint import CheckpointFile
from journal_exporter.output.resume import Resume, Setup
from journal_exporter.output.rotating_file import Output
from journal_exporter.output.writer import Rotation, Stopped, Writer
from journal_exporter.process import rendering
from journal_exporter.process.pipeline import Pipeline
from journal_exporter.process.preflight import check_state


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What the supervisor hands to every worker."""

    settings: Settings
    numbers: SharedMetrics
    clock: Clock
    boot_id: str
    set_aside: frozenset[str] = frozenset()


def run(work: Work, stop: Stop) -> None:
    """Do the work until stop is asked for.

    Raises:
        SourceError: the journal can't be read; another worker may.
    """
    settings, numbers, clock = work.settings, work.numbers, work.clock
    # Nothing here makes reference cycles by the million, and a collection looks at every batch.
    gc.disable()
    give_back_large_buffers()

    def beat() -> None:
        numbers.beat(clock.monotonic_s(), clock.time_s())

    def open_source() -> JournalSource:
        return JournalSource(
            root=settings.journal_root,
            directory=settings.journal_directory,
            wide=settings.format == "json" or bool(settings.include_unit or settings.exclude_unit),
            set_aside=work.set_aside,
            beat=beat,
        )

    tops = directories(root=settings.journal_root, directory=settings.journal_directory)
    watch = JournalWatch(tops, numbers, work.set_aside)
    output = Output(
        settings.output,
        keep_files=settings.keep_files,
        keep_bytes=settings.keep_bytes,
        max_bytes=settings.max_bytes,
        on_archive_deleted=lambda reason: numbers.add("archives_deleted", 1, reason),
    )
    with contextlib.ExitStack() as stack:
        stack.callback(output.close)
        state = checkpoints.load(settings.state_directory)
        check_state(state, settings)
        now = rendering.of(settings)
        checkpoint = CheckpointFile(settings.state_directory)
        stack.callback(checkpoint.close)
        writer = Writer(
            output=output,
            checkpoint=checkpoint,
            rotation=Rotation(
                max_bytes=settings.max_bytes,
                max_age_s=settings.max_age,
                settle_s=0.0 if settings.once else settings.rotation_settle_s,
                min_interval_s=0.0 if settings.once else settings.rotation_interval_s,
            ),
            numbers=numbers,
            clock=clock,
            stop=stop,
            prepare=lambda: rendering.save(settings.state_directory, now),
            while_blocked=lambda position: watch.scan(position, clock.monotonic_s()),
        )
        try:
            with contextlib.closing(open_source()) as source:
                Resume(
                    setup=Setup(
                        output=str(settings.output),
                        boot_id=work.boot_id,
                        render_hash=rendering.digest(now),
                        start=settings.start,
                        journal=[str(top) for top in tops],
                    ),
                    source=source,
                    writer=writer,
                    output=output,
                    formatter=rendering.formatter(
                        rendering.previous(settings.state_directory, state, now)
                    ),
                    numbers=numbers,
                    clock=clock,
                ).run(state)
        except Stopped:
            return
        rendering.forget(settings.state_directory, rendering.digest(now))
        Pipeline(
            open_source=open_source,
            formatter=rendering.formatter(now),
            writer=writer,
            scan=watch.scan,
            numbers=numbers,
            clock=clock,
            stop=stop,
            once=settings.once,
        ).run()
