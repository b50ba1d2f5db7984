"""Models what the input ``tail`` does with a line (``plugins/in_tail/tail_file.c``), by three routes.

``Parser``: one parser. The filter ``parser``: several, of which the first that matches counts.
``multiline.parser``: joining; ``tail`` ignores a ``Parser`` beside it. Guarantees which records come from
which bytes. Not modelled: files, offsets, ``Skip_Long_Lines``.
"""

from collections.abc import Iterable
from typing import Protocol

from node_observability.parsers.model.multiline import Joiner
from node_observability.parsers.model.parser import Parsed, Parser, raw_record

__all__ = ["Multiline", "ParserFilter", "Route", "SingleParser", "without_carriage_return"]

_KEY = "log"
_SHORTEST_WITH_RETURN = 2


class Route(Protocol):
    """A way from the lines of one file to records."""

    def append(self, line: bytes) -> list[Parsed]:
        """Take a line, without its newline; return the records that it completes."""

    def flush(self) -> list[Parsed]:
        """Return the records that are pending at the end of the file."""


def without_carriage_return(line: bytes) -> bytes:
    """Return the line without the CR of its CR LF. A line that is only a CR keeps it."""
    return line[:-1] if len(line) >= _SHORTEST_WITH_RETURN and line.endswith(b"\r") else line


class _Unbuffered:
    """A route on which no record is ever pending."""

    def flush(self) -> list[Parsed]:
        """Return nothing."""
        return []


class SingleParser(_Unbuffered):
    """``Parser NAME`` in the input. A line that does not match is kept whole, with its CR."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def append(self, line: bytes) -> list[Parsed]:
        """Return the one record of the line."""
        parsed = self._parser.parse(without_carriage_return(line))
        return [raw_record(_KEY, line) if parsed is None else parsed]


class ParserFilter(_Unbuffered):
    """An input without a parser, followed by a filter ``parser`` with ``Key_Name log``."""

    def __init__(self, parsers: Iterable[Parser]) -> None:
        self._parsers = tuple(parsers)

    def append(self, line: bytes) -> list[Parsed]:
        """Return the one record of the line."""
        line = without_carriage_return(line)
        for parser in self._parsers:
            if (parsed := parser.parse(line)) is not None:
                return [parsed]
        return [raw_record(_KEY, line)]


class Multiline(Joiner):
    """``multiline.parser NAME, …`` in the input."""

    def append(self, line: bytes) -> list[Parsed]:
        """Take a line, without its newline; return the records that it completes."""
        return super().append(without_carriage_return(line))
