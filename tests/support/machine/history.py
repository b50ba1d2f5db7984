"""The oracle: decides which entries must be in the output, and how many are lost.

It reads all files after each step, before the next step can delete them. An entry and the copies of it that
a flush makes count as one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from tests.support.machine.output_lines import (
    excerpt,
    is_marker,
    key_of_entry,
    key_of_line,
    marked_as_lost,
    shown_by_journalctl,
)
from tests.support.machine.parsed_files import ParsedFile, below, parse

__all__ = ["History", "Lost", "problems_of"]

Lines = Callable[[], Sequence[bytes]]
"""Reads the output; called only when needed."""


class Fate(Enum):
    """What the output must have of an entry."""

    PENDING = "not looked at yet"
    WANTED = "must be written once"
    DOUBTFUL = "damaged: may give one line of any content"
    LOST = "vanished before it could be read"


@dataclass(slots=True, eq=False)
class _Record:
    """One entry. ``key`` identifies its line; ``files`` is the number of files that hold it."""

    machine_id: bytes
    life: int
    seqnum: int
    key: bytes
    identity: tuple[bytes, int, int, int]
    fate: Fate = Fate.PENDING
    files: int = 1


@dataclass(slots=True)
class _File:
    is_runtime: bool
    records: dict[int, _Record] = field(default_factory=dict)
    """The entries by offset, in the order of writing."""
    copies: set[int] = field(default_factory=set)
    """The offsets of entries that are copies of another file's."""
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """Bounds of the number of lost entries: at least what the files prove, at most what really vanished."""

    least: int
    most: int


