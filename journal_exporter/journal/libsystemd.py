"""Reads the journal through libsystemd, with systemd-python's low-level ``_Reader``.

Guarantees: entries in the journal's order, each once. What is missing in between is counted.

Traps that shape this module (each cost another program lines, see docs/explanation/architecture.md):
``get_next()`` returns ``{}`` both at the end and for an unreadable entry, so it is not used. ``fileno()``
must be called right after opening, or deleted files stay open. ``wait()`` may miss a change, so callers ask
for the next entry in every iteration.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from pathlib import Path

from systemd._reader import _Reader

from journal_exporter.errors import JournalError
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.batch import CONTEXT_FIELDS, Batch, ContextOf, Field, Position
from journal_exporter.journal.seek import Seeker
from journal_exporter.journal.sequence import SequenceEvent, SequenceTracker

BATCH_ENTRIES = 1000
BATCH_BYTES = 256 * 1024
_OS_ROOT = 16
"""SD_JOURNAL_OS_ROOT: the path is a root directory, both journals below it are merged."""
_STEPS = (*(True for _ in range(BATCH_ENTRIES - 1)), False)
"""For each entry of a fast batch: whether to step on after it."""


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        raise JournalError(f"{doing}: {error.strerror or error} ({name})") from error


class LibsystemdReader:
    """One open journal and a place in it; ``close`` it.

    ``files``, where given, are read instead of the directory. The place is ``cursor`` with ``sequence``;
    code that reads without libsystemd advances both itself. Every method that reads raises ``JournalError``.
    """

    def __init__(
        self,
        *,
        root: Path | None,
        directory: Path | None,
        files: list[Path] | None,
        context_of: ContextOf,
        heartbeat: Callable[[], None],
    ) -> None:
        with _translated("opening the journal"):
            if files is not None:
                self._reader = _Reader(flags=0, files=list(map(str, files)))
            elif directory is not None:
                self._reader = _Reader(flags=0, path=str(directory))
            else:
                self._reader = _Reader(flags=_OS_ROOT, path=str(root or "/"))
        self._reader.data_threshold = 0
        self._seeker = Seeker(self._reader, heartbeat)
        self._context_of = context_of
        self.cursor: str | None = None
        self.sequence = SequenceTracker()
        # A reader of given files never notices new ones: the caller polls and opens it again.
        self.inotify_fd = None if files is not None else self._watch()

    def _watch(self) -> int | None:
        try:
            descriptor = self._reader.fileno()
            self._reader.process()
        except OSError:
            # inotify is exhausted or denied: polling finds every entry of known files, and the
            # pipeline reopens the journal when a new file appears.
            return None
        return descriptor

    def close(self) -> None:
        """Close the journal; harmless when it is closed already."""
        self._reader.close()

    @property
    def position(self) -> Position:
        """The place after the last entry that was read."""
        return Position(self.cursor, self.sequence.snapshot())

    @_translated("following the journal's files")
    def process(self) -> None:
        """Let libsystemd open new files and close deleted ones."""
        if self.inotify_fd is not None:
            self._reader.process()

    @_translated("seeking")
    def seek_start(self, where: str) -> Position:
        """Return where a first run begins; ``seek`` goes there."""
        before = self._seeker.seek_start(where)
        if before is None:
            return Position(None)
        self.sequence = SequenceTracker()
        self.sequence.observe(before)
        self.cursor = before.text
        return self.position

    @_translated("seeking")
    def seek(self, position: Position) -> bool:
        """Go to a place; return whether its entry still exists."""
        self.cursor = position.cursor
        self.sequence = SequenceTracker(position.sequence)
        if position.cursor is None:
            self.seek_head()
            return True
        return self._seeker.seek_after(cursors.parse(position.cursor))

    @_translated("seeking")
    def seek_head(self) -> None:
        """Go before the first entry, without changing ``position``."""
        self._reader.seek_head()

    @_translated("reading")
    def read_fast(self) -> Batch | None:
        """Read a batch, and look at sequence numbers only at both ends.

        None: there may be a gap or an unreadable entry, and the caller must seek and read precisely.
        """
        reader = self._reader
        advance, get_all, get_time = reader._next, reader._get_all, reader._get_realtime
        context_of = self._context_of
        if not advance():
            return Batch(self.position)
        first = self._seeker.current()
        batch = Batch(Position(None))
        add_time = batch.times_us.append
        add_context = batch.contexts.append
        add_message = batch.messages.append
        room_bytes = BATCH_BYTES
        for step in _STEPS:
            try:
                fields = get_all()
            except (OSError, UnicodeDecodeError):
                return None
            if not fields:
                return None
            try:
                context: tuple[Field, ...] = context_of(fields)
                message = fields["MESSAGE"]
            except KeyError:
                context = tuple(map(fields.get, CONTEXT_FIELDS))
                message = fields.get("MESSAGE", b"")
                batch.without_message += "MESSAGE" not in fields
            add_time(get_time())
            add_context(context)
            add_message(message)
            room_bytes -= len(message)
            if room_bytes < 0 or not step or not advance():
                break
        last = self._seeker.current()
        batch.entries = len(batch.times_us)
        if not self.sequence.continues(first, last, batch.entries):
            return None
        self.sequence.advance(last)
        self.cursor = last.text
        batch.end = self.position
        return batch

    @_translated("reading")
    def read_precisely(self) -> Batch:
        """Read a batch with the place after each entry."""
        batch = Batch(self.position)
        room_bytes = BATCH_BYTES
        while batch.entries < BATCH_ENTRIES and room_bytes > 0 and self._reader._next():
            current = self._seeker.current()
            batch.entries += 1
            fields = self._fields()
            self.cursor = current.text
            if not fields:
                # The sequence does not see its number: the gap before the next entry covers it.
                batch.unreadable += 1
                continue
            event, gap = self.sequence.observe(current)
            if event is SequenceEvent.REPEATED:
                batch.repeated += 1
                continue
            batch.sequence_restarts += event is SequenceEvent.RESTARTED
            if gap is not None:
                batch.gaps[len(batch.times_us)] = gap
            message = fields.get("MESSAGE", b"")
            batch.without_message += "MESSAGE" not in fields
            batch.times_us.append(self._reader._get_realtime())
            batch.contexts.append(tuple(map(fields.get, CONTEXT_FIELDS)))
            batch.messages.append(message)
            batch.positions.append(self.position)
            room_bytes -= len(message)
        batch.end = self.position
        return batch

    def _fields(self) -> dict[str, bytes | list[bytes]]:
        try:
            return self._reader._get_all()
        except (OSError, UnicodeDecodeError):
            return {}


def read_all_entries(path: Path) -> None:
    """Read one file from start to end, to see whether the process survives it."""
    reader = _Reader(flags=0, files=[str(path)])
    while reader._next():
        reader._get_all()
