"""Pure: distinguishes entries that are in the output already from those that are missing.

After a kill in the middle of an append, or after a power cut, the output holds more than the checkpoint says.
The entries after the checkpoint are formatted again and offered here, in any order.

Guarantees: a line that is in the output is not written again, as often as it is there; a torn last line is
finished; every other line is written. A mismatch never loops: another program wrote into the file, or the
journal lost an entry.
"""

from collections import deque

from journal_exporter.journal.epoch import Gap
from journal_exporter.lines.format import gap_of

MAX_MISSES = 1000
"""After as many lines in a row that are not found, the rest of the tail is ignored."""


class Replay:
    """Compares lines with ``tail``, the output's bytes after the checkpoint.

    What the output lacks is held back until the tail is explained, so that it follows the torn line's rest.
    """

    def __init__(self, tail: bytes) -> None:
        end = tail.rfind(b"\n") + 1
        self._torn = tail[end:]
        self._places: dict[bytes, deque[int]] = {}
        self._lines = tail[:end].splitlines(keepends=True) if end else []
        for place, line in enumerate(self._lines):
            self._places.setdefault(line, deque()).append(place)
        self._claimed = bytearray(len(self._lines))
        self._first = 0
        """Every line before this one is claimed."""
        self._left = len(self._lines)
        self._rest = b""
        self._missing: list[bytes] = []
        self._misses = 0
        self.suppressed = 0
        self.finished_torn = 0
        self.mismatches = 0

    @property
    def is_over(self) -> bool:
        """Whether the whole tail is explained, or what is left of it is ignored."""
        return (not self._left and not self._torn) or self._misses >= MAX_MISSES

    @property
    def has_lines(self) -> bool:
        """Whether a line of the tail is unexplained."""
        return self._left > 0

    def offer(self, line: bytes) -> None:
        """Take a line that must be in the output."""
        places = self._places.get(line)
        if places:
            self._claim(line, places)
            self._misses = 0
        elif self._torn and line.startswith(self._torn):
            self._rest = line[len(self._torn) :]
            self._torn = b""
            self.finished_torn += 1
        else:
            self._missing.append(line)
            self._misses += 1

    def _claim(self, line: bytes, places: deque[int]) -> None:
        self._claimed[places.popleft()] = True
        if not places:
            del self._places[line]
        self._left -= 1
        self.suppressed += 1

    def holds(self, line: bytes) -> bool:
        """Whether the tail still has this line unexplained."""
        return line in self._places

    def reduce_gap(self, gap: Gap, following: bytes | None) -> tuple[Gap | None, int]:
        """Return what is left of a gap after lines in the tail, and how many entries these lines are of.

        The lines were written before the journal lost their entries, or mark a part of the gap as lost. They
        lie before ``following``, the line of the next entry that has one.
        """
        places = self._places.get(following) if following is not None else None
        end = places[0] if places else len(self._lines)
        left, written = gap.entries, 0
        unclaimed = self._claimed.find(0, self._first)
        self._first = unclaimed if unclaimed >= 0 else len(self._lines)
        for place in range(self._first, end):
            if not left:
                break
            if self._claimed[place]:
                continue
            line = self._lines[place]
            marked = gap_of(line)
            entries = 1 if marked is None else marked.entries
            is_other = marked is not None and not (
                marked.seqnum_first <= gap.seqnum_last and gap.seqnum_first <= marked.seqnum_last
            )
            if is_other or entries > left:
                continue
            self._claim(line, self._places[line])
            left -= entries
            written += marked is None
        self.mismatches += left < gap.entries
        first = min(gap.seqnum_first + gap.entries - left, gap.seqnum_last)
        return (Gap(first, gap.seqnum_last, left) if left else None), written

    def holds_back(self, line: bytes) -> bool:
        """Whether a line that was offered is to be appended."""
        return line in self._missing

    def amend(self, line: bytes, other: bytes) -> None:
        """Append another line, or none, in the place of one that is held back."""
        self._missing[self._missing.index(line)] = other

    def close(self) -> bytes:
        """Return what to append: the torn line's rest, and every line that the output lacks."""
        self.mismatches += bool(self._left or self._torn)
        ending = b"\n" if self._torn else b""
        return self._rest + ending + b"".join(self._missing)
