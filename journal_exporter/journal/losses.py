"""Finds out what is lost: entries of files that went unread, and numbers that no file holds any more.

Guarantees: a number counts as lost only after all files were looked at again, later than an entry with a
higher number was read; entries of a file that vanished count by what its header said last.
"""

from collections.abc import Callable
from typing import NamedTuple

from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.open_files import JournalFile, OpenFiles
from journal_exporter.journal.owed import Owed
from journal_exporter.journal.position import FilePosition
from journal_exporter.journal.read_state import ReadState

_ENDLESS = 1 << 64


class Gone(NamedTuple):
    """A file that vanished with entries that were not read: its id, the place in it, and the loss."""

    key: str
    position: FilePosition
    gap: Gap


class Losses:
    """``unread_of`` returns how many entries of a file were not read, ``look`` looks at all files again."""

    def __init__(
        self,
        files: OpenFiles,
        state: ReadState,
        unread_of: Callable[[JournalFile], int],
        look: Callable[[], None],
    ) -> None:
        self._files = files
        self._state = state
        self._unread_of = unread_of
        self._look = look
        self.gone: list[Gone] = []
        """Files whose loss is not reported yet."""

    def count_gone(self, file: JournalFile) -> None:
        """Count what was not read of a file that vanished.

        One that was read to its end may have grown since, so that the counter jumped to what came next.
        """
        header = file.header
        # Of a file of which nothing was read, numbers before its first one are those of other files.
        last = header.tail_seqnum
        head = header.head_seqnum if 0 < header.head_seqnum <= last else 1
        first = file.place.seqnum + 1 if file.place.entries else head
        self._state.tracker.explain(header.machine_id, first, last, file.unread)
        if not file.unread:
            return
        if file.is_runtime:
            # journald may have copied it into a persistent file, where they have other numbers.
            boot_id = file.place.boot_id or header.boot_id
            owed = Owed(boot_id, header.tail_monotonic_us, first, last, file.unread)
            self._state.owed = (*self._state.owed, owed)
            return
        copied = self._state.copies.forget(file.unread, header.tail_monotonic_us)
        if file.unread > copied:
            gap = Gap(first, last, file.unread - copied)
            self.gone.append(Gone(file.key, file.position, gap))

    def _explain_refused(self, file: JournalFile) -> None:
        """Tell the tracker of entries that are there but that no reader can read: they are not lost."""
        if not file.is_refused or file.unread <= file.explained:
            return
        tracker, header = self._state.tracker, file.header
        # What lies below was accounted for already, by an earlier run.
        first = max(file.place.seqnum, tracker.floor_of(header.machine_id, header.seqnum_id)) + 1
        entries = min(file.unread - file.explained, header.tail_seqnum - first + 1)
        if entries > 0:
            tracker.explain(header.machine_id, first, header.tail_seqnum, entries)
        file.explained = file.unread

    def holes(self, numbers: list[int]) -> list[tuple[int, Gap]]:
        """Return holes that no file can hold any more, each by the index of the entry after it."""
        # Files first: an entry that was written before one that was read is in its file by now.
        self._look()
        if self._files.unopened:
            return []
        epochs = self._state.tracker.machines
        for machine_id in set(epochs.values()):
            self._state.tracker.jump(
                machine_id,
                frozenset(
                    file.place.seqnum
                    for file in self._files.files.values()
                    if file.header.machine_id == machine_id
                ),
            )
        below = dict.fromkeys(epochs, _ENDLESS)
        for file in self._files.files.values():
            self._explain_refused(file)
            if not self._unread_of(file):
                continue
            for key, machine_id in epochs.items():
                if machine_id == file.header.machine_id:
                    below[key] = min(below[key], _next_number(file))
        found = []
        for gap in self._state.tracker.settle(below):
            at = next((at for at, number in enumerate(numbers) if number > gap.seqnum_last), None)
            found.append((len(numbers) if at is None else at, gap))
        return found


def _next_number(file: JournalFile) -> int:
    """Return the number of a file's next entry, or one below it."""
    head = file.next_head
    is_next = not any(index <= file.taken for index in file.ahead.lost)
    if is_next and head is not None and file.place.seqnum < head[3] <= file.header.tail_seqnum:
        return head[3]
    return file.place.seqnum + 1 if file.place.entries else file.header.head_seqnum
