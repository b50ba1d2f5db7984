"""Pure: entries of runtime files that vanished before they were read.

journald has copied them into a persistent file, or they are lost: once every file is read to its end, as many
of them as no copy was read of.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.file_format import Head


class Owed(NamedTuple):
    """Entries of one boot with these numbers, up to a monotonic time in microseconds."""

    boot_id: str
    last_us: int
    seqnum_first: int
    seqnum_last: int
    entries: int

    @property
    def gap(self) -> Gap:
        """The loss, where no more copies come."""
        return Gap(self.seqnum_first, self.seqnum_last, self.entries)


def pay(owed: Sequence[Owed], heads: Iterable[Head]) -> tuple[Owed, ...]:
    """Return what is still owed after entries of a persistent file that are no copies of known entries."""
    left = list(owed)
    if left:
        for head in heads:
            boot_id, at_us = head[6].hex(), head[5]
            for index, one in enumerate(left):
                if one.boot_id == boot_id and at_us <= one.last_us and one.entries:
                    left[index] = one._replace(entries=one.entries - 1)
                    break
    return tuple(one for one in left if one.entries)
