"""Secrets and texts that come from the environment or a file, and never from the command line."""

from collections.abc import Mapping
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text

__all__ = ["secret"]


def secret(environment: Mapping[str, str], name: str, path: Path | None = None) -> str:
    """Return the variable ``name``, or the content of the file that ``path`` or ``name``_FILE names; or
    nothing.

    Raises:
        UsageError: the file can't be read or is empty, or both ways are used.

    """
    # A Secret that was made from a file gives its last line break to the variable too.
    value = environment.get(name, "").strip()
    if path is None and environment.get(f"{name}_FILE"):
        path = Path(environment[f"{name}_FILE"])
    if path is None:
        return value
    if value:
        raise UsageError(f"{name} and its file {path} are both given; keep one")
    fix = f"it must contain what {name} would"
    text = read_text(path, fix=fix).strip()
    if not text:
        raise UsageError(f"{path}: is empty; {fix}")
    return text
