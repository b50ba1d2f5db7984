"""Moves libsystemd's reader to places in the journal: where a first run begins, or where the last one
stopped.

Guarantees: after ``seek_after`` the next entry is the first one after the target, whether the target's
entry still exists or not. ``sd_journal_seek_cursor`` goes to the closest entry, which may be another one
and may even come before the target (sd_journal_seek_head(3)). So every seek is checked, and corrected step
by step.
"""

from collections.abc import Callable

from systemd._reader import _Reader

from journal_exporter.errors import JournalError
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.cursor import Cursor


class Seeker:
    """Moves a reader. ``heartbeat`` is called at every step of a long search."""

    def __init__(self, reader: _Reader, heartbeat: Callable[[], None]) -> None:
        self._reader = reader
        self._heartbeat = heartbeat

    def current(self) -> Cursor:
        """Return the cursor of the entry that was read last.

        Raises:
            JournalError: libsystemd returned a cursor that can't be parsed.
        """
        try:
            return cursors.parse(self._reader._get_cursor())
        except ValueError as error:
            raise JournalError(str(error)) from error

    def seek_start(self, where: str) -> Cursor | None:
        """Return the entry after which a first run begins: ``head``, ``tail``, or the newest ``boot``.

        None: the run begins before the first entry, and the reader is there now.
        """
        self._reader.seek_tail()
        newest = self.current() if self._reader._previous() else None
        before = None
        if where == "tail":
            before = newest
        elif where == "boot" and newest is not None:
            before = self._before_boot(newest.boot_id)
        if before is None:
            self._reader.seek_head()
        return before

    def _before_boot(self, boot_id: str) -> Cursor | None:
        self._reader.add_match(f"_BOOT_ID={boot_id}")
        self._reader.seek_head()
        first = self._reader._get_cursor() if self._reader._next() else None
        self._reader.flush_matches()
        if first is None:
            return None
        self._reader.seek_cursor(first)
        self._reader._next()
        return self.current() if self._reader._previous() else None

    def seek_after(self, target: Cursor) -> bool:
        """Go to where the next entry is the first one after the target.

        Returns whether the target's entry exists.
        """
        self._reader.seek_cursor(target.text)
        if not self._reader._next():
            self._reader.seek_tail()
            if not self._reader._previous():
                self._reader.seek_head()
                return False
        current = self.current()
        if current.same_entry(target):
            return True
        if current.not_after(target):
            return self._step_forward(current, target)
        return self._step_back(current, target)

    def _step_forward(self, current: Cursor, target: Cursor) -> bool:
        while current.not_after(target):
            if current.same_entry(target):
                return True
            if not self._step(self._reader._next):
                return False
            current = self.current()
        self._reader._previous()
        return False

    def _step_back(self, current: Cursor, target: Cursor) -> bool:
        while not current.not_after(target):
            if not self._step(self._reader._previous):
                self._reader.seek_head()
                return False
            current = self.current()
        return current.same_entry(target)

    def _step(self, move: Callable[[], bool]) -> bool:
        self._heartbeat()
        return move()
