"""Pure: entries of several files that are handed over together, and what the place after any of them is."""

import dataclasses
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from journal_exporter.journal.copies import Copies
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import Field
from journal_exporter.journal.file_format import Head, Header
from journal_exporter.journal.numbers import sound_numbers
from journal_exporter.journal.run import Place, Run
from journal_exporter.journal.sequence import SequenceTracker


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

    def place(self, count: int, passed: Container[int]) -> Place:
        """Return the place after the first so many entries, and after ``passed``: see ``lost``."""
        stop = self.start + count
        lost = sum(lost for index, lost in self.run.lost.items() if index < stop or index in passed)
        place = self.before._replace(entries=self.entries + stop + lost)
        if not count:
            return place if any(True for _ in self.lost(0, passed)) else self.before
        head = self.run.heads[stop - 1]
        return Place(self.run.offsets[stop - 1], place.entries, head[3], head[4], head[6].hex())

    @property
    def at_end(self) -> Container[int]:
        """Where damaged entries are that the whole portion passes though no entry of it follows."""
        stop = self.start + self.count
        return (stop,) if stop == len(self.run.heads) else ()

    def lost(self, count: int, passed: Container[int]) -> Iterator[tuple[int, int]]:
        """Yield where damaged entries were, as (index of the run's entry after them, how many).

        Those among the first so many entries, and those that are ``passed`` just behind them.
        """
        stop = self.start + count
        for index, lost in self.run.lost.items():
            if self.start <= index < stop or (index == stop and index in passed):
                yield index, lost


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


class Damage(NamedTuple):
    """Damaged entries: the index of the entry after them, the loss, and where they are."""

    at: int
    gap: Gap
    portion: int
    before: int
    """The index of the entry after them in the portion's run."""


def account(
    taken: Taken,
    entries: int,
    tracker: SequenceTracker,
    copies: Copies,
    passed: Sequence[Container[int]],
) -> list[Damage]:
    """Tell the tracker, and the runtime's entries the copies, what the first so many entries are.

    ``passed``, per portion: see ``Portion.lost``. Returns the damaged entries.
    """
    found: list[Damage] = []
    counted = list(enumerate(zip(taken.portions, taken.counts(entries), strict=True)))
    # As they are merged: by their numbers, so that what is read is not taken for what was read before, but
    # by the clock where a new numbering may have begun between them.
    picked = dict.fromkeys(which for which, _index in (taken.picks or ())[:entries])
    order = {which: at for at, which in enumerate(picked)}
    counted.sort(key=lambda one: order.get(one[0], len(order)))
    for which, (portion, count) in counted:
        heads = portion.heads(count)
        if portion.is_runtime and heads:
            copies.note(portion.key, portion.header.machine_id, heads)
        if portion.are_copies:
            for head in heads:
                copies.is_copy(portion.header.machine_id, head)
        _number(portion, heads, tracker, copies)
        for index, lost in portion.lost(count, passed[which]):
            gap = _gap(portion, index, lost)
            tracker.explain(portion.header.machine_id, gap.seqnum_first, gap.seqnum_last, lost)
            if portion.are_copies and heads:
                # Among copies they are copies, too: their entries were read from the runtime file.
                gap = gap._replace(entries=lost - copies.forget(lost, heads[-1][5]))
            if gap.entries:
                at = taken.position_of(which, index - portion.start)
                found.append(Damage(at, gap, which, index))
    return found


def _number(
    portion: Portion, heads: Sequence[Head], tracker: SequenceTracker, copies: Copies
) -> None:
    header = portion.header
    before = portion.before.seqnum if portion.before.seqnum <= header.tail_seqnum else 0
    boot_before = portion.before.boot_id
    for boot, part in _boots(heads):
        sound = sound_numbers([head[3] for head in part], before, header.tail_seqnum)
        known = [number for number in sound if number] if 0 in sound else sound
        if not known:
            tracker.explain(header.machine_id, before + 1, header.tail_seqnum, len(sound))
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
            tracker.add(
                key, known, has_copies=not portion.is_runtime and copies.know(names[0], names[2])
            )
        if len(known) < len(sound):
            last = known[-1] if sound[-1] else header.tail_seqnum
            tracker.explain(header.machine_id, before + 1, last, len(sound) - len(known))
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


def _gap(portion: Portion, index: int, lost: int) -> Gap:
    """Return a loss before an entry of a portion's run."""
    header, run = portion.header, portion.run
    least = portion.before.seqnum + 1 if portion.before.entries else header.head_seqnum
    first = run.heads[index - 1][3] + 1 if index else least
    is_between = index < len(run.heads) and index not in run.scattered
    last = run.heads[index][3] - 1 if is_between else header.tail_seqnum
    if not 0 < first <= last <= header.tail_seqnum:
        first, last = min(least, header.tail_seqnum), header.tail_seqnum
    return Gap(first, max(first, last), lost)
