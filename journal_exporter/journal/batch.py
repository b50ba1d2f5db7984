"""The data that the reader returns: batches of entries, and places in the journal.

A batch has columns instead of objects: at hundreds of thousands of entries per second, one object per entry
would cost more than formatting it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from journal_exporter.journal.sequence import Gap, SequenceTracker, Snapshot

Field = bytes | list[bytes] | None
"""A field's value as systemd-python gives it: absent, or a list when an entry has it twice."""


class Context(NamedTuple):
    """The fields that many entries share: all of a line except time and message."""

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
BASIC_FIELDS = CONTEXT_FIELDS[:5]
"""Sufficient for an entry that has all of them, unless lines or filters need its unit."""
ContextOf = Callable[[Mapping[str, Field]], tuple[Field, ...]]
"""Makes a context of the basic fields or all; raises ``KeyError`` where one is missing, so that all are
read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal: after the entry of ``cursor``, or before the first entry if it is None.

    ``sequence`` is ``SequenceTracker.snapshot()`` at that place.
    """

    cursor: str | None
    sequence: Snapshot = dataclasses.field(default_factory=SequenceTracker().snapshot)


@dataclasses.dataclass(slots=True)
class Batch:
    """Entries in the journal's order.

    ``times_us`` (since the epoch), ``contexts`` and ``messages`` have one element per entry. A context is a
    tuple in the order of ``CONTEXT_FIELDS``; it may end after the basic fields if it has all of these. The
    key of a gap is the index of the element after it. ``positions`` has the place after each element in a
    precise batch, and is empty in a fast one. ``entries`` counts all entries read, including the
    ``unreadable`` and ``repeated`` ones, which have no element.
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
    sequence_restarts: int = 0
    without_message: int = 0
    """They have an element nevertheless. libsystemd silently skips a damaged field."""


class Source(Protocol):
    """The journal as the pipeline sees it.

    Every method that reads raises ``JournalError``. ``JournalReader`` implements it.
    """

    single_sequence: bool

    @property
    def inotify_fd(self) -> int | None:
        """What to poll on; None where the journal can only be polled."""

    def start(self, where: str) -> Position:
        """Go to where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""

    def seek(self, position: Position) -> bool:
        """Go to a place; return whether its entry still exists."""

    def read(self, *, precise: bool = False) -> Batch:
        """Return the next entries; none at the journal's end."""

    def process(self) -> None:
        """Open new files and close deleted ones."""

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        """Return when the journal changed, when ``stop_fd`` is readable, or after the timeout."""

    def close(self) -> None:
        """Close the journal."""
