"""``parsers bench``: lines a second for each parser, over a file of real lines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node_observability.parsers.model.parser import Parser

__all__ = ["Result", "measure"]


@dataclass(frozen=True, slots=True)
class Result:
    """One parser: the lines that it was given in a pass, those that it took, its best pass, its first."""

    name: str
    lines: int
    taken: int
    seconds: float
    first_s: float

    @property
    def lines_per_s(self) -> float:
        """Lines a second in the best pass."""
        return self.lines / self.seconds if self.seconds else 0.0

    @property
    def first_lines_per_s(self) -> float:
        """Lines a second in the first pass, in which nothing is known yet of any date or zone."""
        return self.lines / self.first_s if self.first_s else 0.0


def measure(
    parser: Parser, lines: Sequence[bytes], *, at_least_s: float, clock: Callable[[], float]
) -> Result:
    """Pass the lines through the parser until ``at_least_s`` are over; the best pass counts.

    The clock is processor time by default in the command: another program's work is not the parser's.
    """
    parse = parser.parse
    best, first, start, taken = float("inf"), 0.0, clock(), 0
    while True:
        begin = clock()
        taken = 0
        for line in lines:
            if parse(line) is not None:
                taken += 1
        end = clock()
        first = first or end - begin
        best = min(best, end - begin)
        if end - start >= at_least_s:
            return Result(parser.name, len(lines), taken, best, first)


def default_clock() -> float:
    """Return the processor time of this process, in seconds."""
    return time.process_time()
