"""Finds the journal's files and reads their headers: libsystemd silently skips files that it can't read.

Guarantees: every ``*.journal`` and ``*.journal~`` file in the directories that libsystemd would read is
counted once, as readable, unsupported, corrupt or denied. Only headers are read, with ``pread``: a mapped
file that is truncated would kill the process.
"""

import ctypes
import functools
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from journal_exporter.journal import file_format
from journal_exporter.journal.file_format import NO_HEADER, Header

_CODECS = {
    file_format.XZ: "liblzma.so.5",
    file_format.LZ4: "liblz4.so.1",
    file_format.ZSTD: "libzstd.so.1",
}
"""What a flag needs. Newer versions of libsystemd load the library on demand, and drop the field without
it."""
_ID_DIRECTORY = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
STATES = ("readable", "unsupported", "corrupt", "denied", "set_aside")


class JournalFile(NamedTuple):
    """A journal file; only readable ones have their header."""

    path: Path
    inode: int
    size_bytes: int
    state: str
    header: Header = NO_HEADER

    @property
    def key(self) -> str:
        """Identifies the file across renames: journald renames files when it rotates."""
        return self.header.file_id or f"inode {self.inode}"


@functools.cache
def _is_installed(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_codecs(flags: int, is_installed: Callable[[str], bool] = _is_installed) -> list[str]:
    """Return the libraries that a file with these flags needs and that are missing."""
    return [name for flag, name in _CODECS.items() if flags & flag and not is_installed(name)]


def journal_directories(*, root: Path | None, directory: Path | None) -> list[Path]:
    """Return the directories that hold the journal: two below a root, or the one given."""
    if directory is not None:
        return [directory]
    base = root or Path("/")
    return [base / "var/log/journal", base / "run/log/journal"]


def find_files(directories: Iterable[Path]) -> list[Path]:
    """Return the files that libsystemd reads: in the directories and in sub-directories named by an id.

    A directory that can't be read stands for itself; ``inspect_file`` reports it as denied or corrupt.
    """
    found: list[Path] = []
    for directory in directories:
        try:
            names = _names(directory)
        except OSError:
            found.append(directory)
            continue
        found.extend(_journals(directory, names))
        for name in names:
            if _ID_DIRECTORY.fullmatch(name):
                try:
                    found.extend(_journals(directory / name, _names(directory / name)))
                except OSError:
                    found.append(directory / name)
    return found


def inspect_files(paths: Iterable[Path]) -> list[JournalFile]:
    """Return what the headers of these files say; files that are gone are left out."""
    return [file for path in paths if (file := inspect_file(path)) is not None]


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []


def _journals(directory: Path, names: Iterable[str]) -> list[Path]:
    return [
        directory / name
        for name in names
        if name.endswith((".journal", ".journal~")) and not name.startswith(".")
    ]


def inspect_file(path: Path) -> JournalFile | None:
    """Read one file's header; None when the file is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except PermissionError:
        return JournalFile(path, 0, 0, "denied")
    except OSError:
        return JournalFile(path, 0, 0, "corrupt")
    try:
        status = os.fstat(descriptor)
        header = file_format.parse_header(os.pread(descriptor, file_format.HEADER.size, 0))
    except OSError:
        return JournalFile(path, 0, 0, "corrupt")
    finally:
        os.close(descriptor)
    state = _state(header, status.st_size)
    known = header if header is not None and state == "readable" else NO_HEADER
    return JournalFile(path, status.st_ino, status.st_blocks * 512, state, known)


def _state(header: Header | None, size_bytes: int) -> str:
    if header is None:
        return "corrupt"
    flags = header.incompatible_flags
    if flags & ~file_format.KNOWN_FLAGS or missing_codecs(flags):
        return "unsupported"
    return "readable" if header.end <= size_bytes else "corrupt"


def file_key(path: Path) -> str:
    """Return the key of a file; empty when the file is gone."""
    file = inspect_file(path)
    return "" if file is None else file.key
