"""Pure: which entries are missing, by journald's own numbers.

Guarantees: a gap is reported once, with the exact count; an entry that was seen is recognised; a
numbering that starts anew is never taken for a loss.

journald numbers entries without holes, with one counter for all files that it has open (measured:
no hole over rotations and kills, and with ``SplitMode=uid`` none in the union). A *domain* is what
shares a counter: sequence number ids join one when their numbers continue each other.
Only an unfiltered reader sees contiguous numbers, so there are no journal matches here.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

from journal_exporter.journal.cursor import Cursor

MAX_IDS = 16
"""Ids that are kept, the newest: the checkpoint has a fixed size."""
RECENT_GAPS = 8
Snapshot = Mapping[str, Any]
"""``ids``: [id, the fields of ``_Seen``] each, the newest last; ``read``: entries that were read;
``lost`` and ``gaps``: totals; ``recent``: the last gaps, [first, last, time of the next entry in
microseconds] each."""


class Gap(NamedTuple):
    """Entries that were lost before we could read them; both numbers belong to it."""

    seqnum_first: int
    seqnum_last: int

    @property
    def entries(self) -> int:
        """How many."""
        return self.seqnum_last - self.seqnum_first + 1


class Verdict(enum.Enum):
    """What an entry's number says."""

    NEXT = "next"
    GAP = "gap"
    REPEATED = "repeated"
    RESTARTED = "restarted"


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    seqnum: int
    boot_id: str
    monotonic_us: int
    domain: int
    began: int
    """The first number of the domain."""
    ordinal: int
    """How many entries had been read, of all ids, when this one was."""


