"""Reads a stretch: entries of one journal file whose sequence numbers leave no hole, by ``pread``.

Guarantees: of a sound file the batches that libsystemd would give, or none (``UnfitError``): every number,
boot, offset, type and size that leads to an entry is checked, and whatever is out of the ordinary is left
to libsystemd. Of a damaged file an entry may be read here that libsystemd refuses. No page is mapped: a file
that is truncated meanwhile can't kill us, and nothing has to be given back. There is no following here, and
no order between files: the caller sees to it that no other file has entries of the same numbers.

Why it is faster: an entry lists its fields by offset, as a rule in the order of the file, and all but the
message are older than the entry before. What a list of old offsets comes to is looked up, not read.
Where the order is another one, or a field is not where it should be, the entry's fields are read one by one.
"""

import contextlib
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from journal_exporter.journal import zstd
from journal_exporter.journal.batch import CONTEXT_FIELDS, Batch, Field
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.file_format import (
    ARRAY_HEAD,
    DATA,
    ENTRY,
    ENTRY_ARRAY,
    ENTRY_HEAD,
    HEADER,
    OBJECT_HEAD,
    OBJECT_ZSTD,
    Header,
    Layout,
    parse_header,
)

_WINDOW_BYTES = 256 << 10
_ENTRY_BYTES = 4 << 10
"""More than an entry takes, as a rule."""
_MAX_NEW_BYTES = 8 << 20
"""Between two entries; where there is more, libsystemd reads."""
_MAX_KNOWN = 2560
"""Lists of old fields kept: a node with a hundred pods makes 2,200 in a file of 128 MiB."""
_MAX_FIELDS = 4096
"""Fields and names kept, each."""
_MAX_KNOWN_BYTES = 256
"""Of a message or a field that is kept."""
_MAX_CONTEXT_BYTES = 1024
_SUFFIX = 4
"""New fields of an entry that are looked for first."""
_MESSAGE = "MESSAGE"
_UNKNOWN = ""
"""Stands for a name that was not met yet."""
_UNWANTED: tuple[str | None, bytes] = None, b""
_Head = tuple[int, int, int, int, int, int, bytes, int]
"""What ``ENTRY_HEAD`` unpacks."""


def _size_of(value: Field) -> int:
    return sum(map(len, value)) if isinstance(value, list) else len(value or b"")


class UnfitError(Exception):
    """The next entries are for libsystemd to read."""


ContextOf = Callable[[dict[str, Field]], tuple[Field, ...]]
"""Makes a context of the wanted fields; raises ``KeyError`` where it wants the others."""


class _Known(NamedTuple):
    """What a list of old fields comes to. ``message`` is None when it is not among them."""

    context: tuple[Field, ...]
    message: Field


