"""Reads what the output and its archives hold. Every function raises ``OutputError``."""

import os
from pathlib import Path

from journal_exporter.errors import OutputError, output_errors
from journal_exporter.output import archives
from journal_exporter.output.file_id import FileId, matches
from journal_exporter.output.regular_file import open_to_read


def size_of(output: Path, wanted: FileId) -> int | None:
    """Return the size of the file with this identity, in bytes; None when it is gone."""
    found = _newest_to(output, wanted)
    with output_errors("reading", output):
        return None if found is None else found[-1].stat().st_size


def read_after(output: Path, wanted: FileId, offset: int, limit_bytes: int) -> bytes:
    """Return what was written after ``offset`` of the file ``wanted``, in that file and in newer ones.

    Returns the newest ``limit_bytes`` at most. ``size_of`` must have found the file.
    """
    *newer, oldest = _newest_to(output, wanted) or [output]
    pieces = [_read_from(oldest, offset, limit_bytes)]
    pieces += [_read_from(path, 0, limit_bytes) for path in reversed(newer)]
    return b"".join(pieces)[-limit_bytes:]


def read_last(output: Path, limit_bytes: int) -> bytes:
    """Return the newest ``limit_bytes`` at most of the output and its archives, from a line's start."""
    pieces: list[bytes] = []
    left_bytes = limit_bytes
    for path in archives.newest_first(output):
        if left_bytes and os.path.lexists(path):
            pieces.append(_read_from(path, 0, left_bytes))
            left_bytes -= len(pieces[-1])
    data = b"".join(reversed(pieces))
    return data if left_bytes else data[data.find(b"\n") + 1 :]


def _newest_to(output: Path, wanted: FileId) -> list[Path] | None:
    """Return the files from the live one back to the wanted one, which comes last."""
    paths: list[Path] = []
    for path in archives.newest_first(output):
        try:
            with open_to_read(path) as file:
                paths.append(path)
                if matches(file.fileno(), wanted):
                    return paths
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OutputError(f"reading {path}", error) from error
    return None


def _read_from(path: Path, offset: int, limit_bytes: int) -> bytes:
    with output_errors("reading", path), open_to_read(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        file.seek(max(offset, size_bytes - limit_bytes))
        return file.read()
