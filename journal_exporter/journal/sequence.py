"""Pure: finds missing entries by journald's sequence numbers.

Guarantees: a gap is reported once, with the exact count. An entry that was read before is recognised. A
sequence that starts again is never taken for a loss.

journald numbers entries without holes, with one counter for all files that it has open (measured:
no hole over rotations and kills, and with ``SplitMode=uid`` none in the union). A *domain* is a set of
sequence number ids that share a counter: ids join a domain when their numbers continue each other.
Only an unfiltered reader sees contiguous numbers, so the reader uses no journal matches.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

from journal_exporter.journal.cursor import Cursor

MAX_IDS = 16
"""The newest ids are kept: the checkpoint has a fixed size."""
RECENT_GAPS = 8
Snapshot = Mapping[str, Any]
"""``ids``: a list [id, the fields of ``_LastSeen``] per id, the newest last. ``read``: number of entries
read. ``lost`` and ``gaps``: totals. ``recent``: a list [first, last, time of the next entry in
microseconds] per gap."""


class Gap(NamedTuple):
    """Entries that were lost before they could be read, from the first number to the last."""

    seqnum_first: int
    seqnum_last: int

    @property
    def entries(self) -> int:
        """Number of entries lost."""
        return self.seqnum_last - self.seqnum_first + 1


class SequenceEvent(enum.Enum):
    """What an entry's sequence number means after those before it."""

    NEXT = "next"
    GAP = "gap"
    REPEATED = "repeated"
    RESTARTED = "restarted"


@dataclasses.dataclass(frozen=True, slots=True)
class _LastSeen:
    """The last entry read of one sequence number id."""

    seqnum: int
    boot_id: str
    monotonic_us: int
    domain: int
    domain_first: int
    """The first number of the domain."""
    ordinal: int
    """How many entries of all ids had been read by then, including this one."""


