"""Files in and out: the edge where paths become texts, and errors name the file."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from node_observability.errors import ToolboxError, UsageError, printable

STDIN: Final = "-"
_LARGEST_BYTES: Final = 4 * 1024 * 1024
# Of a description, or a chart's values: etcd takes no more of a release, and YAML is slow to read.
_LARGEST_TEXT_BYTES: Final = 1024 * 1024
_SECRET_MODE: Final = 0o600
_PLAIN_MODE: Final = 0o666


def read_bytes(name: str, largest: int = _LARGEST_BYTES) -> bytes:
    """Return a file's content, at most ``largest`` bytes; ``-`` is standard input.

    Raises:
        UsageError: if it can't be read, or is far too large to be what is wanted.
    """
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(largest + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(largest + 1)
    except OSError as error:
        raise UsageError(f"can't read {name}: {os.strerror(error.errno or 0)}") from None
    if len(data) > largest:
        raise UsageError(f"{name} is larger than {largest} bytes")
    return data


def read_text(name: str) -> str:
    """Return a text file's content, without the byte order mark that it may begin with.

    Raises:
        UsageError: likewise, and if it is not UTF-8.
    """
    try:
        return read_bytes(name, _LARGEST_TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8: byte {error.object[error.start]:#04x}") from None


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
