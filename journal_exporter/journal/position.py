"""A place in the journal: one in each of its files, and what was lost before it. Pure."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from journal_exporter.journal.file_format import Header
from journal_exporter.journal.owed import Owed
from journal_exporter.journal.run import Place
from journal_exporter.journal.sequence import SequenceTracker
from journal_exporter.journal.sequence import Snapshot as Sequences

Json = Mapping[str, Any]


class FilePosition(NamedTuple):
    """A place in one file, and what must be known should the file go: what its header said last."""

    place: Place
    entries: int
    tail_seqnum: int
    seqnum_id: str
    machine_id: str
    is_runtime: bool
    boot_id: str = ""
    """Only of a runtime file."""
    tail_monotonic_us: int = 0
    head_seqnum: int = 0


def position_in(header: Header, place: Place, *, is_runtime: bool) -> FilePosition:
    """Return a place in the file that has this header."""
    return FilePosition(
        place, header.entries, header.tail_seqnum, header.seqnum_id, header.machine_id, is_runtime,
        header.boot_id if is_runtime else "", header.tail_monotonic_us, header.head_seqnum,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal; without a cursor and files it is before the first entry.

    ``cursor``: the entry that was read last, for people. ``files``: by file id, every file that exists and
    has been read in part or whole. ``sequences`` and ``copies``: snapshots of ``SequenceTracker`` and
    ``Copies``. ``files`` is None in a checkpoint of an earlier version, which names its place by ``cursor``
    and ``sequences``.
    """

    cursor: str | None
    files: Mapping[str, FilePosition] | None = dataclasses.field(default_factory=dict)
    sequences: Sequences = dataclasses.field(default_factory=SequenceTracker().snapshot)
    copies: tuple[Any, ...] = ()
    owed: tuple[Owed, ...] = ()

    def to_json(self, base: "Position | None" = None) -> Json:
        """Return it as JSON holds it; with a base, only the files that differ from it."""
        if self.files is None:
            return {"cursor": self.cursor, "numbering": self.sequences}
        files = self.files
        known = (base.files if base else None) or {}
        return {
            "cursor": self.cursor,
            "sequences": self.sequences,
            "copies": self.copies,
            **({"owed": self.owed} if self.owed else {}),
            "files": {
                key: [*one.place, *one[1:]] for key, one in files.items() if known.get(key) != one
            },
            **(
                {"gone": [key for key in known if key not in files]} if known.keys() - files else {}
            ),
        }

    @classmethod
    def from_json(cls, data: Json, base: "Position | None" = None) -> "Position":
        """Return a position from JSON; ``base`` is the one that it was written against.

        Raises:
            KeyError, TypeError, ValueError: it is not one of ``to_json`` or of an earlier version.
        """
        cursor = None if data["cursor"] is None else str(data["cursor"])
        if "numbering" in data:
            return cls(cursor, None, data["numbering"])
        files = dict((base.files if base else None) or {})
        for key in data.get("gone", ()):
            files.pop(key, None)
        for key, (
            *numbers,
            boot_id,
            held,
            tail,
            seqnum_id,
            machine_id,
            is_runtime,
            boot,
            tail_us,
            head,
        ) in data["files"].items():
            offset, read, seqnum, realtime_us = map(int, numbers)
            place = Place(offset, read, seqnum, realtime_us, str(boot_id))
            files[str(key)] = FilePosition(
                place, int(held), int(tail), str(seqnum_id), str(machine_id), bool(is_runtime),
                str(boot), int(tail_us), int(head),
            )  # fmt: skip
        owed = tuple(Owed(str(boot), *map(int, numbers)) for boot, *numbers in data.get("owed", ()))
        return cls(cursor, files, data["sequences"], tuple(data["copies"]), owed)