class SequenceTracker:
    """Where each numbering stands, and what was lost so far; ``snapshot`` saves it as JSON."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        saved = snapshot or {"ids": [], "read": 0, "lost": 0, "gaps": 0, "recent": []}
        self._ids: dict[str, _Seen] = {
            str(key): _Seen(int(seqnum), str(boot), *map(int, numbers))
            for key, seqnum, boot, *numbers in saved["ids"]
        }
        self._read = int(saved["read"])
        self._lost = int(saved["lost"])
        self._gaps = int(saved["gaps"])
        self._recent = [[int(number) for number in gap] for gap in saved["recent"]]

    def snapshot(self) -> Snapshot:
        """Return the whole as JSON can hold it."""
        return {
            # Not dataclasses.astuple(): it copies deeply, and this is done twice a batch.
            "ids": [
                [key, s.seqnum, s.boot_id, s.monotonic_us, s.domain, s.began, s.ordinal]
                for key, s in self._ids.items()
            ],
            "read": self._read,
            "lost": self._lost,
            "gaps": self._gaps,
            "recent": list(self._recent),
        }

    @property
    def _last(self) -> str | None:
        return next(reversed(self._ids), None)

    def _domain_end(self, domain: int) -> _Seen:
        mates = (seen for seen in self._ids.values() if seen.domain == domain)
        return max(mates, key=lambda seen: seen.seqnum)

    def stands_at(self, cursor: Cursor) -> bool:
        """Whether this is the last entry observed: nothing after it is still unaccounted for."""
        seen = self._ids.get(cursor.seqnum_id)
        return (
            seen is not None
            and self._last == cursor.seqnum_id
            and (seen.seqnum, seen.boot_id) == (cursor.seqnum, cursor.boot_id)
        )

    def continues(self, first: Cursor, last: Cursor, count: int) -> bool:
        """Whether ``count`` entries from ``first`` to ``last`` leave no hole, without a look at each.

        Sound only where all files share one sequence number id; the caller sees to that.
        """
        seen = self._ids.get(first.seqnum_id)
        return (
            seen is not None
            and first.seqnum_id == last.seqnum_id == self._last
            and first.boot_id == last.boot_id == seen.boot_id
            and first.seqnum == seen.seqnum + 1
            and last.seqnum - first.seqnum == count - 1
        )

    def observe(self, cursor: Cursor) -> tuple[Verdict, Gap | None]:
        """Judge the next entry and remember it, unless it is repeated."""
        verdict, gap, domain = self._judge(cursor)
        if verdict is not Verdict.REPEATED:
            self._remember(cursor, domain, 1)
        if gap is not None:
            self._lost += gap.entries
            self._gaps += 1
            self._recent = [*self._recent, [*gap, cursor.realtime_us]][-RECENT_GAPS:]
        return verdict, gap

    def advance(self, last: Cursor) -> None:
        """Remember the end of a run that ``continues`` approved."""
        seen = self._ids[last.seqnum_id]
        self._remember(last, seen.domain, last.seqnum - seen.seqnum)

    def _remember(self, cursor: Cursor, domain: int, entries: int) -> None:
        self._read += entries
        mates = list(self._ids.values())
        self._ids.pop(cursor.seqnum_id, None)
        began = next((s.began for s in mates if s.domain == domain), cursor.seqnum)
        self._ids[cursor.seqnum_id] = _Seen(
            cursor.seqnum, cursor.boot_id, cursor.monotonic_us, domain, began, self._read
        )
        while len(self._ids) > MAX_IDS:
            del self._ids[next(iter(self._ids))]

    def _judge(self, cursor: Cursor) -> tuple[Verdict, Gap | None, int]:
        if self._last is None:
            return Verdict.NEXT, None, self._new_domain()
        previous = self._ids[self._last]
        seen = self._ids.get(cursor.seqnum_id)
        if seen is not None and cursor.seqnum <= seen.seqnum and cursor.boot_id == seen.boot_id:
            if cursor.monotonic_us <= seen.monotonic_us:
                return Verdict.REPEATED, None, seen.domain
            return Verdict.RESTARTED, None, self._new_domain()
        if cursor.seqnum in (previous.seqnum + 1, self._domain_end(previous.domain).seqnum + 1):
            # Whatever was thought before: these two share a counter.
            return Verdict.NEXT, None, previous.domain
        rewound = cursor.boot_id != previous.boot_id and cursor.seqnum <= previous.seqnum
        if seen is None or rewound or cursor.seqnum <= seen.seqnum:
            return Verdict.RESTARTED, None, self._new_domain()
        return self._judge_later(cursor, seen, previous)

    def _judge_later(
        self, cursor: Cursor, seen: _Seen, previous: _Seen
    ) -> tuple[Verdict, Gap | None, int]:
        """Judge an entry of a known id with a higher number than the last."""
        end = self._domain_end(seen.domain)
        if cursor.seqnum == end.seqnum + 1:
            return Verdict.NEXT, None, seen.domain
        if cursor.seqnum == seen.seqnum + 1 or cursor.seqnum <= end.seqnum:
            # The ids of this domain turn out not to share a counter.
            return Verdict.NEXT, None, self._new_domain()
        if end.seqnum < previous.began <= previous.seqnum < cursor.seqnum:
            # The other ids since have numbers in between: they share this counter.
            return Verdict.GAP, Gap(previous.seqnum + 1, cursor.seqnum - 1), previous.domain
        # Entries of this boot read under other ids since may be among the missing: journald copies
        # the runtime journal into the persistent one, and readers pass over the copies.
        elsewhere = self._read - end.ordinal if previous.boot_id == cursor.boot_id else 0
        first = end.seqnum + 1 + elsewhere
        if first >= cursor.seqnum:
            return Verdict.NEXT, None, seen.domain
        return Verdict.GAP, Gap(first, cursor.seqnum - 1), seen.domain

    def _new_domain(self) -> int:
        return 1 + max((seen.domain for seen in self._ids.values()), default=0)


def ends(snapshot: Snapshot) -> Mapping[str, int]:
    """Return the last sequence number of each id in a snapshot."""
    return {str(entry[0]): int(entry[1]) for entry in snapshot["ids"]}
