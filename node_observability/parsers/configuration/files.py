"""Reads what the command line names: regular files, and what the shell hands over as ``/dev/stdin``.

Guarantees an error that names the file for a pipe or a device, which would never end, and for a file that
is larger than any configuration or case file.
"""

import stat
from pathlib import Path

from node_observability.errors import UsageError

__all__ = ["SIZE_LIMIT_BYTES", "check_readable", "read_text"]

SIZE_LIMIT_BYTES = 64 * 1024 * 1024
# Process substitution, as in ``-c <(helm template …)``, is a pipe by such a name.
_HANDED_OVER = ("/dev/stdin", "/dev/fd/")


def check_readable(path: Path) -> None:
    """Refuse what is no regular file.

    Raises:
        UsageError: it is not there, a directory, a pipe or a device.
    """
    if str(path).startswith(_HANDED_OVER):
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a name with a NUL"
        raise UsageError(f"{path}: {reason}") from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path}: Is a directory")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path}: a pipe or a device, not a file; give - for standard input")


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        UsageError: it can't be read, is too large, or is not UTF-8.
    """
    check_readable(path)
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if len(data) > SIZE_LIMIT_BYTES:
        raise UsageError(
            f"{path}: larger than {SIZE_LIMIT_BYTES >> 20} MiB; is this the right file?"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start + 1})") from None
    # As Python's text files do.
    return text.replace("\r\n", "\n").replace("\r", "\n")
