"""Pure: the objects of a journal file that hold entries, as systemd's JOURNAL_FILE_FORMAT lays them out.

Only what a stretch of entries needs: the header, ENTRY_ARRAY, ENTRY and DATA. Hash tables, FIELD and TAG
objects, and xz and lz4, are left to libsystemd.
"""

import struct
from typing import NamedTuple

HEADER = struct.Struct("<8sIIB7x16s16s16s16s14Q")
"""Signature, compatible and incompatible flags, state, four ids, and numbers up to ``tail_entry_realtime``,
which every version has."""
SIGNATURE = b"LPKSHHRH"
KEYED_HASH, ZSTD, COMPACT = 4, 8, 16
"""Incompatible flags of a file."""
ARCHIVED = 2
"""The last state of a file; the others are offline and online."""
DATA, ENTRY, ENTRY_ARRAY = 1, 3, 6
"""Types of objects."""
OBJECT_ZSTD = 4
"""The flag of a compressed object."""
OBJECT_HEAD = struct.Struct("<BB6xQ")
"""Type, flags, size in bytes with this head."""
ARRAY_HEAD = struct.Struct("<BB6xQQ")
"""The head, and the offset of the next array."""
ENTRY_HEAD = struct.Struct("<BB6xQQQQ16sQ")
"""The head, sequence number, realtime and monotonic time in microseconds, boot id, xor hash."""


class Layout(NamedTuple):
    """What differs between a compact file and a regular one."""

    item: str
    """An entry's item: the offset of its DATA, and in a regular file its hash."""
    item_bytes: int
    array_item: str
    array_item_bytes: int
    payload: int
    """Where a DATA object's payload begins, in bytes from the object."""


REGULAR = Layout("Q8x", 16, "Q", 8, 64)
COMPACT_LAYOUT = Layout("I", 4, "I", 4, 72)


class Header(NamedTuple):
    """What of a file's header says where its entries are; offsets in bytes."""

    layout: Layout
    seqnum_id: bytes
    end: int
    entries: int
    head_seqnum: int
    tail_seqnum: int
    first_array: int


def parse_header(data: bytes) -> Header | None:
    """Return the header; None where something about the file asks for libsystemd."""
    if len(data) < HEADER.size:
        return None
    fields = HEADER.unpack(data)
    signature, _compatible, flags, state, *_ids, seqnum_id, size_bytes, arena_bytes = fields[:10]
    if signature != SIGNATURE or flags & ~(KEYED_HASH | ZSTD | COMPACT) or state > ARCHIVED:
        return None
    entries, tail_seqnum, head_seqnum, first_array = fields[16:20]
    return Header(
        COMPACT_LAYOUT if flags & COMPACT else REGULAR,
        seqnum_id, size_bytes + arena_bytes, entries, head_seqnum, tail_seqnum, first_array,
    )  # fmt: skip