class SequenceTracker:
    """Tracks the last number of each sequence, and all losses; ``snapshot`` returns its state."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        saved = snapshot or {"ids": [], "read": 0, "lost": 0, "gaps": 0, "recent": []}
        self._ids: dict[str, _LastSeen] = {
            str(key): _LastSeen(int(seqnum), str(boot), *map(int, numbers))
            for key, seqnum, boot, *numbers in saved["ids"]
        }
        self._read = int(saved["read"])
        self._lost = int(saved["lost"])
        self._gaps = int(saved["gaps"])
        self._recent = [[int(number) for number in gap] for gap in saved["recent"]]

    def snapshot(self) -> Snapshot:
        """Return the tracker's state as JSON can hold it."""
        return {
            # Not dataclasses.astuple(): it copies deeply, and this is done twice a batch.
            "ids": [
                [key, s.seqnum, s.boot_id, s.monotonic_us, s.domain, s.domain_first, s.ordinal]
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

    def _domain_end(self, domain: int) -> _LastSeen:
        same_domain = (seen for seen in self._ids.values() if seen.domain == domain)
        return max(same_domain, key=lambda seen: seen.seqnum)

    def is_at(self, cursor: Cursor) -> bool:
        """Whether this is the last entry observed, so that every entry before it is accounted for."""
        seen = self._ids.get(cursor.seqnum_id)
        return (
            seen is not None
            and self._last == cursor.seqnum_id
            and (seen.seqnum, seen.boot_id) == (cursor.seqnum, cursor.boot_id)
        )

    def continues(self, first: Cursor, last: Cursor, count: int) -> bool:
        """Whether ``count`` entries from ``first`` to ``last`` continue the sequence without a hole.

        Correct only where all files share one sequence number id; the caller ensures that.
        """
        seen = self._ids.get(first.seqnum_id)
        return (
            seen is not None
            and first.seqnum_id == last.seqnum_id == self._last
            and first.boot_id == last.boot_id == seen.boot_id
            and first.seqnum == seen.seqnum + 1
            and last.seqnum - first.seqnum == count - 1
        )

    def observe(self, cursor: Cursor) -> tuple[SequenceEvent, Gap | None]:
        """Return what the next entry's number means; remember the entry unless it is repeated."""
        event, gap, domain = self._classify(cursor)
        if event is not SequenceEvent.REPEATED:
            self._remember(cursor, domain, 1)
        if gap is not None:
            self._lost += gap.entries
            self._gaps += 1
            self._recent = [*self._recent, [*gap, cursor.realtime_us]][-RECENT_GAPS:]
        return event, gap

    def advance(self, last: Cursor) -> None:
        """Remember the last of the entries that ``continues`` accepted."""
        seen = self._ids[last.seqnum_id]
        self._remember(last, seen.domain, last.seqnum - seen.seqnum)

    def _remember(self, cursor: Cursor, domain: int, entries: int) -> None:
        self._read += entries
        before = list(self._ids.values())
        self._ids.pop(cursor.seqnum_id, None)
        domain_first = next((s.domain_first for s in before if s.domain == domain), cursor.seqnum)
        self._ids[cursor.seqnum_id] = _LastSeen(
            cursor.seqnum, cursor.boot_id, cursor.monotonic_us, domain, domain_first, self._read
        )
        while len(self._ids) > MAX_IDS:
            del self._ids[next(iter(self._ids))]

    def _classify(self, cursor: Cursor) -> tuple[SequenceEvent, Gap | None, int]:
        if self._last is None:
            return SequenceEvent.NEXT, None, self._new_domain()
        previous = self._ids[self._last]
        seen = self._ids.get(cursor.seqnum_id)
        if seen is not None and cursor.seqnum <= seen.seqnum and cursor.boot_id == seen.boot_id:
            if cursor.monotonic_us <= seen.monotonic_us:
                return SequenceEvent.REPEATED, None, seen.domain
            return SequenceEvent.RESTARTED, None, self._new_domain()
        if cursor.seqnum in (previous.seqnum + 1, self._domain_end(previous.domain).seqnum + 1):
            # Whatever was assumed before: these two share a counter.
            return SequenceEvent.NEXT, None, previous.domain
        rewound = cursor.boot_id != previous.boot_id and cursor.seqnum <= previous.seqnum
        if seen is None or rewound or cursor.seqnum <= seen.seqnum:
            return SequenceEvent.RESTARTED, None, self._new_domain()
        return self._classify_later(cursor, seen, previous)

    def _classify_later(
        self, cursor: Cursor, seen: _LastSeen, previous: _LastSeen
    ) -> tuple[SequenceEvent, Gap | None, int]:
        """Classify an entry of a known id with a higher number than the last of that id."""
        end = self._domain_end(seen.domain)
        if cursor.seqnum == end.seqnum + 1:
            return SequenceEvent.NEXT, None, seen.domain
        if cursor.seqnum == seen.seqnum + 1 or cursor.seqnum <= end.seqnum:
            # So the ids of this domain do not share a counter.
            return SequenceEvent.NEXT, None, self._new_domain()
        if end.seqnum < previous.domain_first <= previous.seqnum < cursor.seqnum:
            # The ids read since have numbers in between: they share this counter.
            return SequenceEvent.GAP, Gap(previous.seqnum + 1, cursor.seqnum - 1), previous.domain
        # Entries of this boot that were read under other ids may be among the missing ones: journald
        # copies the runtime journal into the persistent one, and readers skip the copies.
        elsewhere = self._read - end.ordinal if previous.boot_id == cursor.boot_id else 0
        first = end.seqnum + 1 + elsewhere
        if first >= cursor.seqnum:
            return SequenceEvent.NEXT, None, seen.domain
        return SequenceEvent.GAP, Gap(first, cursor.seqnum - 1), seen.domain

    def _new_domain(self) -> int:
        return 1 + max((seen.domain for seen in self._ids.values()), default=0)


def last_seqnums(snapshot: Snapshot) -> Mapping[str, int]:
    """Return the last sequence number of each id in a snapshot."""
    return {str(entry[0]): int(entry[1]) for entry in snapshot["ids"]}
