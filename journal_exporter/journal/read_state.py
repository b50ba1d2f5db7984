"""What was read of the journal so far, besides the place in each file."""

import dataclasses

from journal_exporter.journal.copies import Copies
from journal_exporter.journal.owed import Owed
from journal_exporter.journal.sequence import SequenceTracker


@dataclasses.dataclass(slots=True)
class ReadState:
    """Numbers that were read or lost, and entries that may come again as copies."""

    tracker: SequenceTracker = dataclasses.field(default_factory=SequenceTracker)
    copies: Copies = dataclasses.field(default_factory=Copies)
    owed: tuple[Owed, ...] = ()
