"""What the reader hands over: a batch of entries, as columns, and the place in the journal after it.

Columns instead of objects: at hundreds of thousands of entries a second, one object an entry costs
more than its formatting.
"""

import dataclasses
from typing import NamedTuple, Protocol

from journal_exporter.journal.sequence import Gap, SequenceTracker, Snapshot

Field = bytes | list[bytes] | None
"""A field's value as systemd-python gives it: absent, or a list when an entry has it twice."""


class Context(NamedTuple):
    """The fields of an entry that many entries share; everything of a line but time and message."""

    identifier: bytes | None
    pid: bytes | None
    host: bytes | None
    priority: bytes | None
    facility: bytes | None
    comm: bytes | None = None
    syslog_pid: bytes | None = None
    transport: bytes | None = None
    unit: bytes | None = None
    subject_unit: bytes | None = None


CONTEXT_FIELDS = (
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_HOSTNAME",
    "PRIORITY",
    "SYSLOG_FACILITY",
    "_COMM",
    "SYSLOG_PID",
    "_TRANSPORT",
    "_SYSTEMD_UNIT",
    "UNIT",
)
"""The journal's names for the fields of ``Context``, in its order (systemd.journal-fields(7))."""
NARROW_FIELDS = CONTEXT_FIELDS[:5]
"""Enough for an entry that has them all, unless lines or filters need its unit."""


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal: after the entry of ``cursor``, or before the first if it is None.

    ``numbering`` is ``Numbering.snapshot()`` as of that place.
    """

    cursor: str | None
    numbering: Snapshot = dataclasses.field(default_factory=SequenceTracker().snapshot)


@dataclasses.dataclass(slots=True)
class Batch:
    """Entries in the journal's order.

    ``times_us`` (since the epoch), ``contexts`` (tuples in the order of ``CONTEXT_FIELDS``, cut after the
    narrow ones where these are all there) and ``messages`` have one element an entry. ``gaps`` are
    entries lost just before the element whose index is the key. ``positions`` has the place after each
    element in a precise batch and is empty in a fast one. ``entries`` counts all that were read,
    with the ``unreadable`` and the ``repeated``, which have no element.
    """

    end: Position
    times_us: list[int] = dataclasses.field(default_factory=list)
    contexts: list[tuple[Field, ...]] = dataclasses.field(default_factory=list)
    messages: list[Field] = dataclasses.field(default_factory=list)
    gaps: dict[int, Gap] = dataclasses.field(default_factory=dict)
    positions: list[Position] = dataclasses.field(default_factory=list)
    entries: int = 0
    unreadable: int = 0
    repeated: int = 0
    renumbered: int = 0
    without_message: int = 0
    """Have an element all the same. libsystemd skips a damaged field without a word."""


class Source(Protocol):
    """What reading the journal looks like to everything past the edge.

    Every method that reads raises ``SourceError``.
    """

    single_numbering: bool

    @property
    def inotify_fd(self) -> int | None:
        """What to poll on; None where the journal can only be polled."""
        ...

    def start(self, where: str) -> Position:
        """Go to where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""
        ...

    def seek(self, position: Position) -> bool:
        """Go to a place; return whether its entry is still there."""
        ...

    def read(self, *, precise: bool = False) -> Batch:
        """Return the next entries; none at the journal's end."""
        ...

    def process(self) -> None:
        """Take up new files and let go of deleted ones."""
        ...

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        """Return when the journal changed, when ``stop_fd`` is readable, or after the timeout."""
        ...

    def close(self) -> None:
        """Close the journal."""
        ...
