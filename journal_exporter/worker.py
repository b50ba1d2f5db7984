"""The worker process: builds the parts from the settings and runs the pipeline.

It is replaced whenever it dies, so it owns nothing that a restart would miss.
"""

import contextlib
import dataclasses
import gc
import json
import os
import zlib
from pathlib import Path
from typing import Any

from journal_exporter import checkpoint as checkpoints
from journal_exporter.checkpoint import CheckpointFile, State
from journal_exporter.clock import Clock, Stop
from journal_exporter.config import Settings
from journal_exporter.errors import SinkError
from journal_exporter.format import REVISION, Formatter
from journal_exporter.journal_files import directories
from journal_exporter.memory import give_back_large_buffers
from journal_exporter.metrics import Numbers
from journal_exporter.pipeline import Pipeline
from journal_exporter.preflight import check_state
from journal_exporter.resume import Resume, Setup
from journal_exporter.selection import Selection, facility_number, priority_number
from journal_exporter.sink import Output, sync_directory
from journal_exporter.source import JournalSource
from journal_exporter.watch import JournalWatch
from journal_exporter.writer import Rotation, Stopped, Writer


def rendering(settings: Settings) -> dict[str, Any]:
    """Return everything that decides an entry's bytes: what recovery needs of the previous run."""
    return {
        "revision": REVISION,
        "format": settings.format,
        "time_zone": os.environ.get("TZ", "") if settings.format == "rfc3164" else "",
        "max_priority": priority_number(settings.max_priority),
        "exclude_facilities": sorted(map(facility_number, settings.exclude_facility)),
        "include_units": list(settings.include_unit),
        "exclude_units": list(settings.exclude_unit),
    }


def formatter(rendered: dict[str, Any]) -> Formatter:
    """Return the formatter of a ``rendering``."""
    selection = Selection(
        max_priority=rendered["max_priority"],
        exclude_facilities=frozenset(rendered["exclude_facilities"]),
        include_units=tuple(rendered["include_units"]),
        exclude_units=tuple(rendered["exclude_units"]),
    )
    return Formatter(rendered["format"], selection)


def digest(rendered: dict[str, Any]) -> str:
    """Return a short name for a ``rendering``."""
    text = json.dumps(rendered, sort_keys=True).encode()
    return f"{zlib.crc32(text):08x}"


def _note(directory: Path, name: str) -> Path:
    return directory / f"render-{name}.json"


def previous_rendering(directory: Path, state: State | None, now: dict[str, Any]) -> dict[str, Any]:
    """Return how the run that left the state rendered; the present way where it left no note."""
    if state is None or state.render_hash == digest(now):
        return now
    try:
        saved: dict[str, Any] = json.loads(_note(directory, state.render_hash).read_bytes())
        formatter(saved)
    except (OSError, ValueError, KeyError, TypeError):
        return now
    return saved if digest(saved) == state.render_hash else now


def save_rendering(directory: Path, rendered: dict[str, Any]) -> None:
    """Keep for the next run how this one renders, beside the note of the run before.

    Raises:
        SinkError: it can't be written now.
    """
    path = _note(directory, digest(rendered))
    data = json.dumps(rendered, sort_keys=True).encode()
    fresh = path.with_suffix(".new")
    try:
        with contextlib.suppress(FileNotFoundError):
            if path.read_bytes() == data:
                return
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
        sync_directory(directory)
    except OSError as error:
        raise SinkError(f"writing {path}", error) from error


def forget_renderings(directory: Path, kept: str) -> None:
    """Delete the notes of earlier runs: the checkpoint names the present one by now."""
    for path in directory.glob("render-*"):
        if path != _note(directory, kept):
            with contextlib.suppress(OSError):
                path.unlink()


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What the supervisor hands to every worker."""

    settings: Settings
    numbers: Numbers
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
        now = rendering(settings)
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
            prepare=lambda: save_rendering(settings.state_directory, now),
            while_blocked=lambda position: watch.scan(position, clock.monotonic_s()),
        )
        try:
            with contextlib.closing(open_source()) as source:
                Resume(
                    setup=Setup(
                        output=str(settings.output),
                        boot_id=work.boot_id,
                        render_hash=digest(now),
                        start=settings.start,
                        journal=[str(top) for top in tops],
                    ),
                    source=source,
                    writer=writer,
                    output=output,
                    formatter=formatter(previous_rendering(settings.state_directory, state, now)),
                    numbers=numbers,
                    clock=clock,
                ).run(state)
        except Stopped:
            return
        forget_renderings(settings.state_directory, digest(now))
        Pipeline(
            open_source=open_source,
            formatter=formatter(now),
            writer=writer,
            scan=watch.scan,
            numbers=numbers,
            clock=clock,
            stop=stop,
            once=settings.once,
        ).run()
