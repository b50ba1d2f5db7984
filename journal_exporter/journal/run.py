"""Entries of one journal file in the order of writing, as columns, and the place after them."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, Protocol

from journal_exporter.journal.fields import Field
from journal_exporter.journal.file_format import Head, Header


class Place(NamedTuple):
    """A place in one file: after the entry at ``offset``, the one number ``entries`` from its start.

    All zero: before the first. Number, time (microseconds since the epoch) and boot are those of that entry.
    """

    offset: int = 0
    entries: int = 0
    seqnum: int = 0
    realtime_us: int = 0
    boot_id: str = ""


@dataclasses.dataclass(slots=True)
class Run:
    """Consecutive entries of one file; all columns have one element per entry that could be read.

    ``lost``: entries that are damaged, by the index of the element after them.
    """

    heads: list[Head] = dataclasses.field(default_factory=list)
    offsets: list[int] = dataclasses.field(default_factory=list)
    contexts: list[tuple[Field, ...]] = dataclasses.field(default_factory=list)
    messages: list[Field] = dataclasses.field(default_factory=list)
    lost: dict[int, int] = dataclasses.field(default_factory=dict)
    scattered: set[int] = dataclasses.field(default_factory=set)
    """Indices in ``lost`` whose entries may lie anywhere after: nothing tells where."""
    without_message: int = 0
    """Have an element all the same: no field of that name could be read."""

    def rest(self, taken: int) -> "Run":
        """Return the entries from an index on, to which more can be added."""
        return Run(
            self.heads[taken:], self.offsets[taken:], self.contexts[taken:], self.messages[taken:],
            {index - taken: lost for index, lost in self.lost.items() if index >= taken},
            {index - taken for index in self.scattered if index >= taken},
        )  # fmt: skip


class FileReader(Protocol):
    """One open journal file and a place in it.

    ``seek`` and ``head_at`` raise ``OSError`` where the file can't be read any more. No other method raises
    for what the file holds.
    """

    header: Header
    is_deleted: bool
    place: Place

    @property
    def entries_left(self) -> int:
        """How many entries the file has after the place, by the header that was read last."""
        ...

    def refresh(self) -> None:
        """Read the header again."""
        ...

    def seek(self, place: Place) -> bool:
        """Go to a place; return whether its entry is still there."""
        ...

    def head_at(self, slot: int) -> tuple[int, Head] | None:
        """Return where an entry is, counted from 0, and its head; None where it can't be read."""
        ...

    def read(self, run: Run, *, entries: int, room_bytes: int) -> None:
        """Add entries up to a number, or about so many bytes of messages."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def first_place(reader: FileReader, is_wanted: Callable[[Head], bool]) -> Place:
    """Return the place before the first entry that is wanted, by bisection: so must be those after it.

    Entries that can't be read count as those before them.
    """
    low, high = 0, reader.header.entries
    while low < high:
        middle = (low + high) // 2
        probe, found = middle, reader.head_at(middle)
        while found is None and probe + 1 < high:
            probe += 1
            found = reader.head_at(probe)
        if found is None or is_wanted(found[1]):
            high = middle
        else:
            low = probe + 1
    found = reader.head_at(low - 1) if low else None
    if found is None:
        return Place(0, low)
    offset, head = found
    return Place(offset, low, head[3], head[4], head[6].hex())
