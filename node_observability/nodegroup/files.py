"""Writes what ``render`` makes, whole or not at all, and warnings."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from node_observability.errors import ToolboxError, printable

_SECRET_MODE: Final = 0o600
_PLAIN_MODE: Final = 0o666


def write(name: str, text: str, *, secret: bool) -> None:
    """Write a file whole or not at all; with secrets in it, for its owner alone.

    What is no regular file (``/dev/stdout``, a pipe) is written to as it is, and never replaced.

    Raises:
        ToolboxError: if it can't be written.
    """
    path = Path(name).resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path, text, _SECRET_MODE if secret else _PLAIN_MODE & ~_umask())
    except OSError as error:
        raise ToolboxError(f"can't write {name}: {os.strerror(error.errno or 0)}") from None


def _replace(path: Path, text: str, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the process' mask; there is no way to it but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def warn(text: str) -> None:
    """Say something on standard error that is no reason to stop."""
    print(f"node-observability nodegroup: warning: {printable(text)}", file=sys.stderr)
