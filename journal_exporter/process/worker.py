"""The worker process: builds the parts from the settings and runs the pipeline.

It is replaced whenever it dies, so it owns nothing that a restart would miss.
"""

import contextlib
import dataclasses
import gc

from journal_exporter.clock import Clock, Stop
from journal_exporter.config import Settings
from journal_exporter.journal.files import journal_directories
from journal_exporter.journal.memory import give_back_large_buffers
from journal_exporter.journal.reader import JournalReader
from journal_exporter.monitoring.journal_watch import JournalWatch
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output import checkpoint as checkpoints
from journal_exporter.output.checkpoint import CheckpointFile
from journal_exporter.output.resume import Resume, RunInfo
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.output.writer import Rotation, Stopped, Writer
from journal_exporter.process import rendering
from journal_exporter.process.pipeline import Pipeline
from journal_exporter.process.preflight import check_state


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What the supervisor hands to every worker."""

    settings: Settings
    metrics: SharedMetrics
    clock: Clock
    boot_id: str
    set_aside: frozenset[str] = frozenset()


def run(work: Work, stop: Stop) -> None:
    """Do the work until stop is asked for.

    Raises:
        JournalError: the journal can't be read; another worker may.
    """
    settings, metrics, clock = work.settings, work.metrics, work.clock
    # Nothing here makes reference cycles by the million, and a collection looks at every batch.
    gc.disable()
    give_back_large_buffers()

    def heartbeat() -> None:
        metrics.heartbeat(clock.monotonic_s(), clock.time_s())

    def open_source() -> JournalReader:
        return JournalReader(
            root=settings.journal_root,
            directory=settings.journal_directory,
            with_units=settings.format == "json"
            or bool(settings.include_unit or settings.exclude_unit),
            set_aside=work.set_aside,
            heartbeat=heartbeat,
        )

    directories = journal_directories(
        root=settings.journal_root, directory=settings.journal_directory
    )
    watch = JournalWatch(directories, metrics, work.set_aside)
    output = RotatingFile(
        settings.output,
        keep_files=settings.keep_files,
        keep_bytes=settings.keep_bytes,
        max_bytes=settings.max_bytes,
        on_archive_deleted=lambda reason: metrics.add("archives_deleted", 1, reason),
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
            metrics=metrics,
            clock=clock,
            stop=stop,
            prepare=lambda: rendering.save(settings.state_directory, now),
            while_blocked=lambda position: watch.scan(position, clock.monotonic_s()),
        )
        try:
            with contextlib.closing(open_source()) as source:
                Resume(
                    run_info=RunInfo(
                        output=str(settings.output),
                        boot_id=work.boot_id,
                        render_hash=rendering.digest(now),
                        start=settings.start,
                        journal=[str(directory) for directory in directories],
                    ),
                    source=source,
                    writer=writer,
                    output=output,
                    formatter=rendering.formatter(
                        rendering.previous(settings.state_directory, state, now)
                    ),
                    metrics=metrics,
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
            metrics=metrics,
            clock=clock,
            stop=stop,
            once=settings.once,
        ).run()
