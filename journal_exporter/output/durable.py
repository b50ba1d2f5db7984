"""Makes files and their names survive a power cut."""

import contextlib
import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Write a file as a whole, for its owner only: a crash leaves the old content or all of the new one."""
    new = path.with_suffix(".new")
    # Of a write that was killed, or of somebody else: a pipe would wait for a reader.
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
    sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents, and make their names durable."""
    missing = []
    for place in (path, *path.parents):
        if os.path.lexists(place):
            break
        missing.append(place)
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        # This user may be allowed to write the parent, but not to read it.
        with contextlib.suppress(PermissionError):
            sync_directory(place.parent)
    if not missing:
        path.mkdir(exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
