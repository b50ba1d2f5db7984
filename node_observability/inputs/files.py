"""Reads the files and the standard input that a command names, up to a size.

Guarantees one form of error for all that can't be read: the name, the reason, then the fix. A pipe or a
device may never end, so only those that the shell opened (``/dev/stdin``, ``<(…)``) are read.
"""

import argparse
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO, Final

from node_observability.errors import MalformedError, UsageError

__all__ = [
    "MAX_BYTES",
    "STDIN",
    "check_readable",
    "file_name",
    "file_path",
    "is_directory",
    "is_file",
    "label",
    "read_bytes",
    "read_text",
]

STDIN: Final = "-"
MAX_BYTES: Final = 64 * 1024 * 1024
# Process substitution, as in ``-c <(helm template …)``, is a pipe with such a name: bash's, then zsh's.
_OPENED_BY_THE_SHELL: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def file_name(text: str) -> str:
    """Return the name of a file to read or to write, as a flag has it.

    Raises:
        argparse.ArgumentTypeError: it is empty, as an unset variable of the shell is.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; give the name of a file")
    return text


def file_path(text: str) -> Path:
    """Return the path of a file; errors as for ``file_name``."""
    return Path(file_name(text))


def label(name: str | Path) -> str:
    """Return the name as errors show it."""
    return "standard input" if name == STDIN else str(name)


def is_directory(path: Path) -> bool:
    """Whether a path is a directory; false for a path that can't be accessed, which a read reports."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for a name that is too long


def is_file(path: Path) -> bool:
    """Whether a path is a file; false for a path that can't be accessed, which a read reports."""
    return os.path.isfile(path)  # noqa: PTH113 - as above


def check_readable(path: Path, fix: str = "") -> None:
    """Refuse what is not a file, without opening it.

    Raises:
        UsageError: the file does not exist, or is a directory, a pipe or a device.
    """
    if str(path).startswith(_OPENED_BY_THE_SHELL):
        return
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, f"can't be read: {error.strerror}", fix) from None
    except ValueError:
        raise _unreadable(path, "can't be read: the name contains a NUL", fix) from None
    if stat.S_ISDIR(mode):
        raise _unreadable(path, "can't be read: Is a directory", fix)
    if not stat.S_ISREG(mode):
        reason = "is a pipe or a device, not a file"
        raise _unreadable(path, reason, fix or "redirect it to standard input, and name /dev/stdin")


def read_bytes(
    name: str | Path, max_bytes: int = MAX_BYTES, *, fix: str = "", stdin: BinaryIO | None = None
) -> bytes:
    """Return the content of a file. The string ``-`` is standard input; a ``Path`` is always a file.

    Raises:
        UsageError: it can't be read, is a pipe or a device, or is larger than ``max_bytes``.
    """
    try:
        if name != STDIN:
            check_readable(Path(name), fix)
            with Path(name).open("rb") as file:
                data = file.read(max_bytes + 1)
        elif stdin is None and sys.stdin is None:
            raise _unreadable(name, "is closed", fix)
        else:
            data = (stdin or sys.stdin.buffer).read(max_bytes + 1)
    except OSError as error:
        raise _unreadable(name, f"can't be read: {error.strerror or error}", fix) from None
    if len(data) > max_bytes:
        size = f"{max_bytes >> 20} MiB" if max_bytes >> 20 else f"{max_bytes >> 10} KiB"
        raise _unreadable(name, f"is larger than {size}", fix or "is this the right file?")
    return data


def read_text(
    name: str | Path,
    max_bytes: int = MAX_BYTES,
    *,
    fix: str = "",
    keep_mark: bool = False,
    keep_returns: bool = False,
    stdin: BinaryIO | None = None,
) -> str:
    """Return the text of a file, its line ends as newlines; ``name`` as for ``read_bytes``.

    A byte order mark at its beginning, as PowerShell's ``>`` writes one, is removed unless ``keep_mark``, and
    line ends are as they are with ``keep_returns``.

    Raises:
        UsageError: as ``read_bytes``.
        MalformedError: it is not UTF-8.
    """
    data = read_bytes(name, max_bytes, fix=fix, stdin=stdin)
    try:
        text = data.decode("utf-8" if keep_mark else "utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = _unreadable(name, f"is not UTF-8 (byte {error.start + 1})", fix)
        raise MalformedError(*wrong.problems) from None
    return text if keep_returns else text.replace("\r\n", "\n").replace("\r", "\n")


def _unreadable(name: str | Path, reason: str, fix: str) -> UsageError:
    return UsageError(f"{label(name)}: {reason}{f'; {fix}' if fix else ''}")
