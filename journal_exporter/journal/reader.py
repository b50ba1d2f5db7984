"""Reads the journal through systemd-python's low-level ``_Reader``.

Guarantees: entries in the journal's order, each once; the place after every batch; what is missing in
between, counted. Opening after a loss is the same path as a restart: ``seek``.

Traps that shape this module (each cost a peer lines, see docs/explanation/architecture.md):
``get_next()`` returns ``{}`` both at the end and for an unreadable entry, so it is not used;
``fileno()`` must come right after opening, else deleted files stay open; ``wait()`` may miss what it waits
for, so ``_next()`` is asked on every turn.
"""

import contextlib
import errno
import operator
import select
from collections.abc import Callable, Iterator
from pathlib import Path

from systemd._reader import _Reader

from journal_exporter.errors import SourceError
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.batch import CONTEXT_FIELDS, NARROW_FIELDS, Batch, Field, Position
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.files import directories, file_key, find, look
from journal_exporter.journal.memory import JournalPages
from journal_exporter.journal.read_ahead import CatchUp
from journal_exporter.journal.seek import Seek
from journal_exporter.journal.sequence import SequenceTracker, Verdict, ends

BATCH_ENTRIES = 1000
BATCH_BYTES = 256 * 1024
PRECISE_ENTRIES = 250
"""Of a precise batch that is read ahead: each entry takes a kilobyte for its place."""
_OS_ROOT = 16
"""SD_JOURNAL_OS_ROOT: the path is a root directory, both journals below it are merged."""
_STEPS = (*(True for _ in range(BATCH_ENTRIES - 1)), False)
"""One element an entry of a fast batch: whether to step on after it."""


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        raise SourceError(f"{doing}: {error.strerror or error} ({name})") from error


