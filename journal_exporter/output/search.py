"""Pure: finds where in the journal an output's last lines begin, for a start without a valid checkpoint.

Every entry of the journal is formatted and offered here. A line may be like one of long ago by chance, so the
longest run of lines that are in the output counts. Lines before it are taken as rotated away.
"""

from collections.abc import Callable
from typing import NamedTuple

from journal_exporter.journal.position import Position

MAX_MISSES = 1000
"""So many lines in a row that are not in the output end a run."""


class Found(NamedTuple):
    """A place in the journal, and the offset in the tail of the lines that follow it."""

    position: Position
    offset: int
    lines: int


class Search:
    """Looks for the lines of ``tail``, the output's last bytes."""

    def __init__(self, tail: bytes) -> None:
        self._offsets: dict[bytes, int] = {}
        offset = 0
        for line in tail.splitlines(keepends=True):
            self._offsets.setdefault(line, offset)
            offset += len(line)
        self._run: Found | None = None
        self._misses = 0
        self.best: Found | None = None
        """The longest run so far; the newest one of equally long ones."""

    def offer(self, line: bytes, position: Callable[[], Position]) -> None:
        """Take the line of an entry; ``position`` returns the place before the entry."""
        offset = self._offsets.get(line)
        if offset is None:
            self._misses += 1
            return
        run = self._run
        if run is None or self._misses >= MAX_MISSES:
            run = Found(position(), offset, 0)
        self._misses = 0
        self._run = run._replace(offset=min(run.offset, offset), lines=run.lines + 1)
        if self.best is None or self._run.lines >= self.best.lines:
            self.best = self._run
