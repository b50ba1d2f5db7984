"""Goes to places in the journal: where a first run begins, and where an earlier one stopped.

Guarantees: after ``go_to`` the next entry is the first after the mark, whether the mark's entry is still
there or not. ``sd_journal_seek_cursor`` goes to the closest entry, which need not be the one that was asked
for, nor come after it (sd_journal_seek_head(3)): every seek is checked, by steps where that takes it.
"""

from collections.abc import Callable

from systemd._reader import _Reader

from journal_exporter.errors import SourceError
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.cursor import Cursor


class Seek:
    """Moves a reader. ``beat`` is called at every step of a long walk."""

    def __init__(self, reader: _Reader, beat: Callable[[], None]) -> None:
        self._reader = reader
        self._beat = beat

    def here(self) -> Cursor:
        """Return the cursor of the entry that was read last.

        Raises:
            SourceError: libsystemd gives one that can't be read.
        """
        try:
            return cursors.parse(self._reader._get_cursor())
        except ValueError as error:
            raise SourceError(str(error)) from error

    def begin(self, where: str) -> Cursor | None:
        """Return after which entry a first run begins: ``head``, ``tail``, or the newest entry's ``boot``.

        None: before the first one, where the reader stands then.
        """
        self._reader.seek_tail()
        newest = self.here() if self._reader._previous() else None
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
        return self.here() if self._reader._previous() else None

    def go_to(self, mark: Cursor) -> bool:
        """Stand where the next entry is the first after the mark; return whether its entry is there."""
        self._reader.seek_cursor(mark.text)
        if not self._reader._next():
            self._reader.seek_tail()
            if not self._reader._previous():
                self._reader.seek_head()
                return False
        here = self.here()
        if here.same_entry(mark):
            return True
        return self._forward(here, mark) if here.not_after(mark) else self._back(here, mark)

    def _forward(self, here: Cursor, mark: Cursor) -> bool:
        while here.not_after(mark):
            if here.same_entry(mark):
                return True
            if not self._step(self._reader._next):
                return False
            here = self.here()
        self._reader._previous()
        return False

    def _back(self, here: Cursor, mark: Cursor) -> bool:
        while not here.not_after(mark):
            if not self._step(self._reader._previous):
                self._reader.seek_head()
                return False
            here = self.here()
        return here.same_entry(mark)

    def _step(self, move: Callable[[], bool]) -> bool:
        self._beat()
        return move()
