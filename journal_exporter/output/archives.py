"""Pure: the names of a rotated file and the renames of a rotation.

``messages`` is the newest, then ``messages.1`` to ``messages.9``. One digit only: Zabbix agent2 sorts
``.10`` before ``.2`` when both have the same time. Archives are renamed, never written again.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

MAX_KEEP_FILES = 9


def archive(output: Path, number: int) -> Path:
    """Return the name of archive ``number``, 1 being the newest."""
    return output.with_name(f"{output.name}.{number}")


def newest_first(output: Path, keep_files: int = MAX_KEEP_FILES) -> list[Path]:
    """Return every name that the output can have, the live file first."""
    return [output, *(archive(output, number) for number in range(1, keep_files + 1))]


def shift(output: Path, existing: Collection[int], keep_files: int) -> list[tuple[Path, Path]]:
    """Return the renames, in order, that free the live name.

    They fill the lowest gap, so none ever lands on a file that exists, and a crash after any of
    them leaves a state from which ``shift`` gives the rest. ``existing`` must lack at least one number
    of 1 to ``keep_files``.

    Raises:
        ValueError: there is no gap; delete the oldest first.
    """
    gap = next((n for n in range(1, keep_files + 1) if n not in existing), None)
    if gap is None:
        raise ValueError(f"archives 1 to {keep_files} all exist")
    names = newest_first(output, gap)
    return [(names[n - 1], names[n]) for n in range(gap, 0, -1)]


def surplus(sizes_bytes: Sequence[int], live_bytes: int, keep_bytes: int) -> int:
    """Return how many of the oldest archives must go so that all files fit into ``keep_bytes``.

    ``sizes_bytes`` is newest first; 0 for ``keep_bytes`` keeps all.
    """
    if keep_bytes == 0:
        return 0
    total_bytes = live_bytes
    for kept, size_bytes in enumerate(sizes_bytes):
        total_bytes += size_bytes
        if total_bytes > keep_bytes:
            return len(sizes_bytes) - kept
    return 0
