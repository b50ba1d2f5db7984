"""Secrets, which come from the environment or a file, never from the command line."""

from collections.abc import Mapping

from node_observability.errors import UsageError
from node_observability.inputs.files import label, read_text

__all__ = ["secret"]


def secret(environment: Mapping[str, str], name: str, path: str | None = None) -> str:
    """Return the value of a variable, or the content of the file that ``path`` or ``NAME_FILE`` names.

    The name ``-`` is standard input.

    Without any of them the text is empty.

    Raises:
        UsageError: the file can't be read or is empty, or both ways are used.
    """
    # A Kubernetes Secret made from a file ends with that file's last line break.
    value = environment.get(name, "").strip()
    if path is None and environment.get(f"{name}_FILE"):
        path = environment[f"{name}_FILE"]
    if path is None:
        return value
    if value:
        raise UsageError(f"{name} and its file {path} are both given; keep one")
    fix = f"it must contain what {name} would"
    text = read_text(path, fix=fix).strip()
    if not text:
        raise UsageError(f"{label(path)}: is empty; {fix}")
    return text
