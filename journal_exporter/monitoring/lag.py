"""Pure: computes how far behind the journal's end a place is, and when journald deletes unread entries."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from journal_exporter.journal.files import JournalFile
from journal_exporter.journal.position import Position

_DEFAULT_MAX_USE_BYTES = 4 << 30
_DEFAULT_MAX_USE_FRACTION = 0.1


class Lag(NamedTuple):
    """How far behind: unread ``entries``, and the time of the oldest one, 0 if there is none."""

    entries: int
    oldest_us: int


def lag(files: Sequence[JournalFile], position: Position) -> Lag:
    """Return how far behind a position is, from the headers of the files."""
    unread = [(file, entries) for file in files if (entries := _unread(file, position))]
    return Lag(
        sum(entries for _, entries in unread),
        min((_next_us(file, position) for file, _ in unread), default=0),
    )


def _unread(file: JournalFile, position: Position) -> int:
    found = (position.files or {}).get(file.header.file_id)
    return max(0, file.header.entries - (found.place.entries if found else 0))


def _next_us(file: JournalFile, position: Position) -> int:
    """Return when the next entry of a file was written, or a time before."""
    found = (position.files or {}).get(file.header.file_id)
    return (found.place.realtime_us if found else 0) or file.header.head_realtime_us


def default_max_use_bytes(filesystem_bytes: int) -> int:
    """Return journald's default ``SystemMaxUse=``: a tenth of the file system, 4 GiB at most.

    See journald.conf(5). Bottlerocket does not change it.
    """
    return min(int(filesystem_bytes * _DEFAULT_MAX_USE_FRACTION), _DEFAULT_MAX_USE_BYTES)


def seconds_to_vacuum(
    files: Sequence[JournalFile],
    position: Position,
    *,
    growth_bytes_per_s: float,
    max_use_bytes: int,
) -> float:
    """Estimate the time until journald deletes the oldest file with unread entries.

    Infinite while the journal does not grow. When all files together exceed journald's limit, it deletes
    whole archived files, the oldest first. So files that are read to their end are a reserve.
    """
    if growth_bytes_per_s <= 0:
        return math.inf
    used_bytes = sum(file.size_bytes for file in files)
    read_bytes = sum(file.size_bytes for file in files if not _unread(file, position))
    return max(0.0, max_use_bytes - used_bytes + read_bytes) / growth_bytes_per_s
