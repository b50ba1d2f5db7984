"""Stores how a run formatted entries, so that the next run can format them to the same bytes.

The checkpoint names a rendering by its digest; a file beside the checkpoint holds the rendering.
"""

import contextlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

from journal_exporter.config import Settings
from journal_exporter.errors import output_errors
from journal_exporter.lines.filters import EntryFilter, facility_number, priority_number
from journal_exporter.lines.format import REVISION, Formatter
from journal_exporter.output.checkpoint import State
from journal_exporter.output.durable import replace_file
from journal_exporter.output.regular_file import open_to_read

_MAX_BYTES = 16 << 20
"""Far more than all globs of a command line."""


def from_settings(settings: Settings) -> dict[str, Any]:
    """Return the rendering: everything that determines a line's bytes, as JSON can hold it."""
    return {
        "revision": REVISION,
        "format": settings.format,
        "time_zone": os.environ.get("TZ", "") if settings.format == "rfc3164" else "",
        "max_priority": priority_number(settings.max_priority),
        "exclude_facilities": sorted(map(facility_number, settings.exclude_facility)),
        "include_units": list(settings.include_unit),
        "exclude_units": list(settings.exclude_unit),
    }


def formatter(rendering: dict[str, Any]) -> Formatter:
    """Return the formatter of a rendering."""
    entry_filter = EntryFilter(
        max_priority=rendering["max_priority"],
        exclude_facilities=frozenset(rendering["exclude_facilities"]),
        include_units=tuple(rendering["include_units"]),
        exclude_units=tuple(rendering["exclude_units"]),
    )
    return Formatter(rendering["format"], entry_filter)


def digest(rendering: dict[str, Any]) -> str:
    """Return a short name for a rendering."""
    text = json.dumps(rendering, sort_keys=True).encode()
    return f"{zlib.crc32(text):08x}"


def _path(directory: Path, name: str) -> Path:
    return directory / f"render-{name}.json"


def previous(directory: Path, state: State | None, present: dict[str, Any]) -> dict[str, Any]:
    """Return the rendering of the run that stored the state; the present one where it can't be read."""
    if state is None or state.render_hash == digest(present):
        return present
    saved = _read(_path(directory, state.render_hash))
    return saved if saved is not None and digest(saved) == state.render_hash else present


def last_saved(directory: Path, present: dict[str, Any]) -> dict[str, Any]:
    """Return the newest rendering that a run stored; the present one where none can be read."""
    for path in sorted(directory.glob("render-*.json"), key=_modified_ns, reverse=True):
        if (saved := _read(path)) is not None:
            return saved
    return present


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with open_to_read(path) as file:
            saved: dict[str, Any] = json.loads(file.read(_MAX_BYTES))
        formatter(saved)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return saved


def save(directory: Path, rendering: dict[str, Any]) -> None:
    """Store this run's rendering for the next run, beside the one of the run before.

    Raises:
        OutputError: it can't be written now.
    """
    path = _path(directory, digest(rendering))
    data = json.dumps(rendering, sort_keys=True).encode()
    with output_errors("writing", path):
        # What can't be read is replaced, as what is missing.
        with contextlib.suppress(OSError), open_to_read(path) as file:
            if file.read(_MAX_BYTES) == data:
                return
        replace_file(path, data)


def delete_others(directory: Path, name: str) -> None:
    """Delete the renderings of earlier runs: the checkpoint names the present one by now."""
    for path in directory.glob("render-*"):
        if path != _path(directory, name):
            with contextlib.suppress(OSError):
                path.unlink()
