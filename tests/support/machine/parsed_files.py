"""Parses journal files for the oracle, independently of the exporter's readers.

It follows the chain of entry arrays up to ``n_entries`` and reads every object by its offset, as systemd's
JOURNAL_FILE_FORMAT describes. It is slow and simple, and reads whole files. It stops at the first damaged
entry array and leaves out damaged entries.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from journal_exporter.journal.compression import ZSTD, decompress

__all__ = ["Entry", "ParsedFile", "below", "objects", "parse"]

HEADER = struct.Struct("<8sIIB7x16s16s16s16s15Q")
_HEAD = struct.Struct("<BB6xQ")
_ENTRY = struct.Struct("<QQQ16sQ")
DATA, FIELD, ENTRY, ENTRY_ARRAY = 1, 2, 3, 6
_ZSTD, _COMPACT = 4, 16
_MESSAGE = b"MESSAGE="


class Entry(NamedTuple):
    """One entry. ``offset`` is its place in the file, ``message`` None where it can't be read."""

    offset: int
    seqnum: int
    realtime_us: int
    monotonic_us: int
    boot_id: bytes
    xor_hash: int
    message: bytes | None

    @property
    def identity(self) -> tuple[bytes, int, int, int]:
        """What stays the same when journald copies the entry into another file."""
        return self.boot_id, self.monotonic_us, self.realtime_us, self.xor_hash


class ParsedFile(NamedTuple):
    """One file; ``entries`` in the order of writing."""

    path: Path
    file_id: bytes
    machine_id: bytes
    seqnum_id: bytes
    state: int
    entries_in_header: int
    tail_seqnum: int
    entries: list[Entry]


class _Image:
    """A file's bytes, and the objects in them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        fields = HEADER.unpack_from(data)
        self.is_compact = bool(fields[2] & _COMPACT)
        self.state, self.file_id, self.machine_id, _boot, self.seqnum_id = fields[3:8]
        self.entries, self.tail_seqnum, _head_seqnum, self.first_array = fields[16:20]
        self.payload = 72 if self.is_compact else 64

    def object(self, offset: int, wanted: int) -> tuple[int, int] | None:
        """Return flags and size of an object; None where there can't be one of that type."""
        if offset % 8 or not HEADER.size <= offset <= len(self.data) - _HEAD.size:
            return None
        kind, flags, size = _HEAD.unpack_from(self.data, offset)
        if kind != wanted or size <= _HEAD.size or offset + size > len(self.data):
            return None
        return flags, size

    def array_items(self) -> Iterator[int]:
        """Yield the offsets of entries in the order of writing."""
        item, item_bytes = ("I", 4) if self.is_compact else ("Q", 8)
        left, array = self.entries, self.first_array
        while left > 0 and array:
            found = self.object(array, ENTRY_ARRAY)
            if found is None or found[1] < 24 + item_bytes:
                return
            following = int.from_bytes(self.data[array + 16 : array + 24], "little")
            count = min(left, (found[1] - 24) // item_bytes)
            yield from struct.unpack_from(f"<{count}{item}", self.data, array + 24)
            if following <= array:
                return
            left, array = left - count, following

    def entry(self, offset: int) -> Entry | None:
        found = self.object(offset, ENTRY)
        if found is None or found[1] < 64:
            return None
        seqnum, realtime_us, monotonic_us, boot_id, xor_hash = _ENTRY.unpack_from(
            self.data, offset + _HEAD.size
        )
        item = "<I" if self.is_compact else "<Q8x"
        size = (found[1] - 64) // struct.calcsize(item) * struct.calcsize(item)
        items = struct.iter_unpack(item, self.data[offset + 64 : offset + 64 + size])
        messages = (self._message(place) for (place,) in items)
        message = next((text for text in messages if text is not None), None)
        return Entry(offset, seqnum, realtime_us, monotonic_us, boot_id, xor_hash, message)

    def _message(self, offset: int) -> bytes | None:
        found = self.object(offset, DATA)
        if found is None:
            return None
        flags, size = found
        data = self.data[offset + self.payload : offset + size]
        if flags == ZSTD:
            data = decompress(ZSTD, data)
        return data[len(_MESSAGE) :] if data.startswith(_MESSAGE) else None


def parse(path: Path) -> ParsedFile | None:
    """Return what a file holds; None if it is gone or not a journal file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < HEADER.size or not data.startswith(b"LPKSHHRH"):
        return None
    image = _Image(data)
    read = [image.entry(offset) for offset in image.array_items()]
    return ParsedFile(
        path,
        image.file_id,
        image.machine_id,
        image.seqnum_id,
        image.state,
        image.entries,
        image.tail_seqnum,
        [entry for entry in read if entry is not None],
    )


def objects(path: Path) -> list[tuple[int, int, int]]:
    """Return type, offset and size of every object of a sound file, in the order of the file."""
    data = path.read_bytes()
    fields = HEADER.unpack_from(data)
    offset, last = fields[8], fields[14]
    found = []
    while 0 < offset <= last:
        kind, _flags, size = _HEAD.unpack_from(data, offset)
        if not size:
            break
        found.append((kind, offset, size))
        offset += (size + 7) & ~7
    return found


def below(root: Path) -> list[Path]:
    """Return the journal files of the host whose file system begins at ``root``."""
    tops = (root / "var/log/journal", root / "run/log/journal")
    names = ("*.journal", "*.journal~", "*/*.journal", "*/*.journal~")
    return sorted(path for top in tops for name in names for path in top.glob(name))
