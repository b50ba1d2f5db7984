"""Finds the entries of one journal file in the order of writing, whatever is damaged.

As long as the file's own chain of entry arrays is sound, it is followed. At the first slot or array that
can't be right, the objects of the file are looked at one by one instead, and every entry that any array
still reaches (the file's own or that of a field) is found again. Within a file later entries lie at higher
offsets, so the order of writing is the order of offsets.

Guarantees: offsets are aligned, within the file and strictly increasing; a cycle or a wrong size ends
nothing.
"""

import bisect
import contextlib
import itertools
import operator
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from journal_exporter.journal.file_format import (
    ARRAY_HEAD,
    DATA,
    DATA_HEAD,
    ENTRY,
    ENTRY_ARRAY,
    ENTRY_HEAD,
    LAST_TYPE,
    Header,
    Layout,
)

_WINDOW_BYTES = 1 << 20
_PAGE_BYTES = 4096
_ALIGNMENT = 8
_OBJECT = struct.Struct("<BB6sQ")
"""Type, flags, six bytes that are zero, size."""
_RESERVED = bytes(6)

Read = Callable[[int, int], bytes]
"""Reads up to so many bytes at an offset, as many as the file has; raises ``ValueError`` outside of it."""


class Reachable(NamedTuple):
    """Entries that any array or field of a file names, and where the next one is named.

    ``slot`` is the offset behind the last one's in an array that has room for ``room`` more.
    """

    offsets: list[int]
    slot: int
    room: int


class EntryArrays:
    """A place in the entries of one file. ``slots`` is how many entries of the file lie before it."""

    def __init__(self, read: Read, header: Header) -> None:
        self._read = read
        self._layout: Layout = header.layout
        self.header = header
        self._array, self._index = header.first_array, 0
        self._last = 0
        self.slots = 0
        self._found: list[int] | None = None
        """The entries after the place where the chain is damaged; the objects are looked at for them."""
        self._found_of = 0
        self._open = Reachable([], 0, 0)
        self.missing = 0
        """How many entries after the place nothing reaches, until they are passed over."""

    def seek(self, offset: int, slots: int) -> None:
        """Go to just after the entry at ``offset``, the one number ``slots`` from the file's start."""
        self._array, self._index = self.header.first_array, max(slots - 1, 0)
        self._last, self.slots = 0, max(slots - 1, 0)
        self._found, self.missing = None, 0
        if not offset:
            self._index, self.slots = slots, slots
        elif self.peek(1) == [offset]:
            self.step([offset])
        else:
            self._last, self.slots = offset, slots
            self._scan()

    def offset_of(self, slot: int) -> int:
        """Return where an entry is, counted from 0; the place stays.

        Raises:
            ValueError: its slot is damaged, or the chain before it.
        """
        saved = self._array, self._index
        self._array, self._index = self.header.first_array, slot
        try:
            (offset,) = self._chained(1)
        except struct.error as error:
            raise ValueError("not an entry array") from error
        finally:
            self._array, self._index = saved
        return offset

    def peek(self, wanted: int) -> list[int]:
        """Return the offsets of up to ``wanted`` next entries; stay here."""
        if self._found is None:
            try:
                offsets = self._chained(min(wanted, self.header.entries - self.slots))
            except (ValueError, struct.error):
                offsets = []
            else:
                if self._is_sound(offsets):
                    return offsets
            self._scan()
        elif self._found_of != self.header.entries and not self._grow():
            self._scan()
        return (self._found or [])[:wanted]

    def step(self, offsets: list[int]) -> None:
        """Go past these, the first that ``peek`` returned."""
        if not offsets:
            return
        self.slots += len(offsets)
        self._index += len(offsets)
        self._last = offsets[-1]
        if self._found is not None:
            del self._found[: len(offsets)]

    def _chained(self, wanted: int) -> list[int]:
        item, item_bytes = self._layout.array_item, self._layout.array_item_bytes
        # A file that had no entry when it was opened had no array either.
        array, index = self._array or self.header.first_array, self._index
        offsets: list[int] = []
        while len(offsets) < wanted:
            kind, _flags, size, following = ARRAY_HEAD.unpack(self._read(array, ARRAY_HEAD.size))
            items = (size - ARRAY_HEAD.size) // item_bytes
            if kind != ENTRY_ARRAY or items < 1:
                raise ValueError("not an entry array")
            if index < items:
                count = min(wanted - len(offsets), items - index)
                data = self._read(array + ARRAY_HEAD.size + index * item_bytes, count * item_bytes)
                offsets += struct.unpack(f"<{count}{item}", data)
                index += count
                continue
            if following <= array:
                if offsets:
                    break
                raise ValueError("the entry arrays end early")
            array, index = following, index - items
            if not offsets:
                self._array, self._index = array, index
        return offsets

    def _is_sound(self, offsets: list[int]) -> bool:
        if not offsets:
            return True
        # In C for all, since this is done for every entry; the sum of aligned offsets is aligned.
        return (
            self._last < offsets[0]
            and offsets[-1] < self.header.end
            and all(map(operator.lt, offsets, offsets[1:]))
            and not sum(offsets) & (_ALIGNMENT - 1)
        )

    def _grow(self) -> bool:
        """Take up entries that were linked behind the damage since; return whether it is plain which.

        A search of the whole file for each new entry would take seconds of 128 MiB.
        """
        last, slot, room = self._open
        wanted = self.header.entries - self._found_of
        if self._found is None or not last or not 0 < wanted <= room:
            return False
        item, item_bytes = self._layout.array_item, self._layout.array_item_bytes
        try:
            data = self._read(slot, wanted * item_bytes)
            offsets = list(struct.unpack(f"<{wanted}{item}", data))
            # The array may be that of a field, which other entries between do not have.
            objects = _objects(self._read, last[0], self.header.end)
            behind = itertools.takewhile(lambda one: one[1] <= max(offsets), objects)
            written = [at for kind, at, _size, _window, _base in behind if kind == ENTRY]
        except (ValueError, struct.error):
            return False
        if written != [*last, *offsets]:
            return False
        self._found += offsets
        self._found_of = self.header.entries
        self._open = Reachable(offsets[-1:], slot + wanted * item_bytes, room - wanted)
        return True

    def _scan(self) -> None:
        found, slot, room = reachable_entries(self._read, self.header)
        self._open = Reachable(found[-1:], slot, room)
        self._found = found[bisect.bisect_right(found, self._last) :]
        self._found_of = self.header.entries
        self.missing = max(0, self.header.entries - self.slots - len(self._found))


