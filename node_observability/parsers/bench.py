"""``parsers bench``: lines a second for each parser, over a file of real lines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node_observability.parsers.parser import Parser

__all__ = ["Result", "measure"]


@dataclass(frozen=True, slots=True)
class Result:
    """One parser: the lines that it was given in a pass, those that it took, and its best pass."""

    name: str
    lines: int
    taken: int
    seconds: float

    @property
    def lines_per_s(self) -> float:
        """Lines a second in the best pass."""
        return self.lines / self.seconds if self.seconds else 0.0


def measure(
    parser: Parser, lines: Sequence[bytes], *, at_least_s: float, clock: Callable[[], float]
) -> Result:
    """Pass the lines through the parser until ``at_least_s`` are over; the best pass counts.

    The clock is processor time by default in the command: another program's work is not the parser's.
    """
    parse = parser.parse
    best, start, taken = float("inf"), clock(), 0
    while True:
        begin = clock()
        taken = 0
        for line in lines:
            if parse(line) is not None:
                taken += 1
        end = clock()
        best = min(best, end - begin)
        if end - start >= at_least_s:
            return Result(parser.name, len(lines), taken, best)


def default_clock() -> float:
    """Return the processor time of this process, in seconds."""
    return time.process_time()
