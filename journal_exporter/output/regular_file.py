"""Opens files by names that others may have given to something else.

Guarantees: it never waits, as opening a pipe does until somebody writes to it, and reads no device.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_to_read(path: Path) -> BinaryIO:
    """Open a regular file.

    Raises:
        OSError: it can't be opened; ENOENT where there is none, EINVAL where it is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return os.fdopen(descriptor, "rb")
