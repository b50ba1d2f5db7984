"""Pure: one counter of entries, and which of its numbers are accounted for.

Guarantees: every number is in one hole at most, and a hole is given up once.

Not there: which file or boot a number belongs to. The tracker of sequences says that.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

MAX_BOOTS = 16
"""Boots kept per epoch, the newest."""
MAX_COPIED = 8
MAX_EARLY = 64
LEAST_UNSURE = 4
"""A smaller hole has that size by chance: a journald that starts again also repeats numbers."""


class Gap(NamedTuple):
    """Entries that were lost before they could be read: some or all of those with these numbers."""

    seqnum_first: int
    seqnum_last: int
    entries: int
    epoch: int = 0
    """Where all of these numbers are missing: in which epoch; 0 for other losses."""


def _common(first: int, last: int, ranges: Iterable[Sequence[int]]) -> int:
    """Return how many numbers a range has in common with others."""
    return sum(max(0, min(last, end) - max(first, begin) + 1) for begin, end in ranges)


@dataclasses.dataclass(slots=True)
class Epoch:
    """One counter. ``floor``: every number up to it is accounted for."""

    machine_id: str
    floor: int
    boots: list[str] = dataclasses.field(default_factory=list)
    above: list[list[int]] = dataclasses.field(default_factory=list)
    """Disjoint ranges of numbers that were read, above holes: [first, last] each, sorted."""
    ignored: int = 0
    """Holes up to this number are older than the first run."""
    begin: int = 0
    """Every number from here to the floor is accounted for because it was read or lost."""
    early: list[list[int]] = dataclasses.field(default_factory=list)
    """The last disjoint ranges of numbers that were read, below: [first, last] each, sorted."""
    copied: list[list[int]] = dataclasses.field(default_factory=list)
    """The last ranges of numbers that copies have: [first, last] each. Other entries may have them, too."""
    again: int = 0
    """Entries whose number was read before, in a boot with a runtime journal: copies of a runtime file that
    was never seen, whose own numbers are missing."""
    again_unsure: int = 0
    """The same in a boot of which no runtime file was seen: a hole of just that size may be such numbers."""
    again_end: int = -1
    """The number after the copies at the start of a new file. There the counter jumps to its own numbers."""
    again_top: int = -1
    """The highest number when every file was read to its end, after the last of them; -1 before."""

    def snapshot(self) -> list[Any]:
        """Return the fields as JSON can hold them."""
        above, early, copied = (
            [list(one) for one in ranges] for ranges in (self.above, self.early, self.copied)
        )
        return [
            self.machine_id, self.floor, list(self.boots), above, self.ignored, self.begin, early,
            copied, self.again, self.again_unsure, self.again_end, self.again_top,
        ]  # fmt: skip

    @classmethod
    def restored(cls, saved: Sequence[Any]) -> "Epoch":
        """Return the epoch of a snapshot."""
        machine_id, floor, boots, above, ignored, begin, early, copied, *again = saved
        return cls(
            str(machine_id), int(floor), list(boots), [list(one) for one in above], int(ignored),
            int(begin), [list(one) for one in early], [list(one) for one in copied],
            *map(int, again),
        )  # fmt: skip

    @property
    def top(self) -> int:
        """The highest number that is accounted for."""
        return self.above[-1][1] if self.above else self.floor

    def lacks(self, number: int) -> bool:
        """Whether a number lies in a hole."""
        return self.floor < number < self.top and not any(
            first <= number <= last for first, last in self.above
        )

    def read(self, first: int, last: int, *, has_copies: bool) -> None:
        """Add numbers of entries; ``has_copies``: a runtime file of their boot was read."""
        # Of two files that journald writes in turn every number is a range of its own.
        start = bisect.bisect_left(self.above, first, key=lambda one: one[1])
        stop = bisect.bisect_right(self.above, last, start, key=lambda one: one[0])
        above = self.above[start:stop]
        again = _common(first, last, [*self.early, (self.begin, self.floor), *above])
        again -= _common(first, last, self.copied)
        if again > 0:
            self.again_top = -1
            if has_copies:
                self.again += again
            else:
                self.again_unsure += again
                if first == 1 and again >= LEAST_UNSURE:
                    self.again_end = last + 1
        self._begin(first, last)
        self.add(first, last)

    def take_up(self, other: "Epoch") -> None:
        """Add what is known of an epoch that proves to be the same."""
        self.boots = [*self.boots, *other.boots][-MAX_BOOTS:]
        self.copied = [*self.copied, *other.copied][-MAX_COPIED:]
        self.again += other.again
        self.again_unsure += other.again_unsure
        middle = [[other.begin, other.floor]] if other.begin <= other.floor else []
        # From above, so that what lies below the other's begin can join what lies between.
        for first, last in reversed([*other.early, *middle, *other.above]):
            self._begin(first, last)
            self.add(first, last)

    def _begin(self, first: int, last: int) -> None:
        """Note that the numbers of a range are accounted for, should they lie below all others."""
        if last + 1 < self.begin:
            _insert(self.early, first, last)
            del self.early[:-MAX_EARLY]
            return
        self.begin = min(first, self.begin)
        while self.early and self.early[-1][1] + 1 >= self.begin:
            self.begin = min(self.begin, self.early.pop()[0])

    def cover(self, first: int, last: int) -> None:
        """Account for numbers of copies."""
        self.copied = [*self.copied, [first, last]][-MAX_COPIED:]
        if len(self.copied) > 1 and self.copied[-2][1] + 1 == first:
            self.copied[-2:] = [[self.copied[-2][0], last]]
        self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Account for numbers."""
        if last < first:
            return
        if first <= self.floor + 1:
            self.floor = max(self.floor, last)
        else:
            _insert(self.above, first, last)
        while self.above and self.above[0][0] <= self.floor + 1:
            self.floor = max(self.floor, self.above.pop(0)[1])

    def bridge(self, number: int) -> None:
        """Account for the hole that ends just before a number: the counter jumped to it."""
        ends = [self.floor, *(last for first, last in self.above if first < number)]
        self.add(ends[-1] + 1, number - 1)

    def settle(self, below: int, known: list[list[int]], starts: Sequence[int]) -> list[Gap]:
        """Take every hole below a number as lost; return those that lose something that is not known.

        ``known``: see ``SequenceTracker``; what explains a hole is taken from it. ``starts``: numbers to
        which the counter may have jumped.
        """
        gaps = []
        # What can explain no later hole comes first.
        known.sort(key=lambda one: one[1])
        # The least number of each and those after it: thousands of damaged entries make as many holes.
        least = list(itertools.accumulate((one[0] for one in reversed(known)), min))[::-1]
        at = 0
        while self.above and self.above[0][0] <= below:
            first, last = self.floor + 1, self.above[0][0] - 1
            jumps = [start for start in starts if start <= last]
            counted = max(first, self.ignored + 1, *jumps)
            entries = max(0, last - counted + 1)
            at = bisect.bisect_left(known, first, at, key=lambda one: one[1])
            index = at
            while entries and index < len(known) and least[index] <= last:
                one = known[index]
                explained = min(one[2], entries) if one[0] <= last else 0
                entries -= explained
                one[2] -= explained
                index += 1
            repeated = min(self.again, entries)
            unsure = entries - repeated
            if unsure and (first == self.again_end or LEAST_UNSURE <= unsure == self.again_unsure):
                repeated, self.again_unsure = entries, 0
            entries -= repeated
            self.again = max(0, self.again - repeated)
            if entries:
                gaps.append(Gap(first, last, entries))
            self.floor = self.above.pop(0)[1]
        return gaps


def _insert(ranges: list[list[int]], first: int, last: int) -> None:
    """Add a range to disjoint ones, which stay sorted; those that it touches become one."""
    begin = bisect.bisect_left(ranges, first - 1, key=lambda one: one[1])
    end = begin
    while end < len(ranges) and ranges[end][0] <= last + 1:
        first, last = min(first, ranges[end][0]), max(last, ranges[end][1])
        end += 1
    ranges[begin:end] = [[first, last]]
