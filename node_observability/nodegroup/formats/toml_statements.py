"""User data, taken apart into statements: headers and pairs of key and value. Pure.

Guarantees: one pass, whatever the text; strings and comments are told from the rest as TOML has it, so
that a bracket in a string is no array. What is not TOML is taken apart somehow, and refused by the parser.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

DEEPEST: Final = 100
"""How deep tables and arrays may be within each other; Bottlerocket's settings need 7."""

# A comment, the four kinds of string (one that does not end reaches to the end of its line, or of the
# text), and what gives a statement its shape. The quantifiers never give back, so the scan is linear.
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
    """One statement: its text, the line, from 1, on which it begins, and what was seen in it.

    ``escaped_quotes`` are the lines of basic strings that escape a double quote.
    """

    line: int
    text: str = ""
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


class TooDeepError(Exception):
    """Tables or arrays are nested more deeply than any setting is."""

    def __init__(self, line: int) -> None:
        super().__init__(f"is nested more than {DEEPEST} deep")
        self.line = line


def statements(text: str) -> Iterator[Statement]:
    """Yield a document's statements.

    Raises:
        TooDeepError: before a statement that a parser would need too much of the stack for.
    """
    line = 1
    depth = dots = 0
    begin: int | None = None
    now = Statement(line)
    for token in _TOKEN.finditer(text):
        kind, part = token.lastgroup, token[0]
        blank = part == "\n" or kind == "comment" or (kind == "other" and not part.strip())
        if begin is None and not blank:
            begin = token.start() + len(part) - len(part.lstrip())
            now = Statement(line)
        if part == "\n" and depth <= 0 and begin is not None:
            now.text = text[begin : token.start()]
            yield now
            begin, depth, dots = None, 0, 0
        elif kind == "mark":
            depth += (part in "[{") - (part in "]}")
            dots = dots + 1 if part == "." else 0
            if max(depth, dots) > DEEPEST:
                raise TooDeepError(line)
        elif begin is not None and kind in ("basic", "literal"):
            now.quoted_header |= text[begin] == "["
            if kind == "basic":
                now.escaped_quotes += [
                    line + part.count("\n", 0, escape.start())
                    for escape in _ESCAPE.finditer(part)
                    if escape[0] == '\\"'
                ]
        line += part.count("\n")
    if begin is not None:
        now.text = text[begin:]
        yield now
