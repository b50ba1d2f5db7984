"""Secrets: read from the environment or from a file, at the last moment, and only when asked for.

Guarantees: no secret is on a command line, in a description, in an error or in output that was not asked
to have it; without the request nothing is read at all, and a placeholder stands in its place.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Final

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.nodegroup.schema.kinds import LINE, Struct
from node_observability.nodegroup.schema.problem import Path, Problem

PLACEHOLDER: Final = "REDACTED"
# One that stays valid where base64 of "user:password" is wanted.
PLACEHOLDER_AUTH: Final = base64.b64encode(b"REDACTED:REDACTED").decode()
_LONGEST_BYTES = 64 * 1024
# POSIX, "Environment Variable Definition". What is none may be the secret itself.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

SOURCE: Final = Struct({"env": LINE, "file": LINE})
Resolve = Callable[[Mapping[str, object], Path], str]


class SecretError(Exception):
    """A secret can't be had. Never carries the secret."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(path, text)


def source_problems(value: object, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the place that a description names for a secret."""
    if not isinstance(value, Mapping):
        # The value is not shown: it may be the secret.
        yield Problem(path, "a secret may not stand here; write {env: NAME} or {file: PATH}")
    elif len(value) != 1 or not set(value) <= set(SOURCE.fields):
        yield Problem(path, "write either {env: NAME} or {file: PATH}")
    elif not all(isinstance(inner, str) and inner for inner in value.values()):
        yield Problem(path, "the name after env or file must be a string")
    elif not _NAME.fullmatch(str(value.get("env", "_"))):
        yield Problem(path, "env wants the name of a variable: letters, digits and '_'")


def placeholder(_source: Mapping[str, object], path: Path) -> str:
    """Stand in for a secret that nobody asked to see."""
    return PLACEHOLDER_AUTH if path[-1] == "auth" else PLACEHOLDER


def reader(environment: Mapping[str, str], directory: File) -> Resolve:
    """Return the function that reads a secret; relative files are relative to the description."""

    def resolve(source: Mapping[str, object], path: Path) -> str:
        """Return the secret.

        Raises:
            SecretError: if it is not there, empty, or not one line of UTF-8.
        """
        if "env" in source:
            name = str(source["env"])
            text = environment.get(name)
            if text is None:
                raise SecretError(path, f"the environment has no {name}; set it")
            where = f"the environment variable {name}"
        else:
            file = directory / str(source["file"])
            where = f"the file {file}"
            text = _from_file(file, path)
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise SecretError(path, f"{where} is empty")
        if not LINE.accepts(text):
            raise SecretError(path, f"{where} has more than one line")
        return text

    return resolve


def _from_file(file: File, path: Path) -> str:
    try:
        return read_text(file, _LONGEST_BYTES)
    except UsageError as error:
        raise SecretError(path, *error.problems) from None
