"""One exporter a state directory: a lock on the directory itself, so that there is no file to remove.

The lock goes with the last process that holds the descriptor (flock(2)), however that ends. A directory on a
full or read-only disk can be locked all the same.
"""

import fcntl
import os
import signal
import time
from pathlib import Path

from journal_exporter.errors import ConfigError

_WAIT_S = 3.0
_STEP_S = 0.05
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def lock_state(directory: Path, wait_s: float = _WAIT_S) -> int:
    """Return a descriptor that holds the lock of a state directory, which is made where it is missing.

    Waits no longer where a signal that is blocked asks to end.

    Raises:
        ConfigError: it can't be made, or another exporter holds it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, _FLAGS)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(
            f"--state-directory {directory} is no directory, or below something that is none; name"
            " a directory"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"--state-directory {directory}: {error.strerror}; name a directory that can be written"
        ) from error
    until_s = time.monotonic() + wait_s
    while not _attempt(descriptor, directory):
        # The worker of a supervisor that was just killed may need a moment to see it.
        if time.monotonic() >= until_s or signal.sigpending():
            os.close(descriptor)
            raise ConfigError(
                f"--state-directory {directory} is in use by another exporter; give each its own"
            )
        time.sleep(_STEP_S)
    return descriptor


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
            f"--state-directory {directory} can't be locked: {error.strerror}; name one on a local disk"
        ) from error


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
