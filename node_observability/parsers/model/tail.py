"""What ``tail`` does with a line (``plugins/in_tail/tail_file.c``), by the three ways that an input has.

``Parser``: one parser. The filter ``parser``: several, the first that matches counts. ``multiline.parser``:
joining; a ``Parser`` beside it is silently ignored. Guarantees which record comes of which bytes. A record
without a time is stamped with the time of reading. Not here: files, offsets, ``Skip_Long_Lines``.
"""

from collections.abc import Iterable
from typing import Protocol

from node_observability.parsers.model.multiline import Joiner, MultilineParser
from node_observability.parsers.model.parser import Parsed, Parser, raw

__all__ = ["Chain", "Joined", "Route", "Single", "without_return"]

_KEY = "log"
_SHORTEST_WITH_RETURN = 2


class Route(Protocol):
    """A way from lines to records."""

    def line(self, line: bytes, now_s: int | None = None) -> list[Parsed]:
        """Return the records that this line, without its newline, completes."""

    def end(self) -> list[Parsed]:
        """Return what is pending when the file ends."""


def without_return(line: bytes) -> bytes:
    """Return the line without the CR of a CR LF, which a line of nothing else keeps."""
    return line[:-1] if len(line) >= _SHORTEST_WITH_RETURN and line.endswith(b"\r") else line


class Single:
    """``Parser NAME`` at the input. A line that it does not take is kept whole, its CR too."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def line(self, line: bytes, now_s: int | None = None) -> list[Parsed]:
        """Return the one record."""
        parsed = self._parser.parse(without_return(line), now_s)
        return [raw(_KEY, line) if parsed is None else parsed]

    def end(self) -> list[Parsed]:
        """Return nothing: nothing is ever pending."""
        return []


class Chain:
    """No parser at the input, and a filter ``parser`` with ``Key_Name log`` behind it."""

    def __init__(self, parsers: Iterable[Parser]) -> None:
        self._parsers = tuple(parsers)

    def line(self, line: bytes, now_s: int | None = None) -> list[Parsed]:
        """Return the one record."""
        line = without_return(line)
        for parser in self._parsers:
            if (parsed := parser.parse(line, now_s)) is not None:
                return [parsed]
        return [raw(_KEY, line)]

    def end(self) -> list[Parsed]:
        """Return nothing: nothing is ever pending."""
        return []


class Joined:
    """``multiline.parser NAME, …`` at the input."""

    def __init__(self, parsers: Iterable[MultilineParser]) -> None:
        self._joiner = Joiner(list(parsers))

    def line(self, line: bytes, now_s: int | None = None) -> list[Parsed]:  # noqa: ARG002 - as the others
        """Return what the line completes: no record, one, or what a line out of place sends out."""
        return self._joiner.append(without_return(line))

    def end(self) -> list[Parsed]:
        """Return what is pending."""
        return self._joiner.flush()
