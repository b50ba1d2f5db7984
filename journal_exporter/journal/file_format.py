"""Pure: the objects of a journal file, as systemd's JOURNAL_FILE_FORMAT lays them out.

Only what entries need: the header, ENTRY_ARRAY, ENTRY and DATA. Nothing that a file says is believed here:
the readers check offsets, sizes and types.
"""

import struct
from typing import NamedTuple

HEADER = struct.Struct("<8sIIB7x16s16s16s16s15Q")
"""Signature, compatible and incompatible flags, state, four ids, and numbers up to ``tail_entry_monotonic``,
which every version has."""
SIGNATURE = b"LPKSHHRH"
XZ, LZ4, KEYED_HASH, ZSTD, COMPACT = 1, 2, 4, 8, 16
"""Incompatible flags of a file: what libsystemd 252 reads when built with all three codecs."""
KNOWN_FLAGS = XZ | LZ4 | KEYED_HASH | ZSTD | COMPACT
OFFLINE, ONLINE, ARCHIVED = 0, 1, 2
"""States of a file."""
DATA, ENTRY, ENTRY_ARRAY = 1, 3, 6
"""Types of objects."""
LAST_TYPE = 8
OBJECT_HEAD = struct.Struct("<BB6xQ")
"""Type, flags, size in bytes with this head."""
ARRAY_HEAD = struct.Struct("<BB6xQQ")
"""The head, and the offset of the next array."""
DATA_HEAD = struct.Struct("<BB6xQQQQQ")
"""The head, hash, next in the hash table, next in the field, and the offset of the first entry."""
ENTRY_HEAD = struct.Struct("<BB6xQQQQ16sQ")
"""The head, sequence number, realtime and monotonic time in microseconds, boot id, xor hash."""
MAX_REALTIME_US = 1 << 55
"""No later time is valid to libsystemd (VALID_REALTIME)."""
Head = tuple[int, int, int, int, int, int, bytes, int]
"""What ``ENTRY_HEAD`` unpacks: type, flags, size, sequence number, realtime and monotonic time in
microseconds, boot id, xor hash."""


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
    """What a file's header says; offsets in bytes, times in microseconds since the epoch."""

    incompatible_flags: int
    state: int
    file_id: str
    machine_id: str
    seqnum_id: str
    begin: int
    """Where the first object is."""
    end: int
    """Where the last object ends."""
    entries: int
    head_seqnum: int
    tail_seqnum: int
    first_array: int
    head_realtime_us: int
    tail_realtime_us: int
    boot_id: str = ""
    """Of who opened the file last to write."""
    tail_monotonic_us: int = 0

    @property
    def layout(self) -> Layout:
        """How entries and arrays lie in this file."""
        return COMPACT_LAYOUT if self.incompatible_flags & COMPACT else REGULAR


NO_HEADER = Header(0, 0, "", "", "", 0, 0, 0, 0, 0, 0, 0, 0)


def parse_header(data: bytes) -> Header | None:
    """Return the header; None where the bytes are not the header of a journal file."""
    if len(data) < HEADER.size:
        return None
    signature, _compatible, flags, state, file_id, machine_id, boot_id, seqnum_id, *numbers = (
        HEADER.unpack(data[: HEADER.size])
    )
    if signature != SIGNATURE:
        return None
    header_bytes, arena_bytes, *_tables, entries, tail_seqnum, head_seqnum, first_array = numbers[
        :12
    ]
    return Header(
        flags, state, file_id.hex(), machine_id.hex(), seqnum_id.hex(), header_bytes,
        header_bytes + arena_bytes, entries, head_seqnum, tail_seqnum, first_array, numbers[12],
        numbers[13], boot_id.hex(), numbers[14],
    )  # fmt: skip
