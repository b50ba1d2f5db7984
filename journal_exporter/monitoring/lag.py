"""Pure: computes how far behind the journal's end a place is, and when journald deletes unread entries."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from journal_exporter.journal.files import JournalFile

_DEFAULT_MAX_USE_BYTES = 4 << 30
_DEFAULT_MAX_USE_FRACTION = 0.1


class Lag(NamedTuple):
    """How far behind: ``entries`` by sequence numbers, ``lag_s`` the age of the oldest unread entry."""

    entries: int
    lag_s: float


def lag_of_all(files: Sequence[JournalFile]) -> Lag:
    """Return the lag of a reader that has read no entry yet."""
    filled = [file for file in files if file.header.tail_seqnum]
    if not filled:
        return Lag(0, 0.0)
    entries = sum(file.header.tail_seqnum - file.header.head_seqnum + 1 for file in filled)
    oldest_us = min(file.header.head_realtime_us for file in filled)
    newest_us = max(file.header.tail_realtime_us for file in filled)
    return Lag(entries, max(0.0, (newest_us - oldest_us) / 1e6))


def lag(files: Sequence[JournalFile], last_seqnums: Mapping[str, int], newest_us: int) -> Lag:
    """Return the lag of a reader, from the files' tails.

    ``last_seqnums`` has the last sequence number read of each id; ``newest_us`` is the time of the newest
    entry read. The age is the time between the newest entry on disk and the newest one read, so a quiet
    journal has no lag.
    """
    tails: dict[str, int] = {}
    for file in files:
        if file.header.seqnum_id in last_seqnums:
            tails[file.header.seqnum_id] = max(
                tails.get(file.header.seqnum_id, 0), file.header.tail_seqnum
            )
    entries = sum(max(0, tail - last_seqnums[key]) for key, tail in tails.items())
    unread = [
        file
        for file in files
        if file.header.tail_seqnum > last_seqnums.get(file.header.seqnum_id, 0)
    ]
    if not entries or not newest_us:
        return Lag(entries, 0.0)
    tail_us = max((file.header.tail_realtime_us for file in unread), default=0)
    return Lag(entries, max(0.0, (tail_us - newest_us) / 1e6))


def default_max_use_bytes(filesystem_bytes: int) -> int:
    """Return journald's default ``SystemMaxUse=``: a tenth of the file system, 4 GiB at most.

    See journald.conf(5). Bottlerocket does not change it.
    """
    return min(int(filesystem_bytes * _DEFAULT_MAX_USE_FRACTION), _DEFAULT_MAX_USE_BYTES)


def seconds_to_vacuum(
    files: Sequence[JournalFile],
    last_seqnums: Mapping[str, int],
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
    read_bytes = sum(
        file.size_bytes
        for file in files
        if file.header.tail_seqnum <= last_seqnums.get(file.header.seqnum_id, 0)
    )
    return max(0.0, max_use_bytes - used_bytes + read_bytes) / growth_bytes_per_s
