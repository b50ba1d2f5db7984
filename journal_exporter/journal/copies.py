"""Pure: recognises entries that journald copied from the runtime journal into the persistent one.

At ``journalctl --flush`` journald writes each entry of /run again into a file below /var, in the same
order, with new sequence numbers; boot, times and content stay. What was read of a runtime file is a stretch
of one boot's monotonic time on one machine: persistent entries of that stretch are copies, as many as were
read. At its last instant, which other entries may share, a copy is recognised by its realtime and hash. A
node whose machine id changes flushes what it logged under the old one: there the first copy is recognised so,
and those after it by their time.

Not there: between the ends of a stretch the content is not compared.
"""

import dataclasses
import operator
from collections.abc import Sequence
from typing import Any

from journal_exporter.journal.file_format import Head

MAX_STRETCHES = 32
_MONOTONIC_US, _BOOT = operator.itemgetter(5), operator.itemgetter(6)
Snapshot = Sequence[Sequence[Any]]


def _first(head: Head) -> int:
    return hash((head[4], head[5], head[7]))


def identity(head: Head) -> int:
    """Return what an entry has in common with its copies only, besides boot and monotonic time."""
    return hash((head[4], head[7]))


@dataclasses.dataclass(slots=True)
class _Stretch:
    """What was read of one runtime file.

    ``last`` are the identities at the end, and ``left`` the number of entries, that were not met as copies
    yet. ``most``: how many copies there can be still; a wrong time at the end must not make copies of
    everything that follows. None: any number.
    """

    file_id: str
    machines: list[str]
    """Whose entries are copies; empty: those of any machine."""
    boot_id: str
    first_us: int
    last_us: int
    first: int
    """The identity and monotonic time of the first entry, as one number."""
    last: list[int]
    left: int = 0
    most: int | None = 0

    def is_of(self, machine_id: str, boot_id: str) -> bool:
        return self.boot_id == boot_id and (not self.machines or machine_id in self.machines)

    def add(self, entries: int) -> None:
        self.left += entries
        self.most = None if self.most is None else self.most + entries


class Copies:
    """What was read of runtime files; ``snapshot`` saves it as JSON."""

    def __init__(self, snapshot: Snapshot = ()) -> None:
        self._stretches = [
            _Stretch(
                str(file_id), list(machines), str(boot), int(first_us), int(last_us), int(first),
                list(last), int(left), None if most is None else int(most),
            )
            for file_id, machines, boot, first_us, last_us, first, last, left, most in snapshot
        ]  # fmt: skip

    def snapshot(self) -> Snapshot:
        """Return the whole as JSON can hold it."""
        return [
            [
                s.file_id, list(s.machines), s.boot_id, s.first_us, s.last_us, s.first, list(s.last),
                s.left, s.most,
            ]
            for s in self._stretches
        ]  # fmt: skip

    def note(self, file_id: str, machine_id: str, heads: Sequence[Head]) -> None:
        """Remember entries that were read of a runtime file, in their order.

        journald's monotonic times never fall within a boot: a time above that of a later entry is wrong.
        """
        for head in heads:
            boot_id, at_us = head[6].hex(), head[5]
            stretch = next(
                (s for s in self._stretches if (s.file_id, s.boot_id) == (file_id, boot_id)), None
            )
            if stretch is None:
                first = _first(head)
                stretch = _Stretch(file_id, [machine_id], boot_id, at_us, at_us, first, [])
                self._stretches = [*self._stretches, stretch][-MAX_STRETCHES:]
            if at_us != stretch.last_us:
                stretch.first_us = min(stretch.first_us, at_us)
                stretch.last_us, stretch.last = at_us, []
            stretch.last.append(identity(head))
            stretch.add(1)

    def note_more(self, file_id: str, entries: int) -> None:
        """Remember how many more entries of a file were read than those that were noted."""
        for stretch in self._stretches:
            if stretch.file_id == file_id:
                stretch.add(entries)
                break

    def know(self, machine_id: str, boot_id: str) -> bool:
        """Whether a runtime file of this boot was read."""
        return any(stretch.is_of(machine_id, boot_id) for stretch in self._stretches)

    def note_all_before(self, boot_id: str, last: Head) -> None:
        """Remember everything of a boot up to an entry, as a checkpoint of an earlier version has it."""
        one = identity(last)
        self._stretches.append(_Stretch("", [], boot_id, 0, last[5], one, [one], most=None))

    def concern(self, heads: Sequence[Head]) -> bool:
        """Whether any of a persistent file's entries may be copies."""
        if not self._stretches:
            return False
        boots = {boot.hex() for boot in set(map(_BOOT, heads))}
        limit_us = max(
            (s.last_us for s in self._stretches if s.most != 0 and s.boot_id in boots), default=-1
        )
        return limit_us >= 0 and min(map(_MONOTONIC_US, heads)) <= limit_us

    def is_copy(self, machine_id: str, head: Head) -> bool:
        """Whether a persistent file's next entry was read from a runtime file before."""
        boot_id, at_us = head[6].hex(), head[5]
        for stretch in self._stretches:
            is_in = stretch.first_us <= at_us <= stretch.last_us
            if not is_in or stretch.most == 0 or stretch.boot_id != boot_id:
                continue
            if not stretch.is_of(machine_id, boot_id):
                if _first(head) != stretch.first:
                    continue
                stretch.machines.append(machine_id)
            if at_us == stretch.last_us:
                if identity(head) not in stretch.last:
                    continue
                stretch.last.remove(identity(head))
            stretch.left = max(0, stretch.left - 1)
            stretch.most = None if stretch.most is None else stretch.most - 1
            return True
        return False

    def forget(self, entries: int, last_us: int) -> int:
        """Return how many of so many entries that went unread may have been copies, which are forgotten.

        ``last_us``: the monotonic time of the last of them.
        """
        left = entries
        for stretch in self._stretches:
            taken = min(stretch.left, left) if stretch.first_us <= last_us else 0
            stretch.left -= taken
            left -= taken
        return entries - left