class DirectFile:
    """An open file and a place in it; ``close`` it. ``after`` is the entry before the next one."""

    def __init__(
        self,
        descriptor: int,
        header: Header,
        after: Cursor,
        context_of: ContextOf,
    ) -> None:
        self._descriptor = descriptor
        self._layout: Layout = header.layout
        self._tail_seqnum = header.tail_seqnum
        self._end = header.end
        self._context_of = context_of
        self._known: dict[bytes, _Known] = {}
        self._fields: dict[int, tuple[str | None, bytes]] = {}
        self._names: dict[bytes, str | None] = {
            name.encode(): name for name in (*CONTEXT_FIELDS, _MESSAGE)
        }
        item, item_bytes = self._layout.item, self._layout.item_bytes
        self._suffix = struct.Struct("<" + item * _SUFFIX)
        self._suffix_bytes = item_bytes * _SUFFIX
        self.last = after
        """The entry before the place."""
        self._boot = bytes.fromhex(after.boot_id)
        self._seqnum_id = after.seqnum_id
        self._seqnum = after.seqnum
        self._array = header.first_array
        self._skipped = after.seqnum + 1 - header.head_seqnum
        self._previous = 0
        self._held = b"", 0
        """The window that was read last, and where in the file it begins."""
        if self._skipped:
            # Where it continues an entry of this file, that must be the one that was read.
            self._skipped -= 1
            self._previous = self._offsets(1)[0]
            head = ENTRY_HEAD.unpack(self._pread(self._previous, ENTRY_HEAD.size))
            if self._cursor(head) != after:
                raise UnfitError("the file continues another numbering")
            self._skipped += 1

    @classmethod
    def open(
        cls,
        path: Path,
        after: Cursor,
        context_of: ContextOf,
    ) -> Self | None:
        """Return the stretch of a file after an entry; None where it is not for us.

        The entry need not be in the file: its number must be the one before one of the file's.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, descriptor)
            try:
                header = parse_header(os.pread(descriptor, HEADER.size, 0))
                if (
                    header is None
                    or header.end > os.fstat(descriptor).st_size
                    or header.seqnum_id.hex() != after.seqnum_id
                    or not header.head_seqnum <= after.seqnum + 1 <= header.tail_seqnum
                    or header.entries != header.tail_seqnum - header.head_seqnum + 1
                ):
                    return None
                stretch = cls(descriptor, header, after, context_of)
            except (OSError, UnfitError):
                return None
            stack.pop_all()
        return stretch

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @property
    def entries_left(self) -> int:
        """How many entries the file had after the place, when it was opened."""
        return self._tail_seqnum - self._seqnum

    def read(self, batch: Batch, *, entries: int, room_bytes: int) -> Cursor:
        """Add entries to a batch's columns, up to a number, or about so many bytes of messages.

        Returns the cursor of the last one. ``batch.end`` is the caller's.

        Raises:
            UnfitError: something is for libsystemd; nothing of this batch may be used.
        """
        try:
            offsets = self._offsets(min(entries, self.entries_left))
            return self._read(batch, offsets, room_bytes)
        except (OSError, struct.error, ValueError) as error:
            raise UnfitError(str(error)) from error

    def _offsets(self, wanted: int) -> list[int]:
        """Return where the next entries are, without stepping past them."""
        item, item_bytes = self._layout.array_item, self._layout.array_item_bytes
        offsets: list[int] = []
        array, skipped = self._array, self._skipped
        while len(offsets) < wanted:
            head = self._pread(array, ARRAY_HEAD.size)
            kind, _flags, size, following = ARRAY_HEAD.unpack(head)
            if kind != ENTRY_ARRAY:
                raise UnfitError("no entry array")
            items = (size - ARRAY_HEAD.size) // item_bytes
            if skipped < items:
                count = min(wanted - len(offsets), items - skipped)
                data = self._pread(
                    array + ARRAY_HEAD.size + skipped * item_bytes, count * item_bytes
                )
                offsets += struct.unpack(f"<{count}{item}", data)
                skipped += count
                continue
            if following <= array:
                raise UnfitError("the entry arrays end early")
            array, skipped = following, skipped - items
            if not offsets:
                self._array, self._skipped = array, skipped
        return offsets

    def _read(  # noqa: C901, PLR0912, PLR0915 - a call for each entry would cost a tenth of the speed
        self, batch: Batch, offsets: Sequence[int], room_bytes: int
    ) -> Cursor:
        add_time = batch.times_us.append
        add_context = batch.contexts.append
        add_message = batch.messages.append
        unpack_entry, unpack_suffix = ENTRY_HEAD.unpack_from, self._suffix.unpack_from
        unpack_object = OBJECT_HEAD.unpack_from
        suffix_bytes, item_bytes = self._suffix_bytes, self._layout.item_bytes
        payload, names = self._layout.payload, self._names
        known, boot = self._known, self._boot
        seqnum, previous = self._seqnum, self._previous or offsets[0]
        window, base = self._held
        end = base + len(window) if base <= previous else -1
        head: _Head = (0, 0, 0, 0, 0, 0, b"", 0)
        for offset in offsets:
            if offset + _ENTRY_BYTES > end:
                window, base = self._window(previous, offset), previous
                end = base + len(window)
            at = offset - base
            head = unpack_entry(window, at)
            kind, _flags, size, number, time_us, _monotonic_us, entry_boot, _xor = head
            seqnum += 1
            if kind != ENTRY or number != seqnum or entry_boot != boot or not time_us:
                raise UnfitError("no entry, or not the next one")
            if offset < previous or size <= ENTRY_HEAD.size:
                raise UnfitError("an entry out of order, or without fields")
            start, stop = at + ENTRY_HEAD.size, at + size
            new: tuple[int, ...] | None = ()
            if stop > len(window) or stop - start < suffix_bytes:
                new = None
            else:
                first, second, third, fourth = unpack_suffix(window, stop - suffix_bytes)
                if first > previous:
                    new = None
                elif second > previous:
                    new = (second, third, fourth)
                elif third > previous:
                    new = (third, fourth)
                elif fourth > previous:
                    new = (fourth,)
            if new is not None:
                old = window[start : stop - item_bytes * len(new)]
                context, message = known.get(old) or self._learn(old)
                for item in new:
                    place = item - base
                    if place < 0:
                        # Items need not be sorted: journald's flush to /var leaves them as they were.
                        new = None
                        break
                    kind, flags, size = unpack_object(window, place)
                    begin = place + payload
                    equals = window.find(b"=", begin, place + size)
                    name = names.get(window[begin:equals], _UNKNOWN)
                    if kind != DATA or flags or name is _UNKNOWN or place + size > at:
                        new = None
                        break
                    if name is None:
                        continue
                    if name != _MESSAGE or message is not None:
                        new = None
                        break
                    message = window[equals + 1 : place + size]
            if new is None:
                items = self._pread(offset + ENTRY_HEAD.size, stop - start)
                context, message = self._whole(items)
            if message is None:
                batch.without_message += 1
                message = b""
            add_time(time_us)
            add_context(context)
            add_message(message)
            previous = offset
            room_bytes -= len(message)
            if room_bytes < 0:
                break
        self._skipped += seqnum - self._seqnum
        self._seqnum, self._previous, self._held = seqnum, previous, (window, base)
        self.last = self._cursor(head)
        return self.last

    def _window(self, previous: int, offset: int) -> bytes:
        between = offset - previous
        if not 0 <= between <= _MAX_NEW_BYTES:
            raise UnfitError("entries out of order, or far apart")
        size = between + max(_ENTRY_BYTES, _WINDOW_BYTES - between)
        return os.pread(self._descriptor, size, previous)

    def _learn(self, items: bytes) -> _Known:
        found = self._whole(items)
        if _size_of(found.message) > _MAX_KNOWN_BYTES or (
            sum(map(_size_of, found.context)) > _MAX_CONTEXT_BYTES
        ):
            return found
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[items] = found
        return found

    def _whole(self, items: bytes) -> _Known:
        """Read fields one by one, in the order in which libsystemd would."""
        fields: dict[str, Field] = {}
        for (offset,) in struct.iter_unpack("<" + self._layout.item, items):
            name, value = self._fields.get(offset) or self._field(offset)
            if name is None:
                continue
            before = fields.get(name)
            if before is None:
                fields[name] = value
            else:
                fields[name] = [*before, value] if isinstance(before, list) else [before, value]
        try:
            context = self._context_of(fields)
        except KeyError:
            context = tuple(map(fields.get, CONTEXT_FIELDS))
        return _Known(context, fields.get(_MESSAGE))

    def _field(self, offset: int) -> tuple[str | None, bytes]:
        payload = self._layout.payload
        kind, flags, size = OBJECT_HEAD.unpack(self._pread(offset, OBJECT_HEAD.size))
        if kind != DATA or size <= payload or offset % 8:
            raise UnfitError("no field")
        data = self._pread(offset + payload, size - payload)
        if flags:
            decompress = zstd.decompressor()
            if flags != OBJECT_ZSTD or decompress is None:
                raise UnfitError("compressed otherwise")
            data = decompress(data)
        raw_name, equals, value = data.partition(b"=")
        if not equals or not raw_name:
            raise UnfitError("no field name")
        name = self._name(raw_name)
        found = _UNWANTED if name is None else (name, value)
        if len(self._fields) >= _MAX_FIELDS:
            self._fields.clear()
        if len(found[1]) <= _MAX_KNOWN_BYTES:
            self._fields[offset] = found
        return found

    def _name(self, raw: bytes) -> str | None:
        """Return the name of a field that is wanted, None for any other."""
        if raw not in self._names:
            raw.decode()
            if len(self._names) < _MAX_FIELDS:
                self._names[raw] = None
        return self._names.get(raw)

    def _cursor(self, head: _Head) -> Cursor:
        _kind, _flags, _size, seqnum, realtime_us, monotonic_us, boot, xor_hash = head
        text = f"{xor_hash:x}"
        return Cursor(self._seqnum_id, seqnum, boot.hex(), monotonic_us, realtime_us, text)

    def _pread(self, offset: int, size: int) -> bytes:
        if offset <= 0 or offset + size > self._end:
            raise UnfitError("an offset outside of the file")
        data = os.pread(self._descriptor, size, offset)
        if len(data) != size:
            raise UnfitError("the file is shorter than it says")
        return data
