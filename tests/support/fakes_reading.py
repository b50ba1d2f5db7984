"""Numbers of entries read as the reader reads them, without files: for tests of what is lost."""

import itertools
import json
from collections.abc import Sequence

from journal_exporter.journal.copies import Copies
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.file_format import ONLINE, Header
from journal_exporter.journal.portions import Damage, Portion, Taken, account
from journal_exporter.journal.run import Place, Run
from journal_exporter.journal.sequence import SequenceTracker

__all__ = ["MACHINE", "Reading"]

MACHINE = "3a" * 16
_ENDLESS = 1 << 64


class Reading:
    """One machine's journal with a file for each sequence number id."""

    def __init__(self) -> None:
        self.tracker = SequenceTracker()
        self._places: dict[str, Place] = {}

    def restart(self) -> None:
        """Continue from a snapshot that went through JSON."""
        self.tracker = SequenceTracker(json.loads(json.dumps(self.tracker.snapshot())))

    def read(
        self, *cursors: Cursor, unread: Sequence[Cursor] = (), tail: int = 0, damaged: int = 0
    ) -> list[Gap]:
        """Read entries in this order; return what no file holds any more, unless ``unread`` may follow.

        ``tail``: the last number by the file's header, where it is not that of the last entry.
        ``damaged``: entries before the first of them that can't be read.
        """
        for seqnum_id, part in itertools.groupby(cursors, lambda one: one.seqnum_id):
            portion = self._portion(seqnum_id, list(part), tail)
            if damaged:
                portion.run.lost[0] = damaged
            for one in self._account(portion):
                self.tracker.count(one.gap, cursors[0].realtime_us)
            self._places[seqnum_id] = portion.place(portion.count, portion.at_end)
        return self.settle(unread)

    def read_copies(self, *cursors: Cursor) -> None:
        """Read entries of a persistent file that were read from a runtime file already."""
        portion = self._portion(cursors[0].seqnum_id, cursors, 0)
        portion.are_copies = True
        self._account(portion)
        self._places[cursors[0].seqnum_id] = portion.place(portion.count, portion.at_end)

    def _account(self, portion: Portion) -> list[Damage]:
        passed = [portion.at_end]
        return account(Taken([portion]), portion.count, self.tracker, Copies(), passed)

    def settle(self, unread: Sequence[Cursor] = ()) -> list[Gap]:
        """Return the holes below everything that is unread."""
        below = min((one.seqnum for one in unread), default=_ENDLESS)
        found = self.tracker.settle(dict.fromkeys(self.tracker.machines, below))
        for gap in found:
            self.tracker.count(gap, 0)
        return [gap._replace(epoch=0) for gap in found]

    def read_all(self, *cursors: Cursor) -> list[Gap]:
        """Read entries one by one while those that follow lie in files already."""
        found: list[Gap] = []
        for number, one in enumerate(cursors, 1):
            found += self.read(one, unread=cursors[number:])
        return found

    def _portion(self, seqnum_id: str, part: Sequence[Cursor], tail: int) -> Portion:
        heads = [one.head for one in part]
        before = self._places.get(seqnum_id, Place())
        tail = tail or max(one.seqnum for one in part)
        header = Header(
            0, ONLINE, seqnum_id, MACHINE, seqnum_id, 0, 0,
            before.entries + len(part), part[0].seqnum, tail, 0, part[0].realtime_us, 0,
        )  # fmt: skip
        offsets = [64 * one.seqnum for one in part]
        run = Run(heads, offsets, [()] * len(part), [b""] * len(part))
        return Portion(seqnum_id, header, run, 0, len(part), before.entries, before)
