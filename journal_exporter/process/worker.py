"""The worker process: builds the parts from the settings, and runs the pipeline.

It owns nothing that a restart would lose: the supervisor replaces a worker that dies.
"""

import contextlib
import gc
import math
import resource
from collections.abc import Callable

from journal_exporter.clock import Clock, Stop
from journal_exporter.config import Settings
from journal_exporter.errors import output_errors
from journal_exporter.journal.memory import give_back_large_buffers
from journal_exporter.journal.opening import open_journal
from journal_exporter.journal.reader import JournalReader
from journal_exporter.monitoring.journal_watch import JournalWatch
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output import checkpoint as checkpoints
from journal_exporter.output.checkpoint import CheckpointFile, DamagedCheckpointError
from journal_exporter.output.resume import Resume
from journal_exporter.output.retry import Stopped
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.output.rotation import RotationPolicy
from journal_exporter.output.writer import Writer
from journal_exporter.process import rendering
from journal_exporter.process.pipeline import Pipeline
from journal_exporter.process.preflight import check_state

_ONCE_MAX_BLOCKED_S = 10.0
"""With ``--once``: whoever waits for the end learns the reason."""


def raise_open_files_limit() -> None:
    """Raise the soft limit of open files to the hard one: the journal may have a file per user."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(
    settings: Settings,
    metrics: SharedMetrics,
    *,
    clock: Clock,
    stop: Stop,
    boot_id: str,
    set_aside: frozenset[str] = frozenset(),
    renew_lock: Callable[[], None] = lambda: None,
) -> None:
    """Write lines until stop is requested; ``set_aside`` has the keys of files that are not read.

    ``renew_lock`` creates and locks a state directory that another process removed; may raise ``OSError``.

    Raises:
        BlockedError: with ``once``, the output or the state can't be written.
    """
    # No code here makes reference cycles in bulk, and each collection would visit every batch.
    gc.disable()
    give_back_large_buffers()
    raise_open_files_limit()

    def open_source() -> JournalReader:
        return open_journal(
            directories=settings.journal_directories,
            with_units=settings.format == "json"
            or bool(settings.include_unit or settings.exclude_unit),
            set_aside=set_aside,
            max_deleted_bytes=settings.max_deleted_bytes,
            monotonic_s=clock.monotonic_s,
        )

    watch = JournalWatch(settings.journal_directories, metrics, set_aside, time_s=clock.time_s)
    output = RotatingFile(
        settings.output,
        keep_files=settings.keep_files,
        keep_bytes=settings.keep_bytes,
        max_bytes=settings.max_bytes,
        on_archive_deleted=lambda reason: metrics.add("archives_deleted", 1, reason),
    )
    with contextlib.ExitStack() as stack:
        stack.callback(output.close)
        present = rendering.from_settings(settings)
        try:
            state = checkpoints.load(settings.state_directory)
            is_damaged, previous = (
                False,
                rendering.previous(settings.state_directory, state, present),
            )
        except DamagedCheckpointError:
            state = None
            is_damaged, previous = True, rendering.last_saved(settings.state_directory, present)
        check_state(state, settings)

        def prepare_directory() -> None:
            with output_errors("preparing", settings.state_directory):
                renew_lock()
            rendering.save(settings.state_directory, present)

        checkpoint = CheckpointFile(settings.state_directory, prepare_directory)
        stack.callback(checkpoint.close)
        writer = Writer(
            output=output,
            checkpoint=checkpoint,
            rotation=RotationPolicy(
                max_bytes=settings.max_bytes,
                max_age_s=settings.max_age,
                settle_s=0.0 if settings.once else settings.rotation_settle_s,
                min_interval_s=0.0 if settings.once else settings.rotation_interval_s,
            ),
            metrics=metrics,
            clock=clock,
            stop=stop,
            prepare=prepare_directory,
            while_blocked=lambda position: watch.scan(position, clock.monotonic_s()),
            max_blocked_s=_ONCE_MAX_BLOCKED_S if settings.once else math.inf,
        )
        try:
            with contextlib.closing(open_source()) as source:
                Resume(
                    boot_id=boot_id,
                    render_hash=rendering.digest(present),
                    start=settings.start,
                    journal=list(map(str, settings.journal_directories)),
                    source=source,
                    writer=writer,
                    formatter=rendering.formatter(previous),
                    metrics=metrics,
                    clock=clock,
                ).run(state, is_damaged=is_damaged)
        except Stopped:
            return
        rendering.delete_others(settings.state_directory, rendering.digest(present))
        Pipeline(
            open_source=open_source,
            formatter=rendering.formatter(present),
            writer=writer,
            scan=watch.scan,
            metrics=metrics,
            clock=clock,
            stop=stop,
            once=settings.once,
        ).run()