class JournalSource:
    """One open journal and a place in it; ``close`` it.

    ``wide``: contexts always have the units too. ``set_aside``: keys of files that are not touched.
    ``beat`` is called during long walks. Raises ``SourceError`` from every method that reads.
    """

    def __init__(
        self,
        *,
        root: Path | None,
        directory: Path | None,
        wide: bool = False,
        set_aside: frozenset[str] = frozenset(),
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        tops = directories(root=root, directory=directory)

        def paths() -> list[Path]:
            found = find(tops)
            return [p for p in found if file_key(p) not in set_aside] if set_aside else found

        with _translated("opening the journal"):
            if set_aside:
                self._reader = _Reader(flags=0, files=list(map(str, paths())))
            elif directory is not None:
                self._reader = _Reader(flags=0, path=str(directory))
            else:
                self._reader = _Reader(flags=_OS_ROOT, path=str(root or "/"))
        self._reader.data_threshold = 0
        self._walk = Seek(self._reader, beat)
        self._context_of = operator.itemgetter(*(CONTEXT_FIELDS if wide else NARROW_FIELDS))
        self._paths = paths
        self._catch_up = CatchUp(paths, self._context_of)
        self._is_ahead = self._lagging = False
        """Whether more was read than libsystemd knows; whether the last batch was full."""
        self._pages = JournalPages()
        self._numbering = SequenceTracker()
        self._cursor: str | None = None
        self.single_numbering = False
        """Set by who looks at the files: all share one sequence number id, so batches may be fast."""
        # A reader of named files never notices new ones: it is polled and opened again.
        self.inotify_fd = None if set_aside else self._watch()

    def _watch(self) -> int | None:
        try:
            descriptor = self._reader.fileno()
            self._reader.process()
        except OSError:
            # No inotify to be had (exhausted or denied): polling alone still finds every entry of
            # known files, and the pipeline reopens when a new file turns up.
            return None
        return descriptor

    def close(self) -> None:
        """Close the journal; harmless when it is closed already."""
        self._catch_up.close()
        self._reader.close()

    @property
    def position(self) -> Position:
        """The place after the last entry that was read."""
        return Position(self._cursor, self._numbering.snapshot())

    def process(self) -> None:
        """Let libsystemd take up new files and let go of deleted ones."""
        if self.inotify_fd is not None:
            with _translated("following the journal's files"):
                self._reader.process()
        self._pages.trim()

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        """Return when the journal changed, when ``stop_fd`` is readable, or after the timeout."""
        poll = select.poll()
        poll.register(stop_fd, select.POLLIN)
        if self.inotify_fd is not None:
            poll.register(self.inotify_fd, select.POLLIN)
        poll.poll(timeout_s * 1000)

    def start(self, where: str) -> Position:
        """Go to where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""
        with _translated("seeking"):
            before = self._walk.begin(where)
            return Position(None) if before is None else self._stand_on(before)

    def _stand_on(self, cursor: Cursor) -> Position:
        self._numbering = SequenceTracker()
        self._numbering.observe(cursor)
        self._cursor = cursor.text
        position = self.position
        self.seek(position)
        return position

    def seek(self, position: Position) -> bool:
        """Go to a place that was returned before, even if its entry has gone since.

        Then the next entry read is the first after that place. Returns whether the entry was there.
        """
        self._catch_up.restart()
        return self._go_to(position)

    def _go_to(self, position: Position) -> bool:
        self._is_ahead = False
        self._cursor = position.cursor
        self._numbering = SequenceTracker(position.numbering)
        with _translated("seeking"):
            if position.cursor is None:
                self._reader.seek_head()
                return True
            try:
                if self._walk.go_to(cursors.parse(position.cursor)):
                    return True
                if self._is_replaced():
                    # Nothing of it was ever read, whatever the clock said then and says now.
                    self._reader.seek_head()
                return False
            finally:
                # A search touches pages all over the files.
                self._pages.trim()

    def _is_replaced(self) -> bool:
        """Whether no file is left of any numbering that was read, as after a boot with a volatile journal."""
        files = [file for path in self._paths() if (file := look(path)) is not None]
        ids = {file.seqnum_id for file in files if file.state == "readable"}
        return bool(ids) and ids.isdisjoint(ends(self._numbering.snapshot()))

    def read(self, *, precise: bool = False) -> Batch:
        """Read what is there, at most ``BATCH_ENTRIES`` or about ``BATCH_BYTES`` of messages.

        A fast batch looks at numbers only at both ends; where these leave room for a gap, it goes
        back and reads again precisely, entry by entry.
        """
        batch = self._read(precise=precise)
        self._lagging = batch.entries >= PRECISE_ENTRIES
        return batch

    def _read(self, *, precise: bool) -> Batch:
        before = self.position
        if self.single_numbering and (batch := self._read_ahead(precise=precise)) is not None:
            return batch
        if self._is_ahead:
            self._go_to(before)
        if self.single_numbering and not precise:
            with _translated("reading"):
                batch = self._read_fast()
            if batch is not None:
                return batch
            self._go_to(before)
        with _translated("reading"):
            return self._read_precisely()

    def _read_ahead(self, *, precise: bool) -> Batch | None:
        if self._cursor is None or not self._numbering.stands_at(cursors.parse(self._cursor)):
            return None
        self._catch_up.look_around()
        batch = Batch(Position(None))
        step, room_bytes = (1, 0) if precise else (BATCH_ENTRIES, BATCH_BYTES)
        while len(batch.times_us) < (PRECISE_ENTRIES if precise else 1):
            after = cursors.parse(self._cursor)
            last = self._catch_up.read(
                batch, after, entries=step, room_bytes=room_bytes, lagging=self._lagging
            )
            if last is None and not precise:
                # Part of it may be in the columns.
                return None
            if last is None:
                break
            self._numbering.advance(last)
            self._cursor = last.text
            if precise:
                batch.positions.append(self.position)
        if not batch.times_us:
            return None
        if not self._is_ahead:
            self._pages.drop()
        self._is_ahead = True
        batch.entries = len(batch.times_us)
        batch.end = self.position
        return batch

    def _read_fast(self) -> Batch | None:
        reader = self._reader
        advance, get_all, get_time = reader._next, reader._get_all, reader._get_realtime
        context_of = self._context_of
        if not advance():
            return Batch(self.position)
        first = self._walk.here()
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
        last = self._walk.here()
        batch.entries = len(batch.times_us)
        if not self._numbering.continues(first, last, batch.entries):
            return None
        self._numbering.advance(last)
        self._cursor = last.text
        batch.end = self.position
        return batch

    def _read_precisely(self) -> Batch:
        batch = Batch(self.position)
        room_bytes = BATCH_BYTES
        while batch.entries < BATCH_ENTRIES and room_bytes > 0 and self._reader._next():
            here = self._walk.here()
            batch.entries += 1
            fields = self._fields()
            self._cursor = here.text
            if not fields:
                # Its number is left unobserved: the gap before the next entry covers it.
                batch.unreadable += 1
                continue
            verdict, gap = self._numbering.observe(here)
            if verdict is Verdict.REPEATED:
                batch.repeated += 1
                continue
            batch.renumbered += verdict is Verdict.RESTARTED
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


def read_through(path: Path) -> None:
    """Read one file from end to end, to see whether that is survived."""
    reader = _Reader(flags=0, files=[str(path)])
    while reader._next():
        reader._get_all()
