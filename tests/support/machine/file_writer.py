"""Writes journal files without journald: regular and compact, with and without keyed hashes.

The layout is systemd's JOURNAL_FILE_FORMAT, so ``journalctl --verify`` accepts the files. The
caller chooses numbers, times and ids: a file can hold what journald writes after a reboot, a crash or with
a wrong clock. Like journald, the writer uses a mapping, appends objects first and links them last.
"""

import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine.journal_hashes import jenkins_hash64, siphash24

__all__ = ["ARCHIVED", "OFFLINE", "ONLINE", "JournalFile", "Stamp"]

OFFLINE, ONLINE, ARCHIVED = 0, 1, 2
_HEADER_BYTES = 264
_KEYED, _COMPACT = 4, 16
_DATA, _FIELD, _ENTRY, _DATA_TABLE, _FIELD_TABLE, _ENTRY_ARRAY = range(1, 7)
_DATA_BUCKETS, _FIELD_BUCKETS = 64, 16
_FIRST_ARRAY_ITEMS = 4
_GROWTH_BYTES = 16 << 10

# Offsets in the header of numbers that change.
_STATE, _ARENA, _TAIL_OBJECT, _OBJECTS, _ENTRIES = 16, 96, 136, 144, 152
_TAIL_SEQNUM, _HEAD_SEQNUM, _FIRST_ARRAY = 160, 168, 176
_HEAD_REALTIME, _TAIL_REALTIME, _TAIL_MONOTONIC = 184, 192, 200
_DATAS, _FIELDS, _ARRAYS, _DATA_DEPTH, _FIELD_DEPTH = 208, 216, 232, 240, 248
_BOOT, _LAST_ARRAY, _LAST_ARRAY_USED = 56, 256, 260


@dataclass(frozen=True, slots=True)
class Stamp:
    """Number, times (in microseconds) and boot of an entry."""

    seqnum: int
    realtime_us: int
    monotonic_us: int
    boot_id: bytes


@dataclass(slots=True)
class _Array:
    """The last entry array of a chain; ``used`` of its ``items`` are linked."""

    offset: int = 0
    items: int = 0
    used: int = 0


@dataclass(slots=True)
class _Data:
    offset: int
    hash: int
    xor: int
    entries: int
    array: _Array


