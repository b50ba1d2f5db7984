"""Allows one exporter per state directory, by a lock on the directory itself: no lock file can be left
behind.

The lock ends with the last process that has the descriptor open (flock(2)), even if that process is killed. A
directory on a full or read-only disk can be locked too. A directory that another process removed is created
and locked again: the lock on the removed one keeps nobody out.
"""

import errno
import fcntl
import logging
import os
from pathlib import Path

from journal_exporter.clock import wait_while
from journal_exporter.errors import ConfigError
from journal_exporter.output.durable import make_directory

_LOG = logging.getLogger(__name__)
_WAIT_S = 3.0
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class StateLock:
    """The lock of a state directory; ``close`` it."""

    def __init__(self, directory: Path, descriptor: int) -> None:
        self._directory = directory
        self._descriptor = descriptor

    def close(self) -> None:
        """Release the lock, unless another process has this descriptor too."""
        os.close(self._descriptor)

    def renew(self) -> None:
        """Create the directory again and lock it, if another process removed it.

        Raises:
            OSError: that is not possible; EAGAIN where another exporter has locked the new directory.
        """
        if self._has_name():
            return
        make_directory(self._directory)
        descriptor = os.open(self._directory, _FLAGS)
        try:
            if not _try(descriptor, fcntl.LOCK_EX):
                raise BlockingIOError(errno.EAGAIN, "Another exporter uses it")
        except OSError:
            os.close(descriptor)
            raise
        _LOG.warning("another process removed %s; created it again", self._directory)
        self.close()
        self._descriptor = descriptor

    def _has_name(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._directory.stat())
        except FileNotFoundError:
            return False


def lock_state(directory: Path, wait_s: float = _WAIT_S) -> StateLock:
    """Return the lock of a state directory; create the directory if it is missing.

    Waits up to ``wait_s`` for the lock, but not after a blocked signal has requested the end.

    Raises:
        ConfigError: the directory can't be created or locked, or another exporter holds the lock.
    """
    try:
        make_directory(directory)
        descriptor = os.open(directory, _FLAGS)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(
            f"--state-directory: {directory} is not a directory, or below a file; choose another directory"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"--state-directory: can't open {directory}: {error.strerror}; choose a writable directory"
        ) from error
    # The worker of a supervisor that was just killed may need a moment to notice.
    if wait_while(lambda: not _attempt(descriptor, directory), wait_s):
        os.close(descriptor)
        raise ConfigError(
            f"--state-directory: {directory} is in use by another exporter; give each exporter its own"
        )
    return StateLock(directory, descriptor)


def is_running(directory: Path) -> bool:
    """Whether an exporter holds the directory's lock."""
    try:
        descriptor = os.open(directory, _FLAGS)
    except OSError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _attempt(descriptor: int, directory: Path) -> bool:
    try:
        return _try(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        os.close(descriptor)
        raise ConfigError(
            f"--state-directory: can't lock {directory}: {error.strerror}; choose a directory on a local disk"
        ) from error


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
