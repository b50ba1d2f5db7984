"""Pure: the names of a rotated file and the renames of a rotation.

``messages`` is the live file; ``messages.1`` to ``messages.9`` are the archives, the newest first. Numbers
have one digit, because Zabbix agent2 sorts ``.10`` before ``.2`` when both have the same time. Archives are
renamed, but never written again.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

MAX_KEEP_FILES = 9


def archive(output: Path, number: int) -> Path:
    """Return the path of archive ``number``; 1 is the newest."""
    return output.with_name(f"{output.name}.{number}")


def newest_first(output: Path, keep_files: int = MAX_KEEP_FILES) -> list[Path]:
    """Return every path that the output can have, the live file first."""
    return [output, *(archive(output, number) for number in range(1, keep_files + 1))]


def shift(output: Path, existing: Collection[int], keep_files: int) -> list[tuple[Path, Path]]:
    """Return the renames, in order, that free the live name.

    They fill the lowest free number, so none overwrites an existing file. After a crash between two of them,
    ``shift`` returns the remaining ones. ``existing`` must lack at least one number from 1 to ``keep_files``.

    Raises:
        ValueError: no number is free; delete the oldest archive first.
    """
    free = next((n for n in range(1, keep_files + 1) if n not in existing), None)
    if free is None:
        raise ValueError(f"archives 1 to {keep_files} all exist")
    names = newest_first(output, free)
    return [(names[n - 1], names[n]) for n in range(free, 0, -1)]


def surplus(sizes_bytes: Sequence[int], live_bytes: int, keep_bytes: int) -> int:
    """Return how many of the oldest archives to delete so that all files fit into ``keep_bytes``.

    ``sizes_bytes`` lists the newest first. A ``keep_bytes`` of 0 keeps all archives.
    """
    if keep_bytes == 0:
        return 0
    total_bytes = live_bytes
    for kept, size_bytes in enumerate(sizes_bytes):
        total_bytes += size_bytes
        if total_bytes > keep_bytes:
            return len(sizes_bytes) - kept
    return 0
