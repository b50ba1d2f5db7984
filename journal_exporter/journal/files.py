"""Looks at the journal's files themselves: libsystemd passes over what it can't read without a word.

Guarantees: every ``*.journal`` and ``*.journal~`` file in the directories that libsystemd would read is
counted once, as readable, unsupported, corrupt or
denied. Only headers are read (``pread``, never ``mmap``, so
that a file truncated meanwhile can't kill us). The layout is systemd's JOURNAL_FILE_FORMAT.
"""

import ctypes
import functools
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from journal_exporter.journal.file_format import HEADER, SIGNATURE

_KNOWN_FLAGS = 1 | 2 | 4 | 8 | 16
"""XZ, LZ4, keyed hash, ZSTD, compact: what libsystemd 252 reads when built with all three codecs."""
_CODECS = {1: "liblzma.so.5", 2: "liblz4.so.1", 8: "libzstd.so.1"}
"""What a flag needs. Newer libsystemds load it when they meet it, and leave a field out without it."""
_ID_DIRECTORY = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
STATES = ("readable", "unsupported", "corrupt", "denied", "set_aside")


class JournalFile(NamedTuple):
    """One file as its header has it; times in microseconds since the epoch."""

    path: Path
    inode: int
    size_bytes: int
    state: str
    seqnum_id: str = ""
    head_seqnum: int = 0
    tail_seqnum: int = 0
    tail_realtime_us: int = 0
    file_id: str = ""
    head_realtime_us: int = 0

    @property
    def key(self) -> str:
        """Which file it is, whatever it is called: journald renames files when it rotates."""
        return self.file_id or f"inode {self.inode}"


@functools.cache
def _is_installed(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_codecs(flags: int, is_installed: Callable[[str], bool] = _is_installed) -> list[str]:
    """Return the libraries that a file with these flags needs and that are not installed."""
    return [name for flag, name in _CODECS.items() if flags & flag and not is_installed(name)]


def directories(*, root: Path | None, directory: Path | None) -> list[Path]:
    """Return the directories that hold the journal: two under a root, or the one that was named."""
    if directory is not None:
        return [directory]
    base = root or Path("/")
    return [base / "var/log/journal", base / "run/log/journal"]


def find(tops: Iterable[Path]) -> list[Path]:
    """Return the files that libsystemd reads: in the directory and in sub-directories named by an id.

    A directory that can't be read stands for itself; ``look`` says that it is denied.
    """
    found: list[Path] = []
    for top in tops:
        try:
            names = _names(top)
        except PermissionError:
            found.append(top)
            continue
        found.extend(_journals(top, names))
        for name in names:
            if _ID_DIRECTORY.fullmatch(name):
                try:
                    found.extend(_journals(top / name, _names(top / name)))
                except PermissionError:
                    found.append(top / name)
    return found


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


def look(path: Path) -> JournalFile | None:
    """Read one header; None when the file has gone."""
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
        data = os.pread(descriptor, HEADER.size, 0)
    except OSError:
        return JournalFile(path, 0, 0, "corrupt")
    finally:
        os.close(descriptor)
    return _parse(path, status, data)


def _parse(path: Path, status: os.stat_result, data: bytes) -> JournalFile:
    blank = JournalFile(path, status.st_ino, status.st_blocks * 512, "corrupt")
    if len(data) < HEADER.size:
        return blank
    fields = HEADER.unpack(data)
    signature, incompatible = fields[0], fields[2]
    seqnum_id = fields[7].hex()
    header_size, arena_size = fields[8], fields[9]
    tail_seqnum, head_seqnum = fields[17], fields[18]
    head_realtime_us, tail_realtime_us = fields[20], fields[21]
    if signature != SIGNATURE:
        return blank
    if incompatible & ~_KNOWN_FLAGS or missing_codecs(incompatible):
        return blank._replace(state="unsupported")
    if header_size + arena_size > status.st_size:
        return blank
    return JournalFile(
        path,
        status.st_ino,
        blank.size_bytes,
        "readable",
        seqnum_id,
        head_seqnum,
        tail_seqnum,
        tail_realtime_us,
        fields[4].hex(),
        head_realtime_us,
    )


def file_key(path: Path) -> str:
    """Return the key of a file; empty when it has gone."""
    file = look(path)
    return "" if file is None else file.key
