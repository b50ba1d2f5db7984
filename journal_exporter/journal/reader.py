"""Reads the journal file by file, and merges what its files hold.

Guarantees: every entry that a file holds while it can be read is handed over once, in the order of its file,
whatever the clocks, the names and the number of files. Entries that journald copies from the runtime journal
into the persistent one are recognised. What is lost is counted from what the files say.

A place in the journal is a place in each file. libsystemd's merged view is not used: its order is not total
when clocks differ between boots, it drops files without an error, and it believes what damaged files say.
"""

import dataclasses
import select
from collections.abc import Callable, Iterable, Sequence
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from journal_exporter.journal import beginnings
from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.batch import Batch
from journal_exporter.journal.copies import Copies
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import NO_CONTEXT, Field
from journal_exporter.journal.file_format import Head
from journal_exporter.journal.inotify import DirectoryWatch
from journal_exporter.journal.losses import Gone, Losses
from journal_exporter.journal.next_entries import NextEntries
from journal_exporter.journal.open_files import JournalFile, OpenFiles, next_us
from journal_exporter.journal.owed import Owed, pay
from journal_exporter.journal.portions import Damage, Taken, account
from journal_exporter.journal.position import Position, position_in
from journal_exporter.journal.read_state import ReadState
from journal_exporter.journal.sequence import SequenceTracker

LOOK_S = 1.0
"""Directories are looked at this often even if inotify says nothing."""
REFRESH_S = 0.25
"""Headers of open files are read again this often while there is a backlog."""


class _Loss(NamedTuple):
    """Lost entries: the index of the entry after them, and where they were found missing."""

    at: int
    gap: Gap
    damage: Damage | None = None
    gone: Gone | None = None
    owed: Owed | None = None


