"""``parsers bench``: measures how many lines per second a parser reads, over a file of real lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node_observability.parsers.model.parser import Parser

__all__ = ["Result", "measure"]


@dataclass(frozen=True, slots=True)
class Result:
    """The speed of one parser.

    Attributes:
        matched: the number of lines, of all ``lines``, that the parser matches.
        best_s: the duration of the fastest pass over all lines.
        first_s: the duration of the first pass, in which every date and zone is new.
    """

    name: str
    lines: int
    matched: int
    best_s: float
    first_s: float

    @property
    def lines_per_s(self) -> float:
        """Lines per second in the fastest pass."""
        return self.lines / self.best_s if self.best_s else 0.0

    @property
    def first_lines_per_s(self) -> float:
        """Lines per second in the first pass."""
        return self.lines / self.first_s if self.first_s else 0.0


def measure(
    parser: Parser, lines: Sequence[bytes], *, at_least_s: float, clock: Callable[[], float]
) -> Result:
    """Pass the lines through the parser repeatedly, for at least ``at_least_s`` seconds of the clock.

    The command's clock is processor time, so that other programs don't count.
    """
    parse = parser.parse
    best, first, start, matched = float("inf"), 0.0, clock(), 0
    while True:
        begin = clock()
        matched = 0
        for line in lines:
            if parse(line) is not None:
                matched += 1
        end = clock()
        first = first or end - begin
        best = min(best, end - begin)
        if end - start >= at_least_s:
            return Result(parser.name, len(lines), matched, best, first)
