"""Pure: tells entries that are in the output already from those that are not.

After a kill in the middle of an append, or a power cut, the output holds more than the checkpoint
vouches for. The entries after the checkpoint are rendered again and offered here in order.

Guarantees: a line that is there is not written again, a torn last line is finished, everything else is
written; a mismatch (somebody else wrote into the file, or the journal lost what is in it) never loops.
"""

from journal_exporter.journal.sequence import Gap

MAX_MISSES = 1000
"""Lines in a row that are not found before the rest of the tail is given up."""


class Replay:
    """Compares lines with ``tail``, the output's bytes after the checkpoint."""

    def __init__(self, tail: bytes) -> None:
        self._tail = tail
        self._at = 0
        self._torn_end = bool(tail) and not tail.endswith(b"\n")
        self._misses = 0
        self.suppressed = 0
        self.finished_torn = 0
        self.mismatches = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing of the tail is left to compare."""
        return self._at >= len(self._tail)

    def offer(self, line: bytes) -> bytes:
        """Return what to append for the line: nothing, its missing rest, or all of it."""
        if self.is_over:
            return line
        if self._tail.startswith(line, self._at):
            self._take(self._at + len(line))
            return b""
        found = self._find(line)
        if found >= 0:
            self.mismatches += 1
            self._take(found + len(line))
            return b""
        rest = self._finish_torn(line)
        return self._append(line) if rest is None else rest

    def explained(self, gap: Gap, marker: bytes, following: bytes | None) -> Gap | None:
        """Return what is left of a gap: lines that can't be rendered any more explain lost entries.

        They were written before their entries went. ``marker`` is the gap's line, ``following`` that of
        the next entry that has one.
        """
        if self.is_over or self._find(marker) >= 0:
            return gap
        end = -1 if following is None else self._find(following)
        end = self._tail.rfind(b"\n") + 1 if end < 0 else end
        known = self._tail.count(b"\n", self._at, max(end, self._at))
        if known:
            self.mismatches += 1
            self.suppressed += known
            self._at = end
        first = gap.seqnum_first + known
        return Gap(first, gap.seqnum_last) if first <= gap.seqnum_last else None

    def close(self) -> bytes:
        """Give up on the rest; return the line end that a torn rest needs before anything else."""
        if self.is_over:
            return b""
        self.mismatches += 1
        self._at = len(self._tail)
        return self._end_torn()

    def _take(self, end: int) -> None:
        self._at = end
        self._misses = 0
        self.suppressed += 1

    def _finish_torn(self, line: bytes) -> bytes | None:
        start = self._tail.rfind(b"\n") + 1
        if not self._torn_end or start < self._at or not line.startswith(self._tail[start:]):
            return None
        if start > self._at and not self._misses:
            self.mismatches += 1
            self._misses = 1
        rest = line[len(self._tail) - start :]
        # Whole lines before it that nobody has claimed yet may still be those of later entries.
        self._tail = self._tail[:start]
        self._torn_end = False
        self.finished_torn += 1
        return rest

    def _append(self, line: bytes) -> bytes:
        self._misses += 1
        self.mismatches += self._misses == 1
        ending = self._end_torn()
        if self._misses >= MAX_MISSES:
            self._at = len(self._tail)
        return ending + line

    def _end_torn(self) -> bytes:
        ending = b"\n" if self._torn_end else b""
        self._torn_end = False
        return ending

    def _find(self, line: bytes) -> int:
        """Return where the line stands in the rest of the tail, at a line's start; else -1."""
        if self._tail.startswith(line, self._at):
            return self._at
        found = self._tail.find(b"\n" + line, self._at)
        return found if found < 0 else found + 1
