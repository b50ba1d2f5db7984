"""Reads from the state directory what an exporter has done so far, whether it runs or not."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from journal_exporter.errors import ConfigError
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.files import find_files, inspect_files
from journal_exporter.monitoring import lag
from journal_exporter.output import archives, checkpoint
from journal_exporter.process.paths import check_directory
from journal_exporter.process.state_lock import is_running
from journal_exporter.quantities import human_bytes


def collect(state_directory: Path, time_s: Callable[[], float] = time.time) -> dict[str, Any]:
    """Return the status as JSON can hold it; times in seconds since the epoch.

    Raises:
        ConfigError: the checkpoint is missing or can't be read.
    """
    check_directory("--state-directory", state_directory, "give the exporter's state directory")
    state = checkpoint.load(state_directory)
    if state is None:
        raise ConfigError(
            f"--state-directory: {state_directory} has no checkpoint: no exporter has run with it; give"
            " the exporter's state directory"
        )
    position = state.newest
    files = inspect_files(find_files(map(Path, state.journal)))
    good = [file for file in files if file.state == "readable"]
    newest_us = cursors.parse(position.cursor).realtime_us if position.cursor else 0
    behind = lag.lag(good, position)
    behind_s = max(0.0, time_s() - behind.oldest_us / 1e6) if behind.entries else 0.0
    output = Path(state.output)
    return {
        "running": is_running(state_directory),
        "checkpoint": {
            "cursor": position.cursor,
            "newest_entry_s": newest_us / 1e6 if newest_us else None,
            "stored_s": (state_directory / checkpoint.NAME).stat().st_mtime,
        },
        "lag": {"entries": behind.entries, "seconds": round(behind_s, 3)},
        "journal": [{"path": str(file.path), "state": file.state} for file in files],
        "output": [
            {"path": str(path), "size_bytes": path.stat().st_size}
            for path in archives.newest_first(output)
            if path.is_file()
        ],
        "gaps": {
            "lost_entries": position.sequences["lost"],
            "count": position.sequences["gaps"],
            "recent": [
                {"first": first, "last": last, "time_s": time_us / 1e6}
                for first, last, time_us in position.sequences["recent"]
            ],
        },
    }


def _when(seconds: float | None) -> str:
    if not seconds:
        return "never"
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def text(status: dict[str, Any]) -> str:
    """Return the status as text, one fact per line."""
    behind, gaps, stored = status["lag"], status["gaps"], status["checkpoint"]
    rows = [
        ("exporter", "running" if status["running"] else "stopped"),
        ("newest entry", _when(stored["newest_entry_s"])),
        ("checkpoint", f"stored {_when(stored['stored_s'])}"),
        ("lag", f"{behind['entries']} entries, {behind['seconds']:.1f} s"),
        (
            "lost",
            f"{gaps['lost_entries']} entries in {gaps['count']} gap{'s'[: gaps['count'] != 1]}",
        ),
    ]
    rows += [
        ("gap", f"{gap['first']}..{gap['last']} before {_when(gap['time_s'])}")
        for gap in gaps["recent"]
    ]
    rows += [
        ("output", f"{file['path']} ({human_bytes(file['size_bytes'])})")
        for file in status["output"]
    ]
    states = [file["state"] for file in status["journal"]]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    rows.append(("journal files", counts or "none"))
    return "\n".join(f"{name + ':':<15}{value}" for name, value in rows)


def as_json(status: dict[str, Any]) -> str:
    """Return the status as indented JSON."""
    return json.dumps(status, indent=2)
