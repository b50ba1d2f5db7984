"""User data as text: parsed, with the line of every key. Pure.

The standard library's parser tells no positions. A document that parses is a sequence of statements
(headers and key/value pairs) each of which parses alone, so the line of each is found by parsing
again, statement by statement, which costs as much again.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from node_observability.nodegroup.formats.toml_statements import Statement, TooDeepError, statements
from node_observability.nodegroup.schema.problem import Path, Problem

_PLACE = re.compile(r"^(?P<text>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_SLASH_IN_BARE_KEY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+)\s*=")
# A label's key begins with a DNS name; the second line of some base64, which may be a secret, does not.
_LABEL_KEY = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+/[A-Za-z0-9_.-]+")
_Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What a text holds, and the line, from 1, on which each path begins."""

    data: dict[str, object]
    lines: Mapping[Path, int]
    statements: tuple[Statement, ...] = ()

    def line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest part around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


class TomlError(Exception):
    """The text is not TOML. ``line`` is where the parser stopped, if it said so."""

    def __init__(self, text: str, line: int | None) -> None:
        super().__init__(text)
        self.problem = Problem((), text)
        self.line = line


def read(text: str) -> Document:
    """Parse user data.

    Raises:
        TomlError: if it is not TOML.
    """
    # Only "\\r\\n" and "\\n" end a line in TOML; the parser reads both as the latter.
    text = text.replace("\r\n", "\n")
    try:
        parts = tuple(statements(text))
    except TooDeepError as error:
        raise TomlError(str(error), error.line) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_problem(text, str(error)) from None
    except ValueError:
        raise _number_problem(parts) from None
    return Document(data, _lines(parts), parts)


def _syntax_problem(text: str, message: str) -> TomlError:
    place = _PLACE.match(message)
    if place is None:
        return TomlError(f"not TOML: {message}", None)
    if place["line"] is None:
        return TomlError(
            f"not TOML: {place['text']} at the end", len(text.removesuffix("\n").split("\n"))
        )
    line = int(place["line"])
    wrong = _SLASH_IN_BARE_KEY.match(text.split("\n")[line - 1])
    if wrong is not None:
        key = wrong["key"] if _LABEL_KEY.fullmatch(wrong["key"]) else "KEY/NAME"
        return TomlError(f'a key with a slash must be in quotes: "{key}" = …', line)
    return TomlError(f"not TOML: {place['text']}", line)


def _number_problem(parts: tuple[Statement, ...]) -> TomlError:
    """Return the problem of an integer with more digits than Python reads (4300)."""
    for part in parts:
        try:
            tomllib.loads(part.text)
        except tomllib.TOMLDecodeError:
            continue
        except ValueError:
            return TomlError("has an integer with too many digits", part.line)
    return TomlError("has an integer with too many digits", None)


def _lines(parts: tuple[Statement, ...]) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    counts: dict[_Keys, int] = {}
    prefix: Path = ()
    for part in parts:
        statement = tomllib.loads(part.text)
        if part.is_header:
            prefix = _open(_single(statement), counts, array=part.is_array_header)
            _note(lines, prefix, part.line)
        else:
            _record(lines, prefix, statement, part.line)
    return lines


def _single(statement: object) -> _Keys:
    """Return the keys of a header: a table in a table, the last one empty."""
    keys: list[str] = []
    at = statement
    while isinstance(at, dict) and at:
        name, at = next(iter(at.items()))
        keys.append(name)
        if isinstance(at, list):
            at = at[0]
    return tuple(keys)


def _open(keys: _Keys, counts: dict[_Keys, int], *, array: bool) -> Path:
    """Return a header's path; within an array of tables it is the last item that is meant."""
    if array:
        counts[keys] = counts.get(keys, -1) + 1
    path: list[str | int] = []
    for end in range(1, len(keys) + 1):
        path.append(keys[end - 1])
        if keys[:end] in counts:
            path.append(counts[keys[:end]])
    return tuple(path)


def _note(lines: dict[Path, int], path: Path, line: int) -> None:
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], line)


def _record(lines: dict[Path, int], path: Path, value: object, line: int) -> None:
    if path:
        lines.setdefault(path, line)
    if isinstance(value, dict):
        for key, inner in value.items():
            _record(lines, (*path, key), inner, line)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _record(lines, (*path, index), inner, line)
