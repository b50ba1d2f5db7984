"""Pure: distinguishes entries that are in the output already from those that are missing.

After a kill in the middle of an append, or after a power cut, the output holds more than the checkpoint says.
The entries after the checkpoint are formatted again and offered here in order.

Guarantees: a line that is in the output is not written again, a torn last line is finished, and every other
line is written. A mismatch never loops: another program wrote into the file, or the journal lost an entry.
"""

from journal_exporter.journal.sequence import Gap

MAX_MISSES = 1000
"""After as many lines in a row that are not found, the rest of the tail is ignored."""


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
        """Whether the whole tail was compared."""
        return self._at >= len(self._tail)

    def offer(self, line: bytes) -> bytes:
        """Return what to append for a line: nothing, its missing rest, or all of it."""
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

    def reduce_gap(self, gap: Gap, marker: bytes, following: bytes | None) -> Gap | None:
        """Return what is left of a gap after lines in the tail explained some of its entries.

        These lines were written before the journal lost their entries. ``marker`` is the gap's line,
        ``following`` the line of the next entry that has one.
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
        """Ignore the rest of the tail; return the line end that a torn rest needs."""
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
        # Whole lines before it that no entry matched yet may still belong to later entries.
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
        """Return where the line is in the rest of the tail, at a line's start; -1 if it is not there."""
        if self._tail.startswith(line, self._at):
            return self._at
        found = self._tail.find(b"\n" + line, self._at)
        return found if found < 0 else found + 1
