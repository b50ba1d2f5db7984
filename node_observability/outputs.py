"""Writes what commands make: to standard output, or to a file, whole or not at all."""

import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import Final

from node_observability.errors import ToolboxError

__all__ = ["STDOUT", "write_text"]

STDOUT: Final = "-"
_SECRET_MODE: Final = 0o600
_NEW_MODE: Final = 0o666
"""Less the umask."""


def write_text(name: str | Path, text: str, *, secret: bool = False, newline: str = "\n") -> None:
    """Write a document as UTF-8; the string ``-`` is standard output, a ``Path`` is always a file.

    A file is replaced at once: a reader finds the old content or the new one, never a part, even after a
    power cut. A file that exists keeps its mode; with ``secret`` only its owner may read it. A pipe or a
    device, such as ``/dev/stdout``, is written to directly.

    Raises:
        ToolboxError: the file can't be written, or the text has a lone surrogate, as a wrong file name does.
        OSError: standard output can't be written; it has no file name.
    """
    try:
        data = text.replace("\n", newline).encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise ToolboxError(f"{name}: can't be written: U+{code:04X} is not a character") from None
    if name == STDOUT:
        # Whatever the locale: the programs that read the document expect UTF-8.
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        _write_file(Path(name), data, secret=secret)
    except OSError as error:
        raise ToolboxError(f"{name}: can't be written: {error.strerror}") from None


def _write_file(path: Path, data: bytes, *, secret: bool) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        exists = False
    else:
        exists = True
    target = path.resolve()
    if exists and not target.is_file():
        target.write_bytes(data)
        return
    # Not after the target, whose name may be as long as names can be.
    temporary = target.with_name(f".node-observability-{secrets.token_hex(8)}")
    temporary.touch(_SECRET_MODE if secret else _NEW_MODE, exist_ok=False)
    try:
        if exists and not secret:
            shutil.copymode(target, temporary)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
