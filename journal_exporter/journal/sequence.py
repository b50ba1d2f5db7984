"""Pure: which entries are missing, by journald's own sequence numbers.

journald numbers entries without holes, with one counter for all files that it writes during a boot: system
and user journals, runtime and persistent. An *epoch* is what shares a counter: the boots and sequence
number ids whose numbers continue each other. A number that no file holds any more, below one that was read,
is a loss.

Guarantees: a loss is reported once, with the exact count; nothing is reported that a file may still hold,
that was lost before the first run, or that no number read supports; a numbering that starts anew is not a
loss.
"""

import bisect
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MAX_EPOCHS = 8
MAX_BOOTS = 16
"""Boots kept per epoch, the newest."""
RECENT_GAPS = 8
Snapshot = Mapping[str, Any]
"""``epochs``: the fields of ``_Epoch`` each; ``ids`` and ``last``: epoch and last number by sequence number
id; ``read``, ``lost`` and ``gaps``: totals; ``ignored``: see ``begin``; ``recent``: the last gaps, [first,
last, time of the next entry in microseconds] each."""


_EMPTY: Snapshot = {
    "epochs": [], "ids": {}, "last": {}, "read": 0, "lost": 0, "gaps": 0, "recent": []
}  # fmt: skip


class Gap(NamedTuple):
    """Entries that were lost before they could be read: some or all of those with these numbers."""

    seqnum_first: int
    seqnum_last: int
    entries: int
    epoch: int = 0
    """Where all of these numbers are missing: in which epoch; 0 for other losses."""