class JournalFile:
    """One new file, open for appending; ``close`` it. Its ``seqnum_id`` is its own id by default.

    ``tail_seqnum`` is that of the file that it continues, which journald notes before the first entry.
    """

    def __init__(
        self,
        path: Path,
        *,
        file_id: bytes,
        machine_id: bytes,
        seqnum_id: bytes = b"",
        tail_seqnum: int = 0,
        compact: bool = False,
        keyed: bool = False,
    ) -> None:
        self.path = path
        self.file_id = file_id
        self.seqnum_id = seqnum_id or file_id
        self.head_seqnum = self.head_realtime_us = self.entries = 0
        self.tail_seqnum = tail_seqnum
        self._key = file_id if keyed else b""
        self._payload = 72 if compact else 64
        self._item, self._array_item = ("I", "I") if compact else ("QQ", "Q")
        self._compact = compact
        self._datas: dict[bytes, _Data] = {}
        self._fields: dict[bytes, int] = {}
        self._chains: dict[tuple[int, int], list[int]] = {}
        self._array = _Array()
        self._end = _HEADER_BYTES
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w+b")
        self._file.truncate(_GROWTH_BYTES)
        self._map = mmap.mmap(self._file.fileno(), _GROWTH_BYTES)
        flags = _KEYED * keyed | _COMPACT * compact
        self._map[:88] = struct.pack(
            "<8sIIB7x16s16s16s16s",
            b"LPKSHHRH", 0, flags, ONLINE, file_id, machine_id, bytes(16), self.seqnum_id,
        )  # fmt: skip
        self._set(88, _HEADER_BYTES)
        self._set(_TAIL_SEQNUM, tail_seqnum)
        self._set(_ARENA, _GROWTH_BYTES - _HEADER_BYTES)
        self._tables = {
            _DATA: self._table(_DATA_TABLE, _DATA_BUCKETS, 104),
            _FIELD: self._table(_FIELD_TABLE, _FIELD_BUCKETS, 120),
        }

    def append(self, fields: Sequence[bytes], stamp: Stamp) -> None:
        """Write one entry of ``NAME=value`` fields."""
        datas = sorted({self._data(field) for field in fields}, key=lambda offset: offset[0])
        known = [self._datas[field] for _offset, field in datas]
        xor_hash = 0
        for data in known:
            xor_hash ^= data.xor
        items = b"".join(
            struct.pack("<" + self._item, *((d.offset,) if self._compact else (d.offset, d.hash)))
            for d in known
        )
        body = struct.pack(
            "<QQQ16sQ",
            stamp.seqnum, stamp.realtime_us, stamp.monotonic_us, stamp.boot_id, xor_hash,
        )  # fmt: skip
        offset = self._object(_ENTRY, body + items)
        self._link(offset)
        for data in known:
            self._link_data(data, offset)
        self._note(stamp)

    def set_state(self, state: int) -> None:
        """Mark the file as offline, online or archived."""
        self._map[_STATE] = state

    def rename(self, path: Path) -> None:
        """Rename the file."""
        self.path = self.path.rename(path)

    def close(self, *, truncated: bool = False) -> None:
        """Close the file; with ``truncated`` cut it after its last object, as journald 250 to 254 does."""
        if truncated:
            self._set(_ARENA, self._end - _HEADER_BYTES)
        self._map.close()
        if truncated:
            self._file.truncate(self._end)
        self._file.close()

    def _set(self, offset: int, value: int) -> None:
        struct.pack_into("<Q", self._map, offset, value)

    def _add(self, offset: int) -> None:
        self._set(offset, 1 + struct.unpack_from("<Q", self._map, offset)[0])

    def _object(self, kind: int, body: bytes) -> int:
        offset, size = self._end, 16 + len(body)
        end = offset + size + 7 & ~7
        if end > len(self._map):
            total = end + _GROWTH_BYTES & ~4095
            self._map.resize(total)
            self._set(_ARENA, total - _HEADER_BYTES)
        self._map[offset : offset + size] = struct.pack("<BB6xQ", kind, 0, size) + body
        self._end = end
        self._set(_TAIL_OBJECT, offset)
        self._add(_OBJECTS)
        return offset

    def _table(self, kind: int, buckets: int, place: int) -> int:
        offset = self._object(kind, bytes(16 * buckets)) + 16
        self._set(place, offset)
        self._set(place + 8, 16 * buckets)
        return offset

    def _hash(self, data: bytes) -> int:
        return siphash24(data, self._key) if self._key else jenkins_hash64(data)

    def _chain(self, kind: int, hashed: int, offset: int) -> None:
        """Put a DATA or FIELD object at the end of its bucket."""
        buckets, depth = (
            (_DATA_BUCKETS, _DATA_DEPTH) if kind == _DATA else (_FIELD_BUCKETS, _FIELD_DEPTH)
        )
        chain = self._chains.setdefault((kind, hashed % buckets), [])
        bucket = self._tables[kind] + 16 * (hashed % buckets)
        self._set(chain[-1] + 24 if chain else bucket, offset)
        self._set(bucket + 8, offset)
        chain.append(offset)
        deepest = struct.unpack_from("<Q", self._map, depth)[0]
        self._set(depth, max(deepest, len(chain) - 1))

    def _data(self, field: bytes) -> tuple[int, bytes]:
        found = self._datas.get(field)
        if found is not None:
            return found.offset, field
        hashed = self._hash(field)
        body = struct.pack("<6Q", hashed, 0, 0, 0, 0, 0) + bytes(self._payload - 64) + field
        offset = self._object(_DATA, body)
        self._chain(_DATA, hashed, offset)
        self._add(_DATAS)
        name = self._field(field.partition(b"=")[0])
        head = struct.unpack_from("<Q", self._map, name + 32)[0]
        self._set(offset + 32, head)
        self._set(name + 32, offset)
        xor = jenkins_hash64(field) if self._key else hashed
        self._datas[field] = _Data(offset, hashed, xor, 0, _Array())
        return offset, field

    def _field(self, name: bytes) -> int:
        if name not in self._fields:
            hashed = self._hash(name)
            offset = self._object(_FIELD, struct.pack("<3Q", hashed, 0, 0) + name)
            self._chain(_FIELD, hashed, offset)
            self._add(_FIELDS)
            self._fields[name] = offset
        return self._fields[name]

    def _link(self, offset: int) -> None:
        self._put(self._array, _FIRST_ARRAY, offset)
        struct.pack_into("<II", self._map, _LAST_ARRAY, self._array.offset, self._array.used)
        self._add(_ENTRIES)

    def _link_data(self, data: _Data, offset: int) -> None:
        if data.entries == 0:
            self._set(data.offset + 40, offset)
        else:
            self._put(data.array, data.offset + 48, offset)
            if self._compact:
                place = data.offset + 64
                struct.pack_into("<II", self._map, place, data.array.offset, data.array.used)
        data.entries += 1
        self._set(data.offset + 56, data.entries)

    def _put(self, array: _Array, place: int, offset: int) -> None:
        """Link an entry into a chain of arrays; ``place`` is where the first one's offset belongs."""
        item = struct.Struct("<" + self._array_item)
        if array.used == array.items:
            items = 2 * array.items or _FIRST_ARRAY_ITEMS
            fresh = self._object(_ENTRY_ARRAY, bytes(8 + item.size * items))
            self._add(_ARRAYS)
            self._set(array.offset + 16 if array.offset else place, fresh)
            array.offset, array.items, array.used = fresh, items, 0
        item.pack_into(self._map, array.offset + 24 + item.size * array.used, offset)
        array.used += 1

    def _note(self, stamp: Stamp) -> None:
        if not self.entries:
            self.head_seqnum, self.head_realtime_us = stamp.seqnum, stamp.realtime_us
            self._set(_HEAD_SEQNUM, stamp.seqnum)
            self._set(_HEAD_REALTIME, stamp.realtime_us)
        self.entries += 1
        self.tail_seqnum = stamp.seqnum
        self._map[_BOOT : _BOOT + 16] = stamp.boot_id
        for place, value in (
            (_TAIL_SEQNUM, stamp.seqnum),
            (_TAIL_REALTIME, stamp.realtime_us),
            (_TAIL_MONOTONIC, stamp.monotonic_us),
        ):
            self._set(place, value)
