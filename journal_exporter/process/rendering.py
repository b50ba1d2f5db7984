"""Keeps how the last run rendered entries, so that recovery renders them to the same bytes.

The checkpoint names a rendering by its digest; a note beside it holds the rendering itself.
"""

import contextlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

from journal_exporter.config import Settings
from journal_exporter.errors import OutputError
from journal_exporter.lines.filters import EntryFilter, facility_number, priority_number
from journal_exporter.lines.format import REVISION, Formatter
from journal_exporter.output.checkpoint import State
from journal_exporter.output.rotating_file import sync_directory


def of(settings: Settings) -> dict[str, Any]:
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
    entry_filter = EntryFilter(
        max_priority=rendered["max_priority"],
        exclude_facilities=frozenset(rendered["exclude_facilities"]),
        include_units=tuple(rendered["include_units"]),
        exclude_units=tuple(rendered["exclude_units"]),
    )
    return Formatter(rendered["format"], entry_filter)


def digest(rendered: dict[str, Any]) -> str:
    """Return a short name for a ``rendering``."""
    text = json.dumps(rendered, sort_keys=True).encode()
    return f"{zlib.crc32(text):08x}"


def _note(directory: Path, name: str) -> Path:
    return directory / f"render-{name}.json"


def previous(directory: Path, state: State | None, now: dict[str, Any]) -> dict[str, Any]:
    """Return how the run that left the state rendered; the present way where it left no note."""
    if state is None or state.render_hash == digest(now):
        return now
    try:
        saved: dict[str, Any] = json.loads(_note(directory, state.render_hash).read_bytes())
        formatter(saved)
    except (OSError, ValueError, KeyError, TypeError):
        return now
    return saved if digest(saved) == state.render_hash else now


def save(directory: Path, rendered: dict[str, Any]) -> None:
    """Keep for the next run how this one renders, beside the note of the run before.

    Raises:
        OutputError: it can't be written now.
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
        raise OutputError(f"writing {path}", error) from error


def forget(directory: Path, kept: str) -> None:
    """Delete the notes of earlier runs: the checkpoint names the present one by now."""
    for path in directory.glob("render-*"):
        if path != _note(directory, kept):
            with contextlib.suppress(OSError):
                path.unlink()
