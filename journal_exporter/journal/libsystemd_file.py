"""Reads one journal file through libsystemd: what the direct reader declines, and the oracle of its tests.

libsystemd is opened on the descriptor of that one file, so its order across files and its limit of open files
play no part. It maps the file: one that is truncated meanwhile kills the process.
"""

import os

from systemd._reader import _Reader

from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.direct_file import ContextOf, read_header
from journal_exporter.journal.fields import CONTEXT_FIELDS, Field
from journal_exporter.journal.file_format import ENTRY, Head, Header
from journal_exporter.journal.run import Place, Run


class LibsystemdFile:
    """An open file and a place in it (``FileReader``); ``close`` it. It owns the descriptor."""

    def __init__(self, descriptor: int, header: Header, context_of: ContextOf) -> None:
        self._descriptor = descriptor
        self.header = header
        self.is_deleted = False
        self.place = Place()
        self._context_of = context_of
        # libsystemd closes its descriptor as soon as it gives the file up, such as a deleted one.
        copy = os.dup(descriptor)
        try:
            self._reader = _Reader(flags=0, files=[copy])
        except OSError:
            os.close(copy)
            raise
        self._reader.data_threshold = 0
        self._reader.seek_head()
        self.refresh()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        os.close(self._descriptor)

    @property
    def entries_left(self) -> int:
        """How many entries the file has after the place, by the header that was read last."""
        return max(0, self.header.entries - self.place.entries)

    def refresh(self) -> None:
        """Read the header again."""
        self.is_deleted = not os.fstat(self._descriptor).st_nlink
        found = read_header(self._descriptor)
        if found is not None and found.file_id == self.header.file_id:
            self.header = found

    def seek(self, place: Place) -> bool:
        """Go to a place; return whether its entry is still there.

        Raises:
            OSError: libsystemd can't go there: it has given the file up.
        """
        self.place = place
        self._reader.seek_head()
        if not place.entries:
            return True
        if not self._reader._next(place.entries):
            return False
        here = cursors.parse(self._reader._get_cursor())
        return (here.seqnum, here.boot_id) == (place.seqnum, place.boot_id)

    def head_at(self, slot: int) -> tuple[int, Head] | None:
        """Return an entry's head, counted from 0, and no offset; None where it can't be read."""
        place = self.place
        try:
            self._reader.seek_head()
            # At the end libsystemd stops at the last entry, whatever the number was.
            if slot >= self.header.entries or not self._reader._next(slot + 1):
                return None
            return 0, self._head()
        except (OSError, ValueError):
            return None
        finally:
            self.seek(place)

    def _head(self) -> Head:
        here = cursors.parse(self._reader._get_cursor())
        boot, xor = bytes.fromhex(here.boot_id), int(here.xor_hash, 16)
        return ENTRY, 0, 0, here.seqnum, here.realtime_us, here.monotonic_us, boot, xor

    def read(self, run: Run, *, entries: int, room_bytes: int) -> None:
        """Add entries up to a number, or about so many bytes of messages."""
        for _ in range(min(entries, self.entries_left)):
            try:
                if not self._reader._next():
                    self._lose(run, self.entries_left)
                    return
                head = self._head()
            except (OSError, ValueError):
                self._lose(run, 1)
                continue
            fields = self._fields()
            if not fields:
                self._lose(run, 1)
                continue
            try:
                context = self._context_of(fields)
            except KeyError:
                context = tuple(map(fields.get, CONTEXT_FIELDS))
            message = fields.get("MESSAGE")
            run.without_message += message is None
            run.heads.append(head)
            run.offsets.append(0)
            run.contexts.append(context)
            run.messages.append(b"" if message is None else message)
            self.place = Place(0, self.place.entries + 1, head[3], head[4], head[6].hex())
            room_bytes -= (
                sum(map(len, message)) if isinstance(message, list) else len(message or b"")
            )
            if room_bytes < 0:
                return

    def _lose(self, run: Run, entries: int) -> None:
        run.lost[len(run.heads)] = run.lost.get(len(run.heads), 0) + entries
        self.place = self.place._replace(entries=self.place.entries + entries)

    def _fields(self) -> dict[str, Field]:
        try:
            return dict(self._reader._get_all())
        except (OSError, UnicodeDecodeError):
            return {}
