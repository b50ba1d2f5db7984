"""Writes the files that commands make, whole or not at all."""

import os
import shutil
from pathlib import Path
from typing import Final

from node_observability.errors import ToolboxError

__all__ = ["write_text"]

_SECRET_MODE: Final = 0o600
_NEW_MODE: Final = 0o666
"""Less the umask."""


def write_text(name: str | Path, text: str, *, secret: bool = False, newline: str = "\n") -> None:
    """Replace a file at once: a reader finds the old content or the new one, never a part.

    A file that exists keeps its mode; with ``secret`` only its owner may read it. A pipe or a device, such as
    ``/dev/stdout``, is written to directly.

    Raises:
        ToolboxError: it can't be written.
    """
    target = Path(name).resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, "utf-8", newline=newline)
            return
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.touch(_SECRET_MODE if secret else _NEW_MODE, exist_ok=False)
        try:
            if target.exists() and not secret:
                shutil.copymode(target, temporary)
            temporary.write_text(text, "utf-8", newline=newline)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ToolboxError(f"{name}: can't be written: {error.strerror}") from None