class History:
    """All entries that the files below ``root`` ever held."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._records: list[_Record] = []
        self._files: dict[bytes, _File] = {}
        self._gone: list[_File] = []
        self._held: set[bytes] = set()
        """The files that the running exporter had open after its last look."""
        self._flushed_lives: set[int] = set()
        self._open: list[_File] = []
        """Deleted files that the exporter still has open."""
        self._before_start = 0
        self._has_looked = False
        self._surplus = 0
        """How many lines may belong to no entry, because files are damaged."""

    def __len__(self) -> int:
        """Return the number of entries so far."""
        return len(self._records)

    @property
    def is_sound(self) -> bool:
        """Whether there are files, and none was ever damaged."""
        files = self._all_files()
        return bool(self._files) and not any(file.is_damaged for file in files)

    def is_damaged(self, path: Path) -> bool:
        """Whether a file was damaged or can't be identified."""
        file = self._known(path)
        return file is None or file.is_damaged

    def is_unread(self, path: Path) -> bool:
        """Whether a file has entries that the exporter has not read."""
        file = self._known(path)
        return file is not None and any(
            record.fate is Fate.PENDING for record in file.records.values()
        )

    def _known(self, path: Path) -> _File | None:
        file = parse(path)
        return None if file is None else self._files.get(file.file_id)

    def observe(
        self, life: int, lines: Lines, *, freed_on_disk: bool = False, freed_in_run: bool = False
    ) -> None:
        """Read all files. ``freed``: the blocks of files deleted there are freed even if a file is open."""
        parsed = {file.file_id: file for path in below(self._root) if (file := parse(path))}
        copied = self._copied()
        for file_id, file in parsed.items():
            known = self._files.setdefault(file_id, _File("/run/log/" in str(file.path)))
            self._add(known, file, life, copied)
        for file_id in self._files.keys() - parsed.keys():
            file_gone = self._files.pop(file_id)
            is_freed = freed_in_run if file_gone.is_runtime else freed_on_disk
            if file_id in self._held and not is_freed:
                self._open.append(file_gone)
            else:
                self._release([file_gone], lines)

    def looked(self, lines: Lines) -> None:
        """Note that the exporter has read everything."""
        self._has_looked = True
        for record in self._records:
            if record.fate is Fate.PENDING:
                record.fate = Fate.WANTED
        self._held = set(self._files)
        self._release(self._open, lines)

    def exporter_ended(self, lines: Lines) -> None:
        """Note that the exporter has ended: it has no file open."""
        self._held.clear()
        self._release(self._open, lines)

    def damaged(self, path: Path, lines: Lines) -> None:
        """Read a damaged file: whole entries must still be written, the others become doubtful."""
        file = parse(path)
        if file is None:
            return
        known = self._files.get(file.file_id)
        if known is None:
            return
        known.is_damaged = True
        entries = {entry.offset: entry for entry in file.entries}
        self._surplus += len(entries.keys() - known.records.keys())
        # A damaged copy can't be recognised as a copy.
        copies = [(known.records[offset], entries.get(offset)) for offset in known.copies]
        self._surplus += sum(
            copy is None or copy.identity != record.identity for record, copy in copies
        )
        shown = shown_by_journalctl(path)
        keys = {
            id(record): key_of_entry(entries[offset]) if offset in entries else None
            for offset, record in known.records.items()
        }
        shown.subtract(key for key in keys.values() if key is not None)
        pending = [r for r in known.records.values() if r.fate is Fate.PENDING]
        for record in self._unwritten(pending, lines):
            key = keys[id(record)]
            if key is None and shown[record.key] > 0:
                shown[record.key] -= 1
            elif key != record.key and record.files > 1:
                self._part(known, record)
            elif key is not None:
                record.key = key
            else:
                record.fate = Fate.DOUBTFUL

    def _part(self, file: _File, record: _Record) -> None:
        """Note that only another file still has an entry whole."""
        record.files -= 1
        offset = next(offset for offset, held in file.records.items() if held is record)
        file.records[offset] = replace(record, fate=Fate.DOUBTFUL, files=1)
        self._surplus += 1

    def lost(self, lines: Sequence[bytes]) -> Lost:
        """Return the bounds of the number of lost entries."""
        lost = [record for record in self._records if record.fate is Fate.LOST]
        doubtful = sum(record.fate is Fate.DOUBTFUL for record in self._records)
        wanted = sum(record.fate is Fate.WANTED for record in self._records)
        altered = max(0, sum(not is_marker(line) for line in lines) - wanted)
        most = len(lost) + max(0, doubtful - altered) + self._before_start
        return Lost(self._proven(lost), most)

    def problems(self, lines: Sequence[bytes]) -> list[str]:
        """Return what is wrong with the output."""
        keys = [key_of_line(line) for line in lines if not is_marker(line)]
        wanted = [record.key for record in self._records if record.fate is Fate.WANTED]
        doubtful = sum(record.fate is Fate.DOUBTFUL for record in self._records) + self._surplus
        missing = list((Counter(wanted) - Counter(keys)).elements())
        surplus = list((Counter(keys) - Counter(wanted)).elements())
        found = []
        if missing:
            found.append(f"{len(missing)} of {len(wanted)} entries are missing: {excerpt(missing)}")
        if len(surplus) > doubtful:
            found.append(f"{len(surplus)} lines too many, {doubtful} may be: {excerpt(surplus)}")
        if not missing:
            sound = (file for file in self._all_files() if not file.is_damaged)
            breaks = [at for file in sound if (at := _first_disorder(file, keys)) is not None]
            found += [f"the order of a file is not kept at {excerpt([at])}" for at in breaks]
        return found

    def _all_files(self) -> list[_File]:
        return [*self._files.values(), *self._open, *self._gone]

    def _copied(self) -> dict[tuple[bytes, int, int, int], list[_Record]]:
        """Return the records that only files in /run hold: a flush may copy these."""
        found: dict[tuple[bytes, int, int, int], list[_Record]] = {}
        persistent = {
            id(r) for f in self._files.values() if not f.is_runtime for r in f.records.values()
        }
        for file in self._files.values():
            if file.is_runtime:
                for record in file.records.values():
                    if id(record) not in persistent:
                        found.setdefault(record.identity, []).append(record)
        return found

    def _add(
        self,
        known: _File,
        file: ParsedFile,
        life: int,
        copied: dict[tuple[bytes, int, int, int], list[_Record]],
    ) -> None:
        end = max(known.records, default=0)
        for entry in file.entries:
            if entry.offset in known.records or (known.is_damaged and entry.offset < end):
                continue
            originals = [] if known.is_runtime else copied.get(entry.identity, [])
            if originals:
                record = originals.pop(0)
                record.files += 1
                self._flushed_lives.add(record.life)
                known.copies.add(entry.offset)
            else:
                key = key_of_entry(entry)
                assert key is not None, f"an entry that was not damaged can't be read: {entry}"
                record = _Record(file.machine_id, life, entry.seqnum, key, entry.identity)
                self._records.append(record)
            known.records[entry.offset] = record

    def _release(self, files: list[_File], lines: Lines) -> None:
        """Remove files, and decide the fate of entries that no other file holds."""
        gone: list[_Record] = []
        for file in files:
            for record in file.records.values():
                record.files -= 1
                if record.files == 0 and record.fate is Fate.PENDING:
                    gone.append(record)
        self._gone += files
        files.clear()
        for record in self._unwritten(gone, lines):
            if self._has_looked:
                record.fate = Fate.LOST
            else:
                self._before_start += 1
                self._records.remove(record)

    def _unwritten(self, pending: Sequence[_Record], lines: Lines) -> list[_Record]:
        """Return the entries that have no line; a killed exporter wrote the others."""
        if not pending:
            return []
        written = Counter(map(key_of_line, lines()))
        written.subtract(r.key for r in self._records if r.fate is Fate.WANTED)
        left = []
        for record in pending:
            if written[record.key] > 0:
                written[record.key] -= 1
                record.fate = Fate.WANTED
            else:
                left.append(record)
        return left

    def _proven(self, lost: Sequence[_Record]) -> int:
        """Return how many entries are provably missing, by the numbers of those that were read.

        The numbers of one life have no holes. A hole proves nothing if another entry of the machine has the
        number, as after a restart of journald, or across a flush, which gives entries other numbers.
        """
        read = [record for record in self._records if record.fate is Fate.WANTED]
        spans: dict[int, tuple[int, int]] = {}
        for record in read:
            first, last = spans.get(record.life, (record.seqnum, record.seqnum))
            spans[record.life] = min(first, record.seqnum), max(last, record.seqnum)
        missing = {
            (record.machine_id, record.seqnum)
            for record in lost
            if record.life in spans.keys() - self._flushed_lives
            and spans[record.life][0] < record.seqnum < spans[record.life][1]
        }
        return len(missing - {(record.machine_id, record.seqnum) for record in read})


def _first_disorder(file: _File, keys: Sequence[bytes]) -> bytes | None:
    """Return the first entry that is out of order in the output; None if the file's order is kept."""
    wanted = [
        record.key
        for offset, record in file.records.items()
        if record.fate is Fate.WANTED and offset not in file.copies
    ]
    position = 0
    for key in keys:
        if position < len(wanted) and key == wanted[position]:
            position += 1
    return wanted[position] if position < len(wanted) else None


def problems_of(history: History, lines: Sequence[bytes], lost: int | None) -> list[str]:
    """Return what is wrong with the output and the number of lost entries; None: don't compare it."""
    found = history.problems(lines)
    if lost is None:
        return found
    bounds = history.lost(lines)
    if not bounds.least <= lost <= bounds.most:
        found.append(f"{lost} reported as lost, not {bounds.least} to {bounds.most}")
    marked = sum(map(marked_as_lost, lines))
    if marked != lost:
        found.append(f"{lost} reported as lost, and lines in the output say {marked}")
    return found