@dataclasses.dataclass(slots=True)
class _Epoch:
    """One counter. ``floor``: every number up to it is accounted for."""

    machine_id: str
    floor: int
    boots: list[str] = dataclasses.field(default_factory=list)
    above: list[list[int]] = dataclasses.field(default_factory=list)
    """Disjoint ranges of numbers that were read, above holes: [first, last] each, sorted."""
    known: list[list[int]] = dataclasses.field(default_factory=list)
    """Entries without a number of their own: [first, last, entries] each, counted as lost or read already."""
    ignored: int = 0
    """Holes up to this number are older than the first run."""
    again: int = 0
    """Entries whose number was read before. Copies of a runtime file that was never seen have numbers of
    their own, so each of these stands for one number that is missing."""

    @property
    def top(self) -> int:
        return self.above[-1][1] if self.above else self.floor

    def lacks(self, number: int) -> bool:
        """Whether a number lies in a hole."""
        return self.floor < number < self.top and not any(
            first <= number <= last for first, last in self.above
        )

    def read(self, first: int, last: int) -> None:
        """Add numbers of entries."""
        self.again += max(0, min(last, self.floor) - first + 1)
        for begin, end in self.above:
            self.again += max(0, min(last, end) - max(first, begin) + 1)
        self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Account for numbers."""
        if last < first:
            return
        if first <= self.floor + 1:
            self.floor = max(self.floor, last)
        else:
            self._insert(first, last)
        while self.above and self.above[0][0] <= self.floor + 1:
            self.floor = max(self.floor, self.above.pop(0)[1])
        if self.known:
            self.known = [one for one in self.known if one[1] > self.floor]

    def _insert(self, first: int, last: int) -> None:
        begin = bisect.bisect_left(self.above, first - 1, key=lambda one: one[1])
        end = begin
        while end < len(self.above) and self.above[end][0] <= last + 1:
            first, last = min(first, self.above[end][0]), max(last, self.above[end][1])
            end += 1
        self.above[begin:end] = [[first, last]]

    def bridge(self, number: int) -> None:
        """Account for the hole that ends just before a number: the counter jumped to it."""
        ends = [self.floor, *(last for first, last in self.above if first < number)]
        self.add(ends[-1] + 1, number - 1)

    def settle(self, below: int) -> list[Gap]:
        """Take every hole below a number as lost; return those that lose something."""
        gaps = []
        while self.above and self.above[0][0] <= below:
            first, last = self.floor + 1, self.above[0][0] - 1
            counted = max(first, self.ignored + 1)
            entries = max(0, last - counted + 1)
            for one in self.known:
                if one[0] <= last and one[1] >= first:
                    explained = min(one[2], entries)
                    entries -= explained
                    one[2] -= explained
            repeated = min(self.again, entries)
            entries -= repeated
            self.again -= repeated
            if entries:
                gaps.append(Gap(first, last, entries))
            self.floor = self.above.pop(0)[1]
        self.known = [one for one in self.known if one[1] > self.floor and one[2]]
        return gaps


class SequenceTracker:
    """What was read of each numbering, and what was lost so far; ``snapshot`` saves it as JSON."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        saved = snapshot or {
            "epochs": [],
            "ids": {},
            "last": {},
            "read": 0,
            "lost": 0,
            "gaps": 0,
            "recent": [],
        }
        self._epochs = {
            int(key): _Epoch(
                str(machine), int(floor), list(boots), [list(one) for one in above],
                [list(one) for one in known], int(ignored), int(again),
            )
            for key, machine, floor, boots, above, known, ignored, again in saved["epochs"]
        }  # fmt: skip
        self._ids: dict[str, int] = dict(saved["ids"])
        self.read = int(saved["read"])
        self.lost = int(saved["lost"])
        self.gaps = int(saved["gaps"])
        self.recent = [[int(number) for number in gap] for gap in saved["recent"]]
        self._ignored: dict[str, int] = dict(saved.get("ignored", {}))
        self._last: dict[str, int] = {name: int(number) for name, number in saved["last"].items()}
        self._moved: dict[int, int] = {}
        """Epochs that turned out to continue another one."""
        self.restarts = 0
        """Numberings that started anew since this object was made."""

    def snapshot(self) -> Snapshot:
        """Return the whole as JSON can hold it."""
        return {
            "epochs": [
                [
                    key, e.machine_id, e.floor, list(e.boots), [list(one) for one in e.above],
                    [list(one) for one in e.known], e.ignored, e.again,
                ]
                for key, e in self._epochs.items()
            ],
            "ids": dict(self._ids),
            "last": dict(self._last),
            "read": self.read,
            "lost": self.lost,
            "gaps": self.gaps,
            "recent": [list(gap) for gap in self.recent],
            **({"ignored": dict(self._ignored)} if self._ignored else {}),
        }  # fmt: skip

    def enter(self, machine_id: str, seqnum_id: str, boot_id: str, seqnum: int, before: int) -> int:
        """Return the epoch of a file's first entry of a boot; ``before``: the number before it there, or 0.

        journald continues from the highest number of the files that it opens: where a file, or another
        epoch, ends with the number just before, the jump to it is not a loss.
        """
        ends = {before, self._last.get(seqnum_id, 0)}
        key = self.epoch_of(machine_id, seqnum_id, boot_id, seqnum)
        epoch = self._epochs[key]
        ends |= {
            other.top
            for other in self._epochs.values()
            if other is not epoch and other.machine_id == machine_id
        }
        # The first entry of a file continues one that may be gone.
        continues = seqnum - 1 in ends or (not before and seqnum - 1 <= max(ends))
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
        key = 1 + max([*self._epochs, *self._moved], default=0)
        self._epochs[key] = _Epoch(machine_id, floor, ignored=self._ignored.get(machine_id, 0))
        while len(self._epochs) > MAX_EPOCHS:
            self._drop(next(iter(self._epochs)))
        return key

    def end(self, seqnum_id: str, seqnum: int) -> None:
        """Remember the last number of an id."""
        self._last[seqnum_id] = seqnum

    def _merge(self, from_key: int, into_key: int) -> None:
        into = self._epochs[into_key]
        moving = self._epochs[from_key]
        into.boots = [*into.boots, *moving.boots][-MAX_BOOTS:]
        into.again += moving.again
        into.add(into.floor + 1, max(into.floor, moving.floor))
        for first, last in moving.above:
            into.add(first, last)
        moved = [name for name, key in self._ids.items() if key == from_key]
        self._moved[from_key] = into_key
        numbers = dict(self._last)
        self._drop(from_key)
        self._ids.update(dict.fromkeys(moved, into_key))
        self._last = numbers

    def _drop(self, key: int) -> None:
        del self._epochs[key]
        self._ids = {name: of for name, of in self._ids.items() if of != key}
        self._last = {name: of for name, of in self._last.items() if name in self._ids}

    def add(self, key: int, numbers: Sequence[int]) -> None:
        """Remember numbers that were read, in ascending order."""
        self.read += len(numbers)
        epoch = self._epochs[self._moved.get(key, key)]
        first, last = numbers[0], numbers[-1]
        if last - first == len(numbers) - 1:
            epoch.read(first, last)
            return
        begin = before = first
        for number in numbers[1:]:
            if number > before + 1:
                epoch.read(begin, before)
                begin = number
            epoch.again += number == before
            before = number
        epoch.read(begin, before)

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
            self._epochs[self._moved.get(key, key)].add(first, last)

    def explain(self, key: int, first: int, last: int, entries: int) -> None:
        """Note entries without a number that was read: their numbers are among these."""
        epoch = self._epochs[key]
        if last > epoch.floor:
            epoch.known.append([first, last, entries])

    @property
    def has_holes(self) -> bool:
        """Whether any number below one that was read is unaccounted for."""
        return any(epoch.above for epoch in self._epochs.values())

    def settle(self, below: Mapping[int, int]) -> list[Gap]:
        """Return the holes below a number per epoch that no file can hold; they are lost."""
        found: list[Gap] = []
        for key, epoch in self._epochs.items():
            if epoch.above and key in below:
                found += [gap._replace(epoch=key) for gap in epoch.settle(below[key])]
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
        """Forget ids of which no file is left, but the last one of each epoch."""
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
    def keys(self) -> Mapping[str, int]:
        """The epochs of the sequence number ids that are known."""
        return self._ids

    @property
    def machines(self) -> Mapping[int, str]:
        """The machine ids of the epochs."""
        return {key: epoch.machine_id for key, epoch in self._epochs.items()}


def sound_numbers(numbers: list[int], before: int, tail: int) -> list[int]:
    """Return the numbers of a file's consecutive entries with 0 for those that can't be right.

    They ascend from above ``before`` and never pass ``tail``, the highest one that the file's header names.
    """
    first, last = numbers[0], numbers[-1]
    is_run = before < first and last <= tail and last - first == len(numbers) - 1
    if is_run and numbers == list(range(first, last + 1)):
        return numbers
    sound = [number if before < number <= tail else 0 for number in numbers]
    # A number above a later one is wrong; the smallest that follows says so.
    least = tail + 1
    for index in range(len(sound) - 1, -1, -1):
        if sound[index] >= least:
            sound[index] = 0
        elif sound[index]:
            least = sound[index]
    return sound
