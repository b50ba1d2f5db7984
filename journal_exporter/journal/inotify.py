"""Watches directories for changes with inotify(7); Python's standard library does not have it."""

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_MODIFY, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _ONLYDIR = 0x400, 0x1000000
_MASK = _MODIFY | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _ONLYDIR
_BUFFER_BYTES = 64 << 10
_EVENT = struct.Struct("=iIII")
"""Watch, mask, cookie, and the length of the name that follows."""


class DirectoryWatch:
    """One inotify descriptor. ``fd`` is None where inotify is denied or exhausted; ``close`` it."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        descriptor = self._libc.inotify_init1(_NONBLOCK | _CLOEXEC)
        self.fd: int | None = descriptor if descriptor >= 0 else None
        self._watched: set[Path] = set()

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd is not None:
            os.close(self.fd)
        self.fd = None

    def watch(self, directories: Iterable[Path]) -> None:
        """Watch these directories; one that can't be watched makes ``fd`` None: the caller polls."""
        for directory in directories:
            if self.fd is None or directory in self._watched:
                continue
            if self._libc.inotify_add_watch(self.fd, os.fsencode(directory), _MASK) >= 0:
                self._watched.add(directory)
            elif ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR):
                self.close()

    def names_changed(self) -> bool:
        """Whether files came, went or were renamed since the last call; takes all events."""
        found = False
        if self.fd is not None:
            with contextlib.suppress(BlockingIOError):
                while events := os.read(self.fd, _BUFFER_BYTES):
                    found = _has_names(events) or found
        if found:
            # A directory that was removed and made again needs a new watch; adding one twice is harmless.
            self._watched.clear()
        return found


def _has_names(events: bytes) -> bool:
    at = 0
    while at < len(events):
        _watch, mask, _cookie, name_bytes = _EVENT.unpack_from(events, at)
        if mask & ~_MODIFY:
            return True
        at += _EVENT.size + name_bytes
    return False
