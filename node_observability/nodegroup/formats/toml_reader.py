"""Reads user data as TOML, with the line of every key. Pure.

The standard library's parser gives no positions. A document that parses is a sequence of statements
(headers and pairs of key and value) each of which parses alone. So the line of each is found by parsing
again, statement by statement, which doubles the time.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from node_observability.nodegroup.formats.document import Document
from node_observability.nodegroup.schema.problem import Path, Problem

_PLACE = re.compile(r"^(?P<text>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_SLASH_IN_BARE_KEY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+)\s*=")
# A label's key begins with a DNS name; the second line of some base64, which may be a secret, does not.
_LABEL_KEY = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+/[A-Za-z0-9_.-]+")
_Keys = tuple[str, ...]
# Of tables and arrays within each other; Bottlerocket's settings need 7.
_MAX_DEPTH: Final = 100

# Comments, the four kinds of string (an unterminated one ends with its line, or the text), and punctuation.
# The possessive quantifiers keep the scan linear.
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*+)
    |(?P<basic>\"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3,5}+|\Z)|"(?:[^"\\\n]|\\[^\n])*+"?)
    |(?P<literal>'{3}(?:[^']|'(?!''))*+(?:'{3,5}+|\Z)|'[^'\n]*+'?)
    |(?P<mark>[][{}.,=\n])
    |(?P<other>[^][{}.,=\n\#"']++)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\.", re.DOTALL)


@dataclass(slots=True)
class Statement:
    """One header or pair of key and value, with the line, from 1, on which it begins, and its path.

    ``escaped_quotes`` are the lines on which a basic string escapes a double quote.
    """

    line: int
    text: str = ""
    path: Path = ()
    quoted_header: bool = False
    escaped_quotes: list[int] = field(default_factory=list)

    @property
    def is_header(self) -> bool:
        """Whether it opens a table, or another item of an array of tables."""
        return self.text.startswith("[")

    @property
    def is_array_header(self) -> bool:
        """Whether it opens another item of an array of tables."""
        return self.text.startswith("[[")


@dataclass(frozen=True, slots=True)
class TomlDocument(Document):
    """User data, and its statements."""

    statements: tuple[Statement, ...] = ()


class TomlError(Exception):
    """The text is not TOML, or exceeds a limit. The problem has the line, if the parser gives it."""

    def __init__(self, text: str, line: int | None) -> None:
        super().__init__(text)
        self.problem = Problem((), text, line)


def read(text: str) -> TomlDocument:
    """Return the content of user data.

    Raises:
        TomlError: it is not TOML, nested too deeply, or has an integer of too many digits.
    """
    # Only "\\r\\n" and "\\n" end a line in TOML; the parser reads both as the latter.
    text = text.replace("\r\n", "\n")
    parts = tuple(statements(text))
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_problem(text, str(error)) from None
    except ValueError:
        raise _number_problem(parts) from None
    return TomlDocument(data, _lines(parts), parts)


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
            prefix = _enter(_keys_of(statement), counts, array=part.is_array_header)
            _record_header(lines, prefix, part.line)
            part.path = prefix
        else:
            part.path = (*prefix, *list(statement)[:1])
            _record_value(lines, prefix, statement, part.line)
    return lines


def _keys_of(statement: object) -> _Keys:
    """Return the keys of a header, which parses as a table within a table, the last one empty."""
    keys: list[str] = []
    table = statement
    while isinstance(table, dict) and table:
        name, table = next(iter(table.items()))
        keys.append(name)
        if isinstance(table, list):
            table = table[0]
    return tuple(keys)


def _enter(keys: _Keys, counts: dict[_Keys, int], *, array: bool) -> Path:
    """Return the path that a header opens; within an array of tables that is its last item."""
    if array:
        counts[keys] = counts.get(keys, -1) + 1
    path: list[str | int] = []
    for end in range(1, len(keys) + 1):
        path.append(keys[end - 1])
        if keys[:end] in counts:
            path.append(counts[keys[:end]])
    return tuple(path)


def _record_header(lines: dict[Path, int], path: Path, line: int) -> None:
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], line)


def _record_value(lines: dict[Path, int], path: Path, value: object, line: int) -> None:
    if path:
        lines.setdefault(path, line)
    if isinstance(value, dict):
        for key, inner in value.items():
            _record_value(lines, (*path, key), inner, line)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _record_value(lines, (*path, index), inner, line)


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a text, in one pass. The parser refuses what is not TOML.

    Raises:
        TomlError: before a statement that is nested so deeply that it could exhaust a parser's stack.
    """
    line = 1
    depth = dots = 0
    begin: int | None = None
    statement = Statement(line)
    for token in _TOKEN.finditer(text):
        kind, part = token.lastgroup, token[0]
        blank = part == "\n" or kind == "comment" or (kind == "other" and not part.strip())
        if begin is None and not blank:
            begin = token.start() + len(part) - len(part.lstrip())
            statement = Statement(line)
        if part == "\n" and depth <= 0 and begin is not None:
            statement.text = text[begin : token.start()]
            yield statement
            begin, depth, dots = None, 0, 0
        elif kind == "mark":
            depth += (part in "[{") - (part in "]}")
            dots = dots + 1 if part == "." else 0
            if max(depth, dots) > _MAX_DEPTH:
                raise TomlError(f"is nested more than {_MAX_DEPTH} deep", line)
        elif begin is not None and kind in ("basic", "literal"):
            statement.quoted_header |= text[begin] == "["
            if kind == "basic":
                statement.escaped_quotes += [
                    line + part.count("\n", 0, escape.start())
                    for escape in _ESCAPE.finditer(part)
                    if escape[0] == '\\"'
                ]
        line += part.count("\n")
    if begin is not None:
        statement.text = text[begin:]
        yield statement
