"""What the reader hands over: a batch of entries, as columns, and the place in the journal after it.

Columns instead of objects: at hundreds of thousands of entries per second, one object per entry costs
more than its formatting.
"""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import NO_CONTEXT, Field
from journal_exporter.journal.position import Position


@dataclasses.dataclass(slots=True)
class Batch:
    """Entries in the order in which they are written.

    ``times_us`` (since the epoch), ``contexts`` (tuples in the order of ``CONTEXT_FIELDS``, cut after the
    narrow ones where these are all there) and ``messages`` have one element per entry. ``gaps`` are losses,
    each list just before the element whose index is the key; the number of elements is a key too.
    ``entries`` counts all that were read, with the ``repeated``, which have no element, but not the
    ``unreadable``.
    """

    end: Position
    times_us: list[int] = dataclasses.field(default_factory=list)
    contexts: list[tuple[Field, ...]] = dataclasses.field(default_factory=list)
    messages: list[Field] = dataclasses.field(default_factory=list)
    gaps: dict[int, list[Gap]] = dataclasses.field(default_factory=dict)
    place_after: Callable[[int, int], Position] = lambda _elements, _gaps: Position(None)
    """Returns the place after the first so many elements and the first so many gaps."""
    last_seen: tuple[int, tuple[Field, ...]] = 0, NO_CONTEXT
    """Time and context of the last entry before the batch, for a gap that no entry follows."""
    entries: int = 0
    unreadable: int = 0
    repeated: int = 0
    restarts: int = 0
    """Numberings that started anew."""
    without_message: int = 0
    """Have an element all the same: no field of that name could be read."""

    def stamp(self, index: int) -> tuple[int, tuple[Field, ...]]:
        """Return time and context of an element; behind the last one, those of the newest entry."""
        if index < len(self.times_us):
            return self.times_us[index], self.contexts[index]
        return (self.times_us[-1], self.contexts[-1]) if self.times_us else self.last_seen


class Source(Protocol):
    """What reading the journal looks like to everything past the edge.

    No method raises for what a file holds, or where one can't be read: its entries stay unread.
    """

    @property
    def inotify_fd(self) -> int | None:
        """What to poll on; None where the journal can only be polled."""

    @property
    def position(self) -> Position:
        """The place after the last entry that was handed over."""
        ...

    @property
    def unread(self) -> int:
        """How many entries the files hold that were not handed over."""
        ...

    @property
    def oldest_unread_us(self) -> int:
        """The time of the oldest of them, in microseconds since the epoch; 0 where there is none."""
        ...

    def start(self, where: str) -> Position:
        """Go to where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""

    def seek(self, position: Position, until: Position | None = None) -> bool:
        """Go to a place; return whether it is whole. ``until``: read no further than that place."""
        ...

    def read(self) -> Batch:
        """Return the next entries; none at the journal's end."""

    def process(self) -> None:
        """Take up new files and let go of deleted ones."""
        ...

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        """Return when the journal changed, when ``stop_fd`` is readable, or after the timeout."""

    def close(self) -> None:
        """Close the journal."""
