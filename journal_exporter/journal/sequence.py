"""Pure: which entries are missing, by journald's own sequence numbers.

journald numbers entries without holes, with one counter for all files that it writes during a boot: system
and user journals, runtime and persistent. An *epoch* is what shares a counter: the boots and sequence
number ids whose numbers continue each other. A number that no file holds any more, below one that was read,
is a loss.

Guarantees: a loss is reported once; nothing is reported that a file may still hold, or that was lost before
the first run; a numbering that starts anew is not a loss.

Not there: an exact count where numbers occur twice, or where a loss leaves no hole. The page on
guarantees lists these cases.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from journal_exporter.journal.epoch import MAX_BOOTS, Epoch, Gap

MAX_EPOCHS = 8
"""Epochs kept of which no file is left."""
MAX_KNOWN = 64
RECENT_GAPS = 8
Snapshot = Mapping[str, Any]
"""``epochs``: key and fields of each ``Epoch``; ``ids`` and ``last``: epoch and last number by sequence
number id; ``read``, ``lost`` and ``gaps``: totals; ``ignored`` and ``known``: see ``begin`` and ``explain``;
``recent``: the last gaps, [first, last, time of the next entry in microseconds] each."""


_EMPTY: Snapshot = {
    "epochs": [], "ids": {}, "last": {}, "read": 0, "lost": 0, "gaps": 0, "recent": []
}  # fmt: skip


class SequenceTracker:
    """What was read of each numbering, and what was lost so far; ``snapshot`` saves it as JSON."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        saved = snapshot or _EMPTY
        self._epochs = {int(key): Epoch.restored(epoch) for key, *epoch in saved["epochs"]}
        self._ids: dict[str, int] = dict(saved["ids"])
        self.read = int(saved["read"])
        self.lost = int(saved["lost"])
        self.gaps = int(saved["gaps"])
        self.recent = [[int(number) for number in gap] for gap in saved["recent"]]
        self._ignored: dict[str, int] = dict(saved.get("ignored", {}))
        self._known: dict[str, list[list[int]]] = {
            name: [list(one) for one in known] for name, known in saved.get("known", {}).items()
        }
        """By machine id, entries read without a number, or counted as lost: [first, last, entries] each.
        Which epoch they are of shows later."""
        self._last: dict[str, int] = {name: int(number) for name, number in saved["last"].items()}
        self.restarts = 0
        """Numberings that started anew since this object was made."""

    def snapshot(self) -> Snapshot:
        """Return the whole as JSON can hold it."""
        return {
            "epochs": [[key, *epoch.snapshot()] for key, epoch in self._epochs.items()],
            "ids": dict(self._ids),
            "last": dict(self._last),
            "read": self.read,
            "lost": self.lost,
            "gaps": self.gaps,
            "recent": [list(gap) for gap in self.recent],
            **({"ignored": dict(self._ignored)} if self._ignored else {}),
            "known": {name: [*map(list, known)] for name, known in self._known.items()},
        }  # fmt: skip

    def enter(self, machine_id: str, seqnum_id: str, boot_id: str, seqnum: int, before: int) -> int:
        """Return the epoch of a file's first entry of a boot; ``before``: the number before it there, or 0.

        journald continues from the highest number of the files that it opens: where a file, or another
        epoch, ends with the number just before, the jump to it is not a loss.
        """
        ends = {before, self._last.get(seqnum_id, 0)}
        known = self._ids.get(seqnum_id)
        key = self.epoch_of(machine_id, seqnum_id, boot_id, seqnum)
        epoch = self._epochs[key]
        others = {
            other.top
            for other in self._epochs.values()
            if other is not epoch and other.machine_id == machine_id
        }
        # The first entry of an id may continue a file of another epoch that is gone.
        is_first = not before and known != key
        continues = seqnum - 1 in ends | others or (
            is_first and seqnum - 1 <= max(others, default=0)
        )
        if continues:
            epoch.bridge(seqnum)
        return key

    def epoch_of(self, machine_id: str, seqnum_id: str, boot_id: str, seqnum: int) -> int:
        """Return the epoch of an entry; known boots and ids keep theirs where the numbers allow it."""
        by_id = self._ids.get(seqnum_id)
        by_boot = next(
            (
                key
                for key, epoch in reversed(self._epochs.items())
                if epoch.machine_id == machine_id and boot_id in epoch.boots
            ),
            None,
        )
        if by_id is not None and by_id == by_boot:
            return by_id
        if by_id is not None and by_boot is None and self._epochs[by_id].lacks(seqnum):
            # Where a clock went back, a file's later boot is read after another's still later one.
            return self._note(by_id, seqnum_id, boot_id)
        below = [
            key for key in (by_id, by_boot) if key is not None and self._epochs[key].top < seqnum
        ]
        if below:
            # A counter goes on from the highest number of the files that journald has opened.
            key = max(below, key=lambda one: self._epochs[one].top)
            if key == by_id and by_boot is not None:
                self._merge(by_boot, by_id)
            return self._note(key, seqnum_id, boot_id)
        if by_boot is not None:
            return self._note(by_boot, seqnum_id, boot_id)
        return self._note(self._new(machine_id, seqnum - 1), seqnum_id, boot_id)

    def _note(self, key: int, seqnum_id: str, boot_id: str) -> int:
        epoch = self._epochs[key]
        if boot_id not in epoch.boots:
            epoch.boots = [*epoch.boots, boot_id][-MAX_BOOTS:]
        self._ids[seqnum_id] = key
        return key

    def _new(self, machine_id: str, floor: int) -> int:
        self.restarts += any(e.machine_id == machine_id for e in self._epochs.values())
        key = 1 + max(self._epochs, default=0)
        self._epochs[key] = Epoch(
            machine_id, floor, ignored=self._ignored.get(machine_id, 0), begin=floor + 1
        )
        return key

    def end(self, seqnum_id: str, seqnum: int) -> None:
        """Remember the last number of an id."""
        self._last[seqnum_id] = seqnum

    def _merge(self, from_key: int, into_key: int) -> None:
        self._epochs[into_key].take_up(self._epochs[from_key])
        moved = [name for name, key in self._ids.items() if key == from_key]
        numbers = dict(self._last)
        self._drop(from_key)
        self._ids.update(dict.fromkeys(moved, into_key))
        self._last = numbers

    def _drop(self, key: int) -> None:
        del self._epochs[key]
        self._ids = {name: of for name, of in self._ids.items() if of != key}
        self._last = {name: of for name, of in self._last.items() if name in self._ids}

    def add(self, key: int, numbers: Sequence[int], *, has_copies: bool = False) -> None:
        """Remember numbers that were read, in ascending order.

        ``has_copies``: a runtime file of their boot was read, so that copies of others may be among them.
        """
        self.read += len(numbers)
        epoch = self._epochs[key]
        begin = before = numbers[0]
        if numbers[-1] - begin == len(numbers) - 1:
            before = numbers[-1]
        else:
            for number in numbers[1:]:
                if number > before + 1:
                    epoch.read(begin, before, has_copies=has_copies)
                    begin = number
                before = number
        epoch.read(begin, before, has_copies=has_copies)

    def begin(self, tails: Mapping[str, int]) -> None:
        """Begin a first run: what is missing below these numbers, by machine id, was lost before it."""
        self._ignored = dict(tails)

    def begun(self) -> None:
        """Note that everything which was there at the first run's start has been read."""
        self._ignored = {}

    def stand(self, machine_id: str, seqnum_id: str, boot_id: str, seqnum: int) -> None:
        """Take every number up to this one as read, where reading begins in the middle of files."""
        epoch = self._epochs[self.epoch_of(machine_id, seqnum_id, boot_id, seqnum)]
        epoch.add(min(epoch.floor, seqnum), seqnum)

    def jump(self, machine_id: str, ends: frozenset[int]) -> None:
        """Take holes that end with the last number of a file as jumps of the counter."""
        for epoch in self._epochs.values():
            if epoch.machine_id == machine_id:
                for first, _last in list(epoch.above):
                    if first - 1 in ends:
                        epoch.bridge(first)

    def cover(self, key: int, first: int, last: int) -> None:
        """Account for numbers whose entries are read elsewhere, or were counted before."""
        if first <= last:
            self._epochs[key].cover(first, last)

    def explain(self, machine_id: str, first: int, last: int, entries: int) -> None:
        """Note entries without a number that was read: their numbers are among these."""
        self._known.setdefault(machine_id, []).append([first, last, entries])

    def end_of_files(self) -> None:
        """Note that every file was read to its end: what explains a hole has done so."""
        for epoch in self._epochs.values():
            if epoch.again_top < 0:
                epoch.again_top = epoch.top
            elif epoch.top > epoch.again_top:
                epoch.again = epoch.again_unsure = 0
        for name, known in self._known.items():
            floor = max((e.floor for e in self._epochs.values() if e.machine_id == name), default=0)
            known[:] = [one for one in known if one[1] > floor][-MAX_KNOWN:]
        self._known = {name: known for name, known in self._known.items() if known}

    def floor_of(self, machine_id: str, seqnum_id: str) -> int:
        """Return a number up to which all are accounted for: in an id's epoch, or in any of a machine."""
        if (key := self._ids.get(seqnum_id)) is not None:
            return self._epochs[key].floor
        return min(
            (e.floor for e in self._epochs.values() if e.machine_id == machine_id), default=0
        )

    @property
    def has_holes(self) -> bool:
        """Whether any number below one that was read is unaccounted for."""
        return any(epoch.above for epoch in self._epochs.values())

    def settle(self, below: Mapping[int, int]) -> list[Gap]:
        """Return the holes below a number per epoch that no file can hold; they are lost."""
        found: list[Gap] = []
        for key, epoch in self._epochs.items():
            if epoch.above and key in below:
                known = self._known.get(epoch.machine_id, [])
                # A file that is gone continued the numbers of another epoch in this one.
                tops = {e.top for e in self._epochs.values()}
                starts = [one[0] for one in known if one[0] - 1 in tops]
                gaps = epoch.settle(below[key], known, starts)
                found += [gap._replace(epoch=key) for gap in gaps]
        for known in self._known.values():
            known[:] = [one for one in known if one[2]]
        return found

    def count(self, gap: Gap, next_realtime_us: int) -> None:
        """Add a loss to the totals."""
        self.lost += gap.entries
        self.gaps += 1
        self.recent = [*self.recent, [gap.seqnum_first, gap.seqnum_last, next_realtime_us]][
            -RECENT_GAPS:
        ]

    def lose(self, gap: Gap, next_realtime_us: int) -> None:
        """Count a loss that was found before, and take its numbers as accounted for."""
        if gap.epoch in self._epochs:
            self._epochs[gap.epoch].add(gap.seqnum_first, gap.seqnum_last)
        self.count(gap, next_realtime_us)

    def keep_ids(self, ids: frozenset[str]) -> None:
        """Forget ids of which no file is left, but the last one of each epoch, and the oldest epochs."""
        left = {key for name, key in self._ids.items() if name in ids}
        for key in [key for key in self._epochs if key not in left][:-MAX_EPOCHS]:
            self._drop(key)
        last = {key: name for name, key in self._ids.items()}
        self._ids = {
            name: key for name, key in self._ids.items() if name in ids or last[key] == name
        }
        self._last = {name: number for name, number in self._last.items() if name in self._ids}

    @property
    def boots(self) -> frozenset[str]:
        """All boots that are known."""
        return frozenset(boot for epoch in self._epochs.values() for boot in epoch.boots)

    def take_over(self, snapshot: Snapshot) -> None:
        """Take the totals of a checkpoint of an earlier version."""
        self.read = int(snapshot["read"])
        self.lost, self.gaps = int(snapshot["lost"]), int(snapshot["gaps"])
        self.recent = [[int(number) for number in gap] for gap in snapshot["recent"]]

    @property
    def machines(self) -> Mapping[int, str]:
        """The machine ids of the epochs."""
        return {key: epoch.machine_id for key, epoch in self._epochs.items()}


def not_lost(snapshot: Snapshot, gap: Gap, entries: int) -> Snapshot:
    """Return a snapshot without so many entries of a gap that it has counted as lost."""
    if not entries:
        return snapshot
    is_whole = entries == gap.entries
    return {
        **snapshot,
        "lost": snapshot["lost"] - entries,
        "gaps": snapshot["gaps"] - is_whole,
        "recent": [
            one for one in snapshot["recent"] if not (is_whole and tuple(one[:2]) == gap[:2])
        ],
    }
