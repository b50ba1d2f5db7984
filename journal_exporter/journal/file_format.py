"""Pure: parses a journal file's header, and names the parts of the objects that hold entries.

The layout is systemd's JOURNAL_FILE_FORMAT. Covered are the header, ENTRY_ARRAY, ENTRY and DATA objects.
Hash tables, FIELD and TAG objects, and the codecs xz and lz4, are left to libsystemd.
"""

import struct
from typing import NamedTuple

HEADER = struct.Struct("<8sIIB7x16s16s16s16s14Q")
"""Signature, compatible and incompatible flags, state, four ids, and numbers up to ``tail_entry_realtime``,
which every version has."""
_SIGNATURE = b"LPKSHHRH"
XZ, LZ4, KEYED_HASH, ZSTD, COMPACT = 1, 2, 4, 8, 16
"""Incompatible flags of a file."""
KNOWN_FLAGS = XZ | LZ4 | KEYED_HASH | ZSTD | COMPACT
"""What libsystemd 252 reads when built with all three codecs."""
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


_REGULAR_LAYOUT = Layout("Q8x", 16, "Q", 8, 64)
_COMPACT_LAYOUT = Layout("I", 4, "I", 4, 72)


class Header(NamedTuple):
    """A file's header: ids in hexadecimal, times in microseconds since the epoch."""

    incompatible_flags: int
    state: int
    file_id: str
    seqnum_id: str
    size_bytes: int
    """Of header and objects; the file may be longer."""
    entries: int
    head_seqnum: int
    tail_seqnum: int
    first_array: int
    """Offset of the first ENTRY_ARRAY, in bytes."""
    head_realtime_us: int
    tail_realtime_us: int

    @property
    def layout(self) -> Layout:
        """How entries and DATA objects are laid out in this file."""
        return _COMPACT_LAYOUT if self.incompatible_flags & COMPACT else _REGULAR_LAYOUT


NO_HEADER = Header(0, 0, "", "", 0, 0, 0, 0, 0, 0, 0)


def parse_header(data: bytes) -> Header | None:
    """Return the header; None where ``data`` is not the start of a journal file."""
    if len(data) < HEADER.size:
        return None
    signature, _, flags, state, file_id, _, _, seqnum_id, *numbers = HEADER.unpack(data)
    if signature != _SIGNATURE:
        return None
    entries, tail_seqnum, head_seqnum, first_array, head_us, tail_us = numbers[8:]
    return Header(
        flags, state, file_id.hex(), seqnum_id.hex(), numbers[0] + numbers[1], entries,
        head_seqnum, tail_seqnum, first_array, head_us, tail_us,
    )  # fmt: skip
