"""Chooses which entries of all files come next: read ahead, merged, and without copies of runtime entries.

Guarantees: within a file the order of writing; of one boot the order of its sequence numbers, as far as
they are at hand; persistent entries that may be copies wait until the runtime's own are read.
"""

import bisect
import collections
import itertools
from collections.abc import Callable

from journal_exporter.journal import merge
from journal_exporter.journal.copies import Copies
from journal_exporter.journal.file_format import MAX_REALTIME_US, Head
from journal_exporter.journal.numbers import sound_numbers
from journal_exporter.journal.open_files import JournalFile, OpenFiles, next_us
from journal_exporter.journal.portions import Portion, Taken
from journal_exporter.journal.read_state import ReadState
from journal_exporter.journal.run import Run

BATCH_ENTRIES = 1000
BATCH_BYTES = 256 * 1024
MAX_TIMES, FILES_PER_TIME = 6, 32
"""How many times as large as usual a batch is at most, and for how many files once more."""
MERGED_ENTRIES = 64
"""Entries read ahead of each file at least, where several are merged."""


class NextEntries:
    """Reads ahead of the place in each file. ``unread_of`` returns how many entries of a file may be read."""

    def __init__(
        self, files: OpenFiles, state: ReadState, unread_of: Callable[[JournalFile], int]
    ) -> None:
        self._files = files
        self._state = state
        self._unread_of = unread_of
        self.without_message = 0
        """Entries without a readable message, of those read ahead since somebody set this to 0."""

    def take(self) -> Taken:
        """Return entries that come next; the files stay where they are."""
        waiting = [
            file
            for file in self._files.files.values()
            if file.reader is not None and self._unread_of(file)
        ]
        blocked = self._blocked_boots(waiting)
        if blocked:
            waiting = [file for file in waiting if self._is_free(file, blocked)]
        taken = self._merged(waiting) if len(waiting) > 1 else self._alone(waiting)
        if blocked:
            self._cut(taken, blocked)
        return self._without_copies(taken)

    def _blocked_boots(self, waiting: list[JournalFile]) -> frozenset[bytes]:
        """Return boots whose persistent entries wait until the runtime's are read, which they may repeat.

        On any machine: the machine id may change before the runtime journal is flushed.
        """
        runtime = [file for file in waiting if file.is_runtime]
        return frozenset(head[6] for file in runtime if (head := self._front(file)) is not None)

    def _is_free(self, file: JournalFile, blocked: frozenset[bytes]) -> bool:
        head = self._front(file)
        return file.is_runtime or head is None or head[6] not in blocked

    @staticmethod
    def _cut(taken: Taken, blocked: frozenset[bytes]) -> None:
        if taken.picks is not None:
            return
        for portion in taken.portions:
            if not portion.is_runtime:
                heads = portion.heads(portion.count)
                stop = next((at for at, head in enumerate(heads) if head[6] in blocked), len(heads))
                portion.count = stop

    def _front(self, file: JournalFile, entries: int = BATCH_ENTRIES) -> Head | None:
        """Return the head of a file's next entry, reading ahead; None where only damage is left."""
        # Damage alone may have been read ahead: reading again would pass over it.
        if file.next_head is None and not file.ahead.lost and file.reader is not None:
            file.ahead, file.taken, file.ahead_of = Run(), 0, file.place.entries
            file.reader.read(
                file.ahead, entries=min(entries, self._unread_of(file)), room_bytes=BATCH_BYTES
            )
            file.numbers, file.times_us = [], []
            self.without_message += file.ahead.without_message
        return file.next_head

    def _fill(self, file: JournalFile, entries: int) -> None:
        """Read more behind what is left of the entries read ahead, so that a merge need not stop there."""
        left = len(file.ahead.heads) - file.taken
        if file.reader is None or left >= entries // 4 or not file.reader.entries_left:
            return
        file.ahead, file.taken, file.ahead_of = file.ahead.rest(file.taken), 0, file.place.entries
        more = min(entries, self._unread_of(file) - left)
        if more > 0:
            file.reader.read(file.ahead, entries=more, room_bytes=BATCH_BYTES)
        file.numbers, file.times_us = [], []
        self.without_message += file.ahead.without_message

    def _portion(self, file: JournalFile, count: int) -> Portion:
        return Portion(
            file.key, file.header, file.ahead, file.taken, count, file.ahead_of, file.place,
            file.is_runtime,
        )  # fmt: skip

    def _alone(self, waiting: list[JournalFile]) -> Taken:
        if not waiting:
            return Taken([])
        self._front(waiting[0])
        count = len(waiting[0].ahead.heads) - waiting[0].taken
        return Taken([self._portion(waiting[0], count)])

    def _merged(self, waiting: list[JournalFile]) -> Taken:
        # A batch costs something for each file: with hundreds of them it is larger.
        times = min(MAX_TIMES, 1 + len(waiting) // FILES_PER_TIME)
        entries = min(BATCH_ENTRIES, max(MERGED_ENTRIES, 4 * times * BATCH_ENTRIES // len(waiting)))
        fronts: dict[str, Head] = {file.key: file.next_head for file in waiting if file.next_head}
        rest = sorted((file for file in waiting if file.next_head is None), key=next_us)
        for file in waiting:
            if file.next_head is not None:
                self._fill(file, entries)
        # The merge gets as far as the first file's entries are read ahead: so far the others are needed.
        until_us = min((f.ahead.heads[-1][4] for f in waiting if f.next_head), default=0)
        count = sum(len(f.ahead.heads) - f.taken for f in waiting if f.next_head)
        while rest and (next_us(rest[0]) <= until_us or count < times * BATCH_ENTRIES):
            file = rest.pop(0)
            # What ends before the others begin is read in one go.
            is_apart = (not fronts or next_us(file) > until_us) and not (
                rest and next_us(rest[0]) <= file.header.tail_realtime_us
            )
            head = self._front(file, BATCH_ENTRIES if is_apart else entries)
            if head is None:
                # Nothing of it can be read; its damage is accounted for by itself.
                return Taken([self._portion(file, 0)])
            last_us = file.ahead.heads[-1][4]
            until_us = min(until_us, last_us) if fronts else last_us
            fronts[file.key] = head
            count += len(file.ahead.heads)
        loaded = [file for file in waiting if file.key in fronts]
        first = min(loaded, key=lambda file: fronts[file.key][4])
        machine_id, boot = first.header.machine_id, fronts[first.key][6]
        group = [
            file
            for file in loaded
            if (file.header.machine_id, fronts[file.key][6]) == (machine_id, boot)
        ]
        others = [fronts[file.key][4] for file in loaded if file not in group]
        until_us = min([*others, *map(next_us, rest[:1])], default=MAX_REALTIME_US)
        if len(group) == 1 and group[0].ahead.heads[-1][4] <= until_us:
            return self._alone(group)
        picks = merge.order(
            [self._as_front(file, boot) for file in group],
            until_us=until_us,
            entries=times * BATCH_ENTRIES,
        )
        messages = [(file.ahead.messages, file.taken) for file in group]
        sizes = [len(messages[which][0][messages[which][1] + at] or b"") for which, at in picks]
        full = bisect.bisect_right(list(itertools.accumulate(sizes)), times * BATCH_BYTES)
        picks = picks[: full + 1]
        counts = collections.Counter(which for which, _at in picks)
        portions = [self._portion(file, counts[which]) for which, file in enumerate(group)]
        return Taken(portions, picks)

    def _as_front(self, file: JournalFile, boot: bytes) -> merge.Front:
        heads = file.ahead.heads
        if not file.numbers:
            tail = file.header.tail_seqnum
            least = file.place.seqnum if file.place.seqnum <= tail else 0
            sound = sound_numbers([head[3] for head in heads], least, tail)
            file.numbers = merge.rising(sound, least)
            file.times_us = merge.rising([head[4] for head in heads], 0)
        stop = len(heads)
        if heads[-1][6] != boot:
            stop = next(at for at in range(file.taken, stop) if heads[at][6] != boot)
        more = stop == len(heads) and self._unread_of(file) > stop - file.taken
        return merge.Front(file.numbers[file.taken : stop], file.times_us[file.taken : stop], more)

    def _without_copies(self, taken: Taken) -> Taken:
        """Cut before the first entry that was read from a runtime file, or take only such entries."""
        for which, portion in enumerate(taken.portions):
            heads = portion.heads(portion.count)
            if portion.is_runtime or not heads:
                continue
            machine_id = portion.header.machine_id
            if not self._state.copies.concern(heads):
                continue
            trial = Copies(self._state.copies.snapshot())
            copied = [trial.is_copy(machine_id, head) for head in heads]
            if copied[0]:
                portion.count = copied.index(False) if False in copied else len(copied)
                portion.are_copies = True
                return Taken([portion])
            if True in copied:
                return _cut_before(taken, which, copied.index(True))
        return taken


def _cut_before(taken: Taken, which: int, index: int) -> Taken:
    """Keep what comes before an entry of a portion."""
    at = taken.position_of(which, index)
    counts = taken.counts(at)
    for portion, count in zip(taken.portions, counts, strict=True):
        portion.count = count
    return Taken(taken.portions, None if taken.picks is None else taken.picks[:at])