class JournalReader:
    """One open journal and a place in it; ``close`` it."""

    def __init__(
        self,
        files: OpenFiles,
        watch: DirectoryWatch,
        tops: Iterable[Path],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._files = files
        self._watch = watch
        self._tops = tuple(tops)
        self._monotonic_s = monotonic_s
        self._state = ReadState()
        self._next = NextEntries(files, self._state, self._unread)
        self._losses = Losses(files, self._state, self._unread, self._look)
        self._cursor: str | None = None
        self._position = Position(None)
        self._until: Position | None = None
        self._last_seen: tuple[int, tuple[Field, ...]] = 0, NO_CONTEXT
        self._looked_s = self._refreshed_s = self._settled_s = float("-inf")

    def close(self) -> None:
        """Close the journal; harmless when it is closed already."""
        self._files.close()
        self._watch.close()

    @property
    def inotify_fd(self) -> int | None:
        """What to poll on; None where the journal can only be polled."""
        return self._watch.fd

    @property
    def position(self) -> Position:
        """The place after the last entry that was handed over."""
        return self._position

    @property
    def unread(self) -> int:
        """How many entries the files hold that were not handed over."""
        return sum(map(self._unread, self._files.files.values()))

    @property
    def oldest_unread_us(self) -> int:
        """The time of the oldest of them, in microseconds since the epoch; 0 where there is none."""
        unread = [file for file in self._files.files.values() if self._unread(file)]
        return min(map(next_us, unread), default=0)

    def _unread(self, file: JournalFile) -> int:
        if file.is_refused:
            return 0
        if self._until is None:
            return file.unread
        limit = (self._until.files or {}).get(file.key)
        return 0 if limit is None else max(0, limit.place.entries - file.place.entries)

    def process(self) -> None:
        """Take up new files and let go of deleted ones."""
        now_s = self._monotonic_s()
        waits = self._files.unopened and not self.unread
        if self._watch.names_changed() or waits or now_s - self._looked_s >= LOOK_S:
            self._look()
        elif not self.unread or now_s - self._refreshed_s >= REFRESH_S:
            self._files.refresh()
            self._refreshed_s = now_s

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        """Return when the journal changed, when ``stop_fd`` is readable, or after the timeout."""
        poll = select.poll()
        poll.register(stop_fd, select.POLLIN)
        if self._watch.fd is not None:
            poll.register(self._watch.fd, select.POLLIN)
        poll.poll(timeout_s * 1000)

    def _look(self) -> None:
        self._looked_s = self._refreshed_s = self._monotonic_s()
        self._files.look()
        self._watch.watch({*self._tops, *(file.path.parent for file in self._files.files.values())})
        for file in self._files.files.values():
            if not file.is_verified and file.reader is not None:
                with file.refused_on_error():
                    beginnings.find_again(file, file.reader, self._state)
        for file in self._files.gone:
            self._losses.count_gone(file)
        self._files.gone.clear()
        self._state.tracker.keep_ids(
            frozenset(file.header.seqnum_id for file in self._files.files.values())
        )

    def _open_files(self) -> list[JournalFile]:
        return [file for file in self._files.files.values() if file.reader is not None]

    def start(self, where: str) -> Position:
        """Go to where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""
        self._restore(Position(None))
        self._look()
        beginnings.begin(self._open_files(), self._state, where)
        self._position = self._now()
        return self._position

    def seek(self, position: Position, until: Position | None = None) -> bool:
        """Go to a place; return whether it is whole. ``until``: read no further than that place.

        Then what is read next is what lies after the place in each file, and files that are new since.
        """
        self._restore(position)
        self._until = until
        self._look()
        if any(file.missed for file in self._files.files.values()):
            # A rename can hide a file from one look; what a second one misses too is gone.
            self._look()
        if position.files is None:
            beginnings.take_over(self._open_files(), self._state, position)
        self._position = dataclasses.replace(self._now(), cursor=position.cursor)
        known = position.files or {}
        return all(key in self._files.files for key, one in known.items() if one.place.entries)

    def _restore(self, position: Position) -> None:
        known = position.sequences if position.files is not None else None
        self._state.tracker = SequenceTracker(known)
        self._state.copies = Copies(position.copies)
        self._state.owed = position.owed
        self._cursor = position.cursor
        at_us = cursors.parse(position.cursor).realtime_us if position.cursor else 0
        self._last_seen = at_us, NO_CONTEXT
        self._losses.gone.clear()
        self._until = None
        self._files.restore(position.files or {})

    def read(self) -> Batch:
        """Return the next entries, at most ``BATCH_ENTRIES`` or about ``BATCH_BYTES`` of messages."""
        losses = [_Loss(0, gone.gap, gone=gone) for gone in self._losses.gone]
        self._losses.gone.clear()
        before = self._now()
        taken = self._next.take()
        if not taken.portions and not losses:
            return self._at_end(before)
        restarts = self._state.tracker.restarts
        damage = account(
            taken, len(taken), self._state.tracker, self._state.copies,
            [portion.at_end for portion in taken.portions],
        )  # fmt: skip
        losses += [_Loss(one.at, one.gap, damage=one) for one in damage]
        self._state.owed = _pay(self._state.owed, taken, taken.counts(len(taken)))
        for portion in taken.portions:
            file = self._files.files[portion.key]
            place = portion.place(portion.count, portion.at_end)
            file.taken = portion.start + portion.count
            if file.next_head is None:
                # The batch has it now; kept for each of a thousand files it would be hundreds of MiB.
                file.stand_at(place)
            file.place = place
        heads = taken.heads()
        if heads:
            self._cursor = Cursor.of(self._last_id(taken), heads[-1]).text
        if self._until is None and self._state.tracker.has_holes:
            losses += starmap(_Loss, self._losses.holes([head[3] for head in heads]))
            self._settled_s = self._looked_s
        if not self.unread:
            self._end_of_files()
        batch = self._batch(taken, heads, before, losses)
        batch.restarts = self._state.tracker.restarts - restarts
        return batch

    def _at_end(self, before: Position) -> Batch:
        """Everything that the files hold was handed over: what is missing now is lost."""
        self._state.tracker.begun()
        losses: list[_Loss] = []
        if self._until is None and not self.unread and not self._files.unopened:
            losses += [_Loss(0, owed.gap, owed=owed) for owed in self._state.owed]
            self._state.owed = ()
        is_due = self._until is None and self._settled_s != self._looked_s
        if is_due and self._state.tracker.has_holes:
            losses += starmap(_Loss, self._losses.holes([]))
            self._settled_s = self._looked_s
        if any(file.missed and file.unread for file in self._files.files.values()):
            # A run that ends here must have reported what went with it.
            self._look()
        if self._losses.gone and not losses:
            return self.read()
        self._end_of_files()
        return self._batch(Taken([]), [], before, losses)

    def _end_of_files(self) -> None:
        if not self._state.tracker.has_holes and not self._files.unopened:
            self._state.tracker.end_of_files()

    def _batch(
        self, taken: Taken, heads: list[Head], before: Position, losses: list[_Loss]
    ) -> Batch:
        elements = taken.elements
        times_us = [head[4] for head in heads] if elements else []
        losses.sort(key=lambda one: one.at)
        batch = Batch(before, last_seen=self._last_seen, times_us=times_us)
        for loss in losses:
            at = min(loss.at, elements)
            batch.gaps.setdefault(at, []).append(loss.gap)
            next_us = times_us[at] if at < elements else self._last_seen[0]
            self._state.tracker.count(loss.gap, next_us)
        if elements:
            batch.contexts, batch.messages = taken.fields()
            self._last_seen = times_us[-1], batch.contexts[-1]
        batch.entries = len(heads)
        batch.repeated = len(heads) - elements
        batch.unreadable = sum(loss.gap.entries for loss in losses if loss.damage is not None)
        batch.without_message, self._next.without_message = self._next.without_message, 0
        batch.end = self._position = self._now()
        cursor = before.cursor

        def place_after(count: int, counted: int) -> Position:
            """Account again for a part of the batch, from the place before it."""
            tracker, copies = SequenceTracker(before.sequences), Copies(before.copies)
            passed: list[set[int]] = [set() for _ in taken.portions]
            for loss in losses[:counted]:
                if loss.damage is not None:
                    passed[loss.damage.portion].add(loss.damage.before)
            account(taken, count, tracker, copies, passed)
            owed = _pay(before.owed, taken, taken.counts(count))
            owed = tuple(one for one in owed if one not in [loss.owed for loss in losses[:counted]])
            for loss in losses[:counted]:
                next_us = times_us[loss.at] if loss.at < elements else self._last_seen[0]
                tracker.lose(loss.gap, next_us)
            files = dict(before.files or {})
            files |= {loss.gone.key: loss.gone.position for loss in losses[counted:] if loss.gone}
            parts = zip(taken.portions, taken.counts(count), passed, strict=True)
            for portion, part, damaged in parts:
                place = portion.place(part, damaged)
                files[portion.key] = position_in(
                    portion.header, place, is_runtime=portion.is_runtime
                )
            at = Cursor.of(self._last_id(taken, count), heads[count - 1]).text if count else cursor
            return Position(at, files, tracker.snapshot(), tuple(copies.snapshot()), owed)

        batch.place_after = place_after
        return batch

    @staticmethod
    def _last_id(taken: Taken, count: int | None = None) -> str:
        if taken.picks is None:
            return taken.portions[0].header.seqnum_id
        return taken.portions[taken.picks[(count or 0) - 1][0]].header.seqnum_id

    def _now(self) -> Position:
        return Position(
            self._cursor,
            {
                key: file.position
                for key, file in self._files.files.items()
                if file.place.entries or file.unread
            }
            # A run that is killed before it reports their loss leaves it to the next one.
            | {gone.key: gone.position for gone in self._losses.gone},
            self._state.tracker.snapshot(),
            tuple(self._state.copies.snapshot()),
            self._state.owed,
        )


def _pay(owed: Sequence[Owed], taken: Taken, counts: Sequence[int]) -> tuple[Owed, ...]:
    """Return what is still owed after the first so many entries of each portion."""
    for portion, count in zip(taken.portions, counts, strict=True):
        if not portion.is_runtime and not portion.are_copies:
            owed = pay(owed, portion.heads(count))
    return tuple(owed)
