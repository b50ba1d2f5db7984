"""Reads ahead of libsystemd where no order is in doubt: whole stretches of journal files, see ``stretch``.

Guarantees: only where all files share one sequence number id, and the next number is in one file alone,
which has no hole and overlaps no other. Everywhere else, and for every oddity, it says None, and libsystemd
reads.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from journal_exporter.journal.batch import Batch
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.direct_file import ContextOf, DirectFile, UnfitError
from journal_exporter.journal.files import JournalFile, look

_WORTH_ENTRIES = 4096
"""Fewer, and the look at all headers costs more than it saves."""
_MAX_PAUSE = 64


class CatchUp:
    """Finds stretches and reads them; ``close`` it.

    ``paths`` returns the journal's files, those that are set aside left out.
    """

    def __init__(self, paths: Callable[[], Iterable[Path]], context_of: ContextOf) -> None:
        self._paths = paths
        self._context_of = context_of
        self._stretch: DirectFile | None = None
        self._file: JournalFile | None = None
        self._worth_entries = 1
        self._pause = self._paused = 0
        self._known_paths: frozenset[Path] = frozenset()
        self.entries = 0
        """How many were read here and not by libsystemd."""

    def close(self) -> None:
        """Let go of the file."""
        if self._stretch is not None:
            self._stretch.close()
            self._stretch = None

    def restart(self) -> None:
        """Look for a stretch at the next read, however short: libsystemd has just been moved."""
        self.close()
        self._worth_entries = 1
        self._pause = self._paused = 0

    def look_around(self) -> None:
        """Notice files that came or went since the stretch was found: it is then looked for again."""
        if self._stretch is None:
            return
        paths = frozenset(self._paths())
        # One that went is no reason: what we hold open of it can be read to its end all the same.
        if not paths <= self._known_paths:
            files = [file for path in paths if (file := look(path)) is not None]
            if not is_alone(files, self._file, self._stretch.last):
                self.close()
        self._known_paths = paths

    def read(
        self, batch: Batch, after: Cursor, *, entries: int, room_bytes: int, lagging: bool
    ) -> Cursor | None:
        """Add the entries after one to a batch, and return the last one's cursor.

        ``lagging``: the last batch was full. None: libsystemd is to read; the batch is of no use then.
        """
        if not self._is_at(after) and not self._find(after, lagging=lagging):
            return None
        stretch = self._stretch
        if stretch is None:
            return None
        try:
            last = stretch.read(batch, entries=entries, room_bytes=room_bytes)
        except UnfitError:
            self._give_up()
            return None
        self.entries += last.seqnum - after.seqnum
        return last

    def _is_at(self, after: Cursor) -> bool:
        if self._stretch is None:
            return False
        if self._stretch.last != after:
            # libsystemd has read on meanwhile, entry by entry.
            self._open(after)
        return self._stretch is not None and self._stretch.entries_left > 0

    def _open(self, after: Cursor) -> None:
        self.close()
        if self._file is not None:
            self._stretch = DirectFile.open(self._file.path, after, self._context_of)

    def _give_up(self) -> None:
        self.close()
        self._file = None
        self._pause = min(2 * self._pause + 1, _MAX_PAUSE)
        self._paused = 0

    def _find(self, after: Cursor, *, lagging: bool) -> bool:
        worth, self._worth_entries = self._worth_entries, _WORTH_ENTRIES
        if worth > 1 and self._file is None:
            self._paused += 1
            if not lagging or self._paused <= self._pause:
                return False
        self._known_paths = frozenset(self._paths())
        files = [file for path in self._known_paths if (file := look(path)) is not None]
        self._file = next_file(files, after)
        self._open(after)
        if self._stretch is None or self._stretch.entries_left < worth:
            self._give_up()
            return False
        self._pause = self._paused = 0
        return True


def next_file(files: Sequence[JournalFile], after: Cursor) -> JournalFile | None:
    """Return the one file that holds the number after an entry's; None where there may be a doubt."""
    holding = [
        file
        for file in files
        if file.state == "readable" and file.head_seqnum <= after.seqnum + 1 <= file.tail_seqnum
    ]
    return holding[0] if len(holding) == 1 and is_alone(files, holding[0], after) else None


def is_alone(files: Sequence[JournalFile], file: JournalFile | None, after: Cursor) -> bool:
    """Whether no other file can hold entries that lie between those of a file."""
    if file is None or any(other.state == "unsupported" for other in files):
        # A newer libsystemd may read it all the same.
        return False
    readable = [other for other in files if other.state == "readable"]
    return all(other.seqnum_id == after.seqnum_id for other in readable) and not any(
        other.tail_seqnum
        and other.head_seqnum <= file.tail_seqnum
        and file.head_seqnum <= other.tail_seqnum
        for other in readable
        if (other.key, other.inode) != (file.key, file.inode)
    )
