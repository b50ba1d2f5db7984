"""Finds journal files that can be read ahead of libsystemd, directly and in bulk.

Guarantees: a file is read directly only where the order of entries is certain. All files share one sequence
number id, the next number is in one file alone, and that file has no hole and overlaps no other. In every
other case it returns None, and libsystemd reads.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from journal_exporter.journal.batch import Batch, ContextOf
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.direct_fields import NeedsLibsystemdError
from journal_exporter.journal.direct_file import DirectFile
from journal_exporter.journal.files import JournalFile, inspect_files

_MIN_ENTRIES = 4096
"""With fewer entries, reading all headers costs more than it saves."""
_MAX_SKIPPED_READS = 64


class ReadAhead:
    """Finds files to read directly, and reads them; ``close`` it.

    ``paths`` returns the journal's files, without those that are set aside.
    """

    def __init__(self, paths: Callable[[], Iterable[Path]], context_of: ContextOf) -> None:
        self._paths = paths
        self._context_of = context_of
        self._direct: DirectFile | None = None
        self._file: JournalFile | None = None
        self._min_entries = 1
        self._reads_to_skip = self._skipped_reads = 0
        self._known_paths: frozenset[Path] = frozenset()
        self.entries = 0
        """How many entries were read here and not by libsystemd."""

    def close(self) -> None:
        """Close the file that is being read."""
        if self._direct is not None:
            self._direct.close()
            self._direct = None

    def restart(self) -> None:
        """Search again at the next read, for any number of entries: libsystemd has just moved."""
        self.close()
        self._min_entries = 1
        self._reads_to_skip = self._skipped_reads = 0

    def notice_new_files(self) -> None:
        """Close the file if files appeared whose entries may lie between its own."""
        if self._direct is None:
            return
        paths = frozenset(self._paths())
        # A file that was deleted does not matter: an open file can still be read to its end.
        if not paths <= self._known_paths and not is_alone(
            inspect_files(paths), self._file, self._direct.last
        ):
            self.close()
        self._known_paths = paths

    def read(
        self, batch: Batch, after: Cursor, *, entries: int, room_bytes: int, lagging: bool
    ) -> Cursor | None:
        """Add the entries after ``after`` to a batch, and return the last one's cursor.

        ``lagging``: the last batch was full. None: libsystemd must read, and the batch is useless.
        """
        if not self._is_at(after) and not self._find(after, lagging=lagging):
            return None
        if self._direct is None:
            return None
        try:
            last = self._direct.read(batch, entries=entries, room_bytes=room_bytes)
        except NeedsLibsystemdError:
            self._back_off()
            return None
        self.entries += last.seqnum - after.seqnum
        return last

    def _is_at(self, after: Cursor) -> bool:
        if self._direct is None:
            return False
        if self._direct.last != after:
            # libsystemd has read on meanwhile, entry by entry.
            self._open(after)
        return self._direct is not None and self._direct.entries_left > 0

    def _open(self, after: Cursor) -> None:
        self.close()
        if self._file is not None:
            self._direct = DirectFile.open(self._file.path, after, self._context_of)

    def _back_off(self) -> None:
        self.close()
        self._file = None
        self._reads_to_skip = min(2 * self._reads_to_skip + 1, _MAX_SKIPPED_READS)
        self._skipped_reads = 0

    def _find(self, after: Cursor, *, lagging: bool) -> bool:
        min_entries, self._min_entries = self._min_entries, _MIN_ENTRIES
        if min_entries > 1 and self._file is None:
            self._skipped_reads += 1
            if not lagging or self._skipped_reads <= self._reads_to_skip:
                return False
        self._known_paths = frozenset(self._paths())
        self._file = next_file(inspect_files(self._known_paths), after)
        self._open(after)
        if self._direct is None or self._direct.entries_left < min_entries:
            self._back_off()
            return False
        self._reads_to_skip = self._skipped_reads = 0
        return True


def next_file(files: Sequence[JournalFile], after: Cursor) -> JournalFile | None:
    """Return the only file with the number after an entry's; None where the order is uncertain."""
    holding = [
        file
        for file in files
        if file.state == "readable"
        and file.header.head_seqnum <= after.seqnum + 1 <= file.header.tail_seqnum
    ]
    return holding[0] if len(holding) == 1 and is_alone(files, holding[0], after) else None


def is_alone(files: Sequence[JournalFile], file: JournalFile | None, after: Cursor) -> bool:
    """Whether no other file can have entries that lie between those of a file."""
    if file is None or any(other.state == "unsupported" for other in files):
        # A newer libsystemd may be able to read an unsupported file.
        return False
    readable = [other for other in files if other.state == "readable"]
    return all(other.header.seqnum_id == after.seqnum_id for other in readable) and not any(
        other.header.tail_seqnum
        and other.header.head_seqnum <= file.header.tail_seqnum
        and file.header.head_seqnum <= other.header.tail_seqnum
        for other in readable
        if (other.key, other.inode) != (file.key, file.inode)
    )
