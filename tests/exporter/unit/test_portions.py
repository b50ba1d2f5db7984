"""What entries of several files stand for, when they are handed over."""

import pytest

from journal_exporter.journal.copies import Copies
from journal_exporter.journal.file_format import NO_HEADER, Head
from journal_exporter.journal.portions import Portion, Taken, account
from journal_exporter.journal.run import Place, Run
from journal_exporter.journal.sequence import SequenceTracker
from tests.support.fakes import cursor

MACHINE = "3a" * 16


def heads(*numbers: int) -> list[Head]:
    return [cursor(number, monotonic_us=10 * number).head for number in numbers]


@pytest.mark.parametrize(("damaged", "lost"), [(1, 0), (3, 2)])
def test_a_damaged_copy_of_an_entry_that_was_read_is_not_lost(damaged: int, lost: int) -> None:
    """Four entries of the runtime file were read, and three of their copies."""
    copies, tracker = Copies(), SequenceTracker()
    copies.note("runtime", MACHINE, heads(1, 2, 3, 4))
    found = heads(1, 2, 4)
    run = Run(found, [8, 16, 24], [()] * 3, [b""] * 3, {2: damaged})
    header = NO_HEADER._replace(
        file_id="var",
        machine_id=MACHINE,
        seqnum_id="9e" * 16,
        entries=6,
        head_seqnum=1,
        tail_seqnum=6,
    )
    portion = Portion("var", header, run, 0, 3, 0, Place(), are_copies=True)
    damage = account(Taken([portion]), 3, tracker, copies, [()])
    assert sum(one.gap.entries for one in damage) == lost
    assert len(damage) == (lost > 0)
