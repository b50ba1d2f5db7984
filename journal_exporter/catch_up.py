"""Reads ahead of libsystemd where no order is in doubt: whole stretches of journal files, see ``stretch``.

Guarantees: only where all files share one sequence number id, and the next number is in one file alone,
which has no hole and overlaps no other. Everywhere else, and for every oddity, it says None, and libsystemd
reads.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from journal_exporter.cursor import Cursor
from journal_exporter.journal_files import JournalFile, look
from journal_exporter.record import Batch
from journal_exporter.stretch import ContextOf, Stretch, UnfitError

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
        self._stretch: Stretch | None = None
        self._path: Path | None = None
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
        if self._stretch is not None and frozenset(self._paths()) != self._known_paths:
            self.close()

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
        if self._path is not None:
            self._stretch = Stretch.open(self._path, after, self._context_of)

    def _give_up(self) -> None:
        self.close()
        self._path = None
        self._pause = min(2 * self._pause + 1, _MAX_PAUSE)
        self._paused = 0

    def _find(self, after: Cursor, *, lagging: bool) -> bool:
        worth, self._worth_entries = self._worth_entries, _WORTH_ENTRIES
        if worth > 1 and self._path is None:
            self._paused += 1
            if not lagging or self._paused <= self._pause:
                return False
        self._known_paths = frozenset(self._paths())
        files = [file for path in self._known_paths if (file := look(path)) is not None]
        self._path = next_file(files, after)
        self._open(after)
        if self._stretch is None or self._stretch.entries_left < worth:
            self._give_up()
            return False
        self._pause = self._paused = 0
        return True


def next_file(files: Sequence[JournalFile], after: Cursor) -> Path | None:
    """Return the one file that holds the number after an entry's; None where there may be a doubt."""
    if any(file.state == "unsupported" for file in files):
        # A newer libsystemd may read it all the same.
        return None
    readable = [file for file in files if file.state == "readable"]
    if any(file.seqnum_id != after.seqnum_id for file in readable):
        return None
    numbered = [file for file in readable if file.tail_seqnum]
    holding = [
        file for file in numbered if file.head_seqnum <= after.seqnum + 1 <= file.tail_seqnum
    ]
    if len(holding) != 1:
        return None
    (file,) = holding
    overlapping = [
        other
        for other in numbered
        if other.head_seqnum <= file.tail_seqnum and file.head_seqnum <= other.tail_seqnum
    ]
    return file.path if len(overlapping) == 1 else None