def reachable_entries(read: Read, header: Header) -> Reachable:
    """Return the offsets of all entries that any entry array or field of the file names, sorted."""
    item, item_bytes = header.layout.array_item, header.layout.array_item_bytes
    named = set(_named_by_chain(read, header))
    entries: set[int] = set()
    slots: dict[int, tuple[int, int]] = {}
    for kind, at, size, window, base in _objects(read, header.begin, header.end):
        if kind == ENTRY:
            entries.add(at)
        elif kind == DATA:
            named.add(DATA_HEAD.unpack_from(window, at - base)[-1])
        elif kind == ENTRY_ARRAY and size > ARRAY_HEAD.size:
            begin = at + ARRAY_HEAD.size
            try:
                data = read(begin, size - ARRAY_HEAD.size)
            except ValueError:
                continue
            count = len(data) // item_bytes
            values = struct.unpack_from(f"<{count}{item}", data)
            named.update(values)
            used = min(count, -(-len(data.rstrip(b"\0")) // item_bytes))
            if used:
                last = values[used - 1]
                one = count - used, begin + used * item_bytes
                slots[last] = max(one, slots.get(last, one))
    # Where a size was damaged, a search that believes it passes over entries.
    entries.update(offset for offset in named - entries if _is_entry(read, offset))
    offsets = sorted(named & entries)
    room, slot = slots.get(offsets[-1], (0, 0)) if offsets else (0, 0)
    return Reachable(offsets, slot, room)


def _objects(read: Read, begin: int, end: int) -> Iterator[tuple[int, int, int, bytes, int]]:
    """Yield type, offset and size of each object, the bytes that its head is in, and where these begin."""
    window, base = b"", begin
    at = begin + -begin % _ALIGNMENT
    while at + ENTRY_HEAD.size <= end:
        if at + ENTRY_HEAD.size > base + len(window):
            window, base = _window(read, at), at
            if len(window) < ENTRY_HEAD.size:
                # The disk can't be read there, or the file is shorter than its header said: journald cuts
                # it when it archives it. What is behind may be readable.
                at += _PAGE_BYTES - at % _PAGE_BYTES
                continue
        kind, size = _object(window, at - base)
        if not kind or size > end - at:
            at += _ALIGNMENT
            continue
        yield kind, at, size, window, base
        at += size + -size % _ALIGNMENT


def _window(read: Read, at: int) -> bytes:
    """Return bytes from an offset on; none where not even those of its page can be read."""
    with contextlib.suppress(ValueError):
        return read(at, _WINDOW_BYTES)
    with contextlib.suppress(ValueError):
        return read(at, _PAGE_BYTES - at % _PAGE_BYTES)
    return b""


def _named_by_chain(read: Read, header: Header) -> list[int]:
    """Return what the file's own arrays name, as far as these lead to each other."""
    item, item_bytes = header.layout.array_item, header.layout.array_item_bytes
    named: list[int] = []
    array = header.first_array
    while array:
        try:
            kind, _flags, size, following = ARRAY_HEAD.unpack(read(array, ARRAY_HEAD.size))
            data = read(array + ARRAY_HEAD.size, max(0, size - ARRAY_HEAD.size))
        except (ValueError, struct.error):
            break
        if kind != ENTRY_ARRAY:
            break
        named += struct.unpack_from(f"<{len(data) // item_bytes}{item}", data)
        array = following if following > array else 0
    return named


def _object(data: bytes, at: int) -> tuple[int, int]:
    """Return type and size of the object there; type 0 where there can't be one."""
    kind, flags, reserved, size = _OBJECT.unpack_from(data, at)
    is_plain = reserved == _RESERVED and (not flags or kind == DATA)
    return (kind, size) if is_plain and kind <= LAST_TYPE and size >= _OBJECT.size else (0, 0)


def _is_entry(read: Read, offset: int) -> bool:
    if offset % _ALIGNMENT:
        return False
    try:
        kind, size = _object(read(offset, ENTRY_HEAD.size), 0)
    except (ValueError, struct.error):
        return False
    return kind == ENTRY and size > ENTRY_HEAD.size
