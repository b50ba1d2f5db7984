"""Reads secrets from the environment or from files, only when the user asks for them.

Guarantees: no secret is on a command line, in a description or in an error. Without the request nothing is
read, and the output has a placeholder instead.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Final

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.nodegroup.schema.kinds import LINE
from node_observability.nodegroup.schema.problem import Path, Problem

PLACEHOLDER: Final = "REDACTED"
PLACEHOLDER_AUTH: Final = base64.b64encode(b"REDACTED:REDACTED").decode()
_MAX_BYTES: Final = 64 * 1024
# POSIX, "Environment Variable Definition". Any other text may be the secret itself.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Resolve = Callable[[Mapping[str, object], Path], str]


class SecretError(Exception):
    """A secret can't be read, or can't be used. Never carries the secret."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(path, text)


def source_problems(value: object, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with ``{env: NAME}`` or ``{file: PATH}`` in a description."""
    if not isinstance(value, Mapping):
        # No problem shows the value, which may be the secret.
        yield Problem(path, "must not contain the secret itself; write {env: NAME} or {file: PATH}")
    elif len(value) != 1 or not set(value) <= {"env", "file"}:
        yield Problem(path, "write either {env: NAME} or {file: PATH}")
    elif not all(isinstance(inner, str) and inner for inner in value.values()):
        yield Problem(path, "the value of env or file must be a string that is not empty")
    elif not _NAME.fullmatch(str(value.get("env", "_"))):
        yield Problem(path, "env needs the name of a variable: letters, digits and '_'")


def placeholder(_source: Mapping[str, object], path: Path) -> str:
    """Return a placeholder of the same form as the secret."""
    return PLACEHOLDER_AUTH if path[-1] == "auth" else PLACEHOLDER


def reader(environment: Mapping[str, str], directory: File) -> Resolve:
    """Return the function that reads a secret; relative files are relative to the description."""

    def resolve(source: Mapping[str, object], path: Path) -> str:
        """Return the secret.

        Raises:
            SecretError: it is missing, empty, not one line of UTF-8, or not what ``auth`` needs.
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
        if path[-1] == "auth" and not _is_auth(text):
            raise SecretError(path, f'{where} is not base64 of "user:password"')
        return text

    return resolve


def _from_file(file: File, path: Path) -> str:
    try:
        return read_text(file, _MAX_BYTES)
    except UsageError as error:
        raise SecretError(path, *error.problems) from None


def _is_auth(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False
