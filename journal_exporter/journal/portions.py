"""Pure: entries of several files that are handed over together, and what the place after any of them is."""

import dataclasses
from collections.abc import Iterator, Sequence

from journal_exporter.journal.copies import Copies
from journal_exporter.journal.fields import Field
from journal_exporter.journal.file_format import Head, Header
from journal_exporter.journal.run import Place, Run
from journal_exporter.journal.sequence import Gap, SequenceTracker, sound_numbers


@dataclasses.dataclass(slots=True)
class Portion:
    """Entries of one file: those of ``run`` from index ``start``, ``count`` of them.

    ``entries``: entries of the file before the run's first. ``before``: the place before the portion.
    ``are_copies``: they were read from a runtime file already, so that none becomes an element.
    """

    key: str
    header: Header
    run: Run
    start: int
    count: int
    entries: int
    before: Place
    is_runtime: bool = False
    are_copies: bool = False

    def heads(self, count: int) -> Sequence[Head]:
        """Return the heads of the first so many entries."""
        return self.run.heads[self.start : self.start + count]

    def place(self, count: int) -> Place:
        """Return the place after the first so many entries."""
        if not count and not self._lost_at_end(count):
            return self.before
        stop = self.start + count
        lost = sum(lost for index, lost in self.run.lost.items() if index < stop)
        lost += self._lost_at_end(count)
        entries = self.entries + stop + lost
        if not stop:
            return self.before._replace(entries=entries)
        head = self.run.heads[stop - 1]
        return Place(self.run.offsets[stop - 1], entries, head[3], head[4], head[6].hex())

    def _lost_at_end(self, count: int) -> int:
        stop = self.start + count
        return self.run.lost.get(stop, 0) if stop == len(self.run.heads) else 0

    def lost(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield where damaged entries were, as (entry of the portion after them, how many)."""
        stop = self.start + count
        for index, lost in self.run.lost.items():
            if self.start <= index < stop or (index == stop == len(self.run.heads)):
                yield index - self.start, lost


@dataclasses.dataclass(slots=True)
class Taken:
    """Portions and the order of their entries: (portion, index in it) each; None: of the only one."""

    portions: list[Portion]
    picks: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return (
            self.portions[0].count
            if self.picks is None and self.portions
            else len(self.picks or ())
        )

    @property
    def elements(self) -> int:
        """How many entries become elements of a batch."""
        return 0 if any(portion.are_copies for portion in self.portions) else len(self)

    def counts(self, elements: int) -> list[int]:
        """Return how many entries of each portion are among the first so many."""
        if self.picks is None:
            return [elements] if self.portions else []
        counts = [0] * len(self.portions)
        for which, _index in self.picks[:elements]:
            counts[which] += 1
        return counts

    def heads(self) -> list[Head]:
        """Return the heads of all entries in their order."""
        if self.picks is None:
            return list(self.portions[0].heads(self.portions[0].count)) if self.portions else []
        return [
            self.portions[which].run.heads[self.portions[which].start + index]
            for which, index in self.picks
        ]

    def fields(self) -> tuple[list[tuple[Field, ...]], list[Field]]:
        """Return contexts and messages of all entries in their order."""
        if self.picks is None:
            portion = self.portions[0]
            stop = portion.start + portion.count
            run = portion.run
            return run.contexts[portion.start : stop], run.messages[portion.start : stop]
        places = [
            (self.portions[which].run, self.portions[which].start + index)
            for which, index in self.picks
        ]
        return [run.contexts[at] for run, at in places], [run.messages[at] for run, at in places]

    def position_of(self, which: int, index: int) -> int:
        """Return where an entry of a portion is in the order; the end where it is not there."""
        if self.picks is None:
            return index
        try:
            return self.picks.index((which, index))
        except ValueError:
            return len(self.picks)


def account(
    taken: Taken, entries: int, tracker: SequenceTracker, copies: Copies
) -> list[tuple[int, Gap]]:
    """Tell the tracker, and the runtime's entries the copies, what the first so many entries are.

    Returns the damaged entries among them, each by the index of the entry after it.
    """
    gaps: list[tuple[int, Gap]] = []
    for which, (portion, count) in enumerate(
        zip(taken.portions, taken.counts(entries), strict=True)
    ):
        heads = portion.heads(count)
        if portion.is_runtime and heads:
            copies.note(portion.key, heads)
        if portion.are_copies:
            for head in heads:
                copies.is_copy(head)
        _number(portion, heads, tracker)
        gaps += [
            (taken.position_of(which, index), gap)
            for index, gap in _damaged(portion, count, tracker)
        ]
    return gaps


def _number(portion: Portion, heads: Sequence[Head], tracker: SequenceTracker) -> None:
    header = portion.header
    before = portion.before.seqnum if portion.before.seqnum <= header.tail_seqnum else 0
    boot_before = portion.before.boot_id
    for boot, part in _boots(heads):
        sound = sound_numbers([head[3] for head in part], before, header.tail_seqnum)
        known = [number for number in sound if number]
        if not known:
            continue
        names = header.machine_id, header.seqnum_id, boot.hex()
        if names[2] == boot_before:
            key = tracker.epoch_of(*names, known[0])
        else:
            key = tracker.enter(*names, known[0], before)
        boot_before = names[2]
        if portion.are_copies:
            tracker.cover(key, known[0], known[-1])
        else:
            tracker.add(key, known)
        if len(known) < len(sound):
            tracker.explain(key, before + 1, known[-1], len(sound) - len(known))
        before = known[-1]
        tracker.end(header.seqnum_id, before)


def _boots(heads: Sequence[Head]) -> Iterator[tuple[bytes, Sequence[Head]]]:
    """Yield the entries boot by boot. Boots do not alternate in a file, so that both ends tell."""
    if not heads:
        return
    if heads[0][6] == heads[-1][6]:
        yield heads[0][6], heads
        return
    begin = 0
    for index in range(1, len(heads) + 1):
        if index == len(heads) or heads[index][6] != heads[begin][6]:
            yield heads[begin][6], heads[begin:index]
            begin = index


def _damaged(portion: Portion, count: int, tracker: SequenceTracker) -> Iterator[tuple[int, Gap]]:
    header, run = portion.header, portion.run
    for index, lost in portion.lost(count):
        at = portion.start + index
        first = (run.heads[at - 1][3] if at else portion.before.seqnum) + 1
        last = run.heads[at][3] - 1 if at < len(run.heads) else header.tail_seqnum
        if not 0 < first <= last <= header.tail_seqnum:
            first, last = portion.before.seqnum + 1, header.tail_seqnum
        gap = Gap(first, max(first, last), lost)
        key = tracker.keys.get(header.seqnum_id)
        if key is not None:
            tracker.explain(key, gap.seqnum_first, gap.seqnum_last, lost)
        yield index, gap
