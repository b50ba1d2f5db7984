"""Reads the journal in batches: directly from its files where that is safe, else through libsystemd.

Guarantees: entries in the journal's order, each once, and the place after every batch. Opening the journal
after a loss is the same path as a restart: ``seek``.
"""

import operator
import select
from collections.abc import Callable
from pathlib import Path

from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.batch import BASIC_FIELDS, CONTEXT_FIELDS, Batch, Position
from journal_exporter.journal.files import file_key, find_files, inspect_files, journal_directories
from journal_exporter.journal.libsystemd import BATCH_BYTES, BATCH_ENTRIES, LibsystemdReader
from journal_exporter.journal.memory import JournalPages
from journal_exporter.journal.read_ahead import ReadAhead
from journal_exporter.journal.sequence import last_seqnums

PRECISE_ENTRIES = 250
"""Of a precise batch that is read directly: the place of each entry takes a kilobyte."""


class JournalReader:
    """One open journal and a place in it; ``close`` it.

    ``with_units``: contexts always have the units too. ``set_aside``: keys of files that are not touched.
    ``heartbeat`` is called during long searches. Every method that reads raises ``JournalError``.
    """

    def __init__(
        self,
        *,
        root: Path | None,
        directory: Path | None,
        with_units: bool = False,
        set_aside: frozenset[str] = frozenset(),
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        directories = journal_directories(root=root, directory=directory)

        def paths() -> list[Path]:
            found = find_files(directories)
            return [p for p in found if file_key(p) not in set_aside] if set_aside else found

        context_of = operator.itemgetter(*(CONTEXT_FIELDS if with_units else BASIC_FIELDS))
        self._libsystemd = LibsystemdReader(
            root=root,
            directory=directory,
            files=paths() if set_aside else None,
            context_of=context_of,
            heartbeat=heartbeat,
        )
        self._paths = paths
        self._read_ahead = ReadAhead(paths, context_of)
        self._is_ahead = self._lagging = False
        """Whether more was read than libsystemd knows; whether the last batch was full."""
        self._pages = JournalPages()
        self.single_sequence = False
        """Set by the caller: all files share one sequence number id, so batches may be fast."""

    @property
    def inotify_fd(self) -> int | None:
        """What to poll on; None where the journal can only be polled."""
        return self._libsystemd.inotify_fd

    def close(self) -> None:
        """Close the journal; harmless when it is closed already."""
        self._read_ahead.close()
        self._libsystemd.close()

    def process(self) -> None:
        """Open new files and close deleted ones."""
        self._libsystemd.process()
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
        position = self._libsystemd.seek_start(where)
        if position.cursor is not None:
            self.seek(position)
        return position

    def seek(self, position: Position) -> bool:
        """Go to a place that was returned before; return whether its entry still exists.

        If not, the next entry read is the first one after that place.
        """
        self._read_ahead.restart()
        return self._go_to(position)

    def _go_to(self, position: Position) -> bool:
        self._is_ahead = False
        try:
            if self._libsystemd.seek(position):
                return True
            if self._is_replaced():
                # No entry of it was ever read, whatever the clock said then and says now.
                self._libsystemd.seek_head()
            return False
        finally:
            # A search touches pages all over the files.
            self._pages.trim()

    def _is_replaced(self) -> bool:
        """Whether no file is left of any sequence that was read, as after a boot with a volatile journal."""
        files = inspect_files(self._paths())
        ids = {file.header.seqnum_id for file in files if file.state == "readable"}
        return bool(ids) and ids.isdisjoint(last_seqnums(self._libsystemd.sequence.snapshot()))

    def read(self, *, precise: bool = False) -> Batch:
        """Return the next entries, at most ``BATCH_ENTRIES`` or about ``BATCH_BYTES`` of messages.

        A fast batch looks at sequence numbers only at both ends. Where they leave room for a gap, the
        reader goes back and reads again precisely, entry by entry.
        """
        batch = self._read(precise=precise)
        self._lagging = batch.entries >= PRECISE_ENTRIES
        return batch

    def _read(self, *, precise: bool) -> Batch:
        before = self._libsystemd.position
        if self.single_sequence and (batch := self._read_directly(precise=precise)) is not None:
            return batch
        if self._is_ahead:
            self._go_to(before)
        if self.single_sequence and not precise:
            batch = self._libsystemd.read_fast()
            if batch is not None:
                return batch
            self._go_to(before)
        return self._libsystemd.read_precisely()

    def _read_directly(self, *, precise: bool) -> Batch | None:
        libsystemd = self._libsystemd
        if libsystemd.cursor is None:
            return None
        after = cursors.parse(libsystemd.cursor)
        if not libsystemd.sequence.is_at(after):
            return None
        self._read_ahead.notice_new_files()
        batch = Batch(Position(None))
        step, room_bytes = (1, 0) if precise else (BATCH_ENTRIES, BATCH_BYTES)
        while len(batch.times_us) < (PRECISE_ENTRIES if precise else 1):
            last = self._read_ahead.read(
                batch, after, entries=step, room_bytes=room_bytes, lagging=self._lagging
            )
            if last is None and not precise:
                # Part of it may be in the columns.
                return None
            if last is None:
                break
            libsystemd.sequence.advance(last)
            libsystemd.cursor = last.text
            after = last
            if precise:
                batch.positions.append(libsystemd.position)
        if not batch.times_us:
            return None
        if not self._is_ahead:
            self._pages.drop()
        self._is_ahead = True
        batch.entries = len(batch.times_us)
        batch.end = libsystemd.position
        return batch
