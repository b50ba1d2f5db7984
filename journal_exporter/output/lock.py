"""Allows one exporter per output, by a lock on one byte of the live file, far behind any line.

Guarantees: another program that locks the file, such as a backup under flock(1) or lockf(3), and the
exporter do not block each other, and the program is not taken for an exporter. The lock ends with the last
process that has the descriptor open (an open file description lock, fcntl_locking(2)). On a file system
without such locks, only the lock of the state directory protects the output.
"""

import fcntl
import os
import struct
from pathlib import Path

from journal_exporter.clock import wait_while

_RECORD = "hhqqi0q"
"""``struct flock``: type, whence, start, length, pid (0 for such locks)."""
_START, _LENGTH = 1 << 62, 1
_TRIES = 3
_WAIT_S = 3.0


def lock_output(descriptor: int) -> bool:
    """Lock an output that is open for writing; return False if another exporter holds the lock."""
    for _ in range(_TRIES):
        try:
            _control(descriptor, fcntl.F_OFD_SETLK, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):
            if _is_an_exporters(found := _conflict(descriptor)):
                return False
            if found[0] != fcntl.F_UNLCK:
                # Another program has locked the whole file. Waiting would hold up every line until
                # it is done.
                return True
        except OSError:
            return True
        else:
            return True
    return False


def unlock_output(descriptor: int) -> None:
    """Release the lock, for another descriptor of this process."""
    try:
        _control(descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK)
    except OSError:
        # A file system without locks.
        return


def is_in_use(*files: Path, wait_s: float = _WAIT_S) -> bool:
    """Whether an exporter writes one of the files, and keeps on for ``wait_s``."""
    # A worker that is about to end releases its state directory a moment earlier.
    return wait_while(lambda: any(map(is_locked, files)), wait_s)


def is_locked(file: Path) -> bool:
    """Whether an exporter, including this one, writes the file now."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _is_an_exporters(_conflict(descriptor))
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _conflict(descriptor: int) -> tuple[int, int, int]:
    """Return type, start and length of a lock that conflicts with the exporter's, without locking."""
    kind, _, start, length, _ = _control(descriptor, fcntl.F_OFD_GETLK, fcntl.F_WRLCK)
    return kind, start, length


def _is_an_exporters(found: tuple[int, int, int]) -> bool:
    return found == (fcntl.F_WRLCK, _START, _LENGTH)


def _control(descriptor: int, command: int, kind: int) -> tuple[int, int, int, int, int]:
    wanted = struct.pack(_RECORD, kind, os.SEEK_SET, _START, _LENGTH, 0)
    kind, whence, start, length, pid = struct.unpack(
        _RECORD, fcntl.fcntl(descriptor, command, wanted)
    )
    return kind, whence, start, length, pid
