"""Reads entries of one journal file directly with ``pread``, faster than libsystemd does.

Guarantees: of a sound file it returns the batches that libsystemd would, or none
(``NeedsLibsystemdError``). Every number, boot, offset, type and size that leads to an entry is checked, and
anything unusual is left to libsystemd. From a damaged file it may read an entry that libsystemd rejects. No
page is mapped, so a file that is truncated meanwhile can't kill the process. It does not tail, and does not
order entries of several files: the caller ensures that no other file has entries with the same sequence
numbers.

Why it is faster: an entry lists its fields by offset, usually in file order. Usually all of them but the
message are older than the entry before, and the fields of a list of old offsets are cached. Where the order
differs, or a field is not at its usual place, the entry's fields are read one by one.
"""

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from journal_exporter.journal.batch import Batch, ContextOf
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.direct_fields import MESSAGE, DirectFields, NeedsLibsystemdError
from journal_exporter.journal.file_format import (
    ARCHIVED,
    ARRAY_HEAD,
    COMPACT,
    DATA,
    ENTRY,
    ENTRY_ARRAY,
    ENTRY_HEAD,
    HEADER,
    KEYED_HASH,
    OBJECT_HEAD,
    ZSTD,
    Header,
    parse_header,
)

_WINDOW_BYTES = 256 << 10
_ENTRY_BYTES = 4 << 10
"""More than an entry usually takes."""
_MAX_NEW_BYTES = 8 << 20
"""Between two entries; where there is more, libsystemd reads."""
_NEWEST_FIELDS = 4
"""At the end of an entry's list: they are checked for being newer than the entry before."""
_UNKNOWN = ""
"""Stands for a name that was not seen yet."""
_Head = tuple[int, int, int, int, int, int, bytes, int]
"""What ``ENTRY_HEAD`` unpacks."""


class DirectFile:
    """An open file and a place in it, after the entry ``last``; ``close`` it."""

    def __init__(
        self, descriptor: int, header: Header, after: Cursor, context_of: ContextOf
    ) -> None:
        self._descriptor = descriptor
        self._layout = header.layout
        self._tail_seqnum = header.tail_seqnum
        self._fields = DirectFields(descriptor, header.layout, header.size_bytes, context_of)
        self._newest = struct.Struct("<" + self._layout.item * _NEWEST_FIELDS)
        self.last = after
        """The entry before the place."""
        self._boot = bytes.fromhex(after.boot_id)
        self._seqnum_id = after.seqnum_id
        self._seqnum = after.seqnum
        self._array = header.first_array
        self._skipped = after.seqnum + 1 - header.head_seqnum
        self._previous = 0
        self._window = b"", 0
        """The bytes that were read last, and where in the file they begin."""
        if self._skipped:
            # Where this continues an entry of the file, it must be the entry that the caller read.
            self._skipped -= 1
            self._previous = self._offsets(1)[0]
            head = ENTRY_HEAD.unpack(self._fields.pread(self._previous, ENTRY_HEAD.size))
            if self._cursor(head) != after:
                raise NeedsLibsystemdError("the file continues another sequence")
            self._skipped += 1

    @classmethod
    def open(cls, path: Path, after: Cursor, context_of: ContextOf) -> Self | None:
        """Return the file, at the entry after ``after``; None where libsystemd must read it.

        ``after`` need not be in the file: its number must be the one before a number of the file.
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
                    or header.incompatible_flags & ~(KEYED_HASH | ZSTD | COMPACT)
                    or header.state > ARCHIVED
                    or header.size_bytes > os.fstat(descriptor).st_size
                    or header.seqnum_id != after.seqnum_id
                    or not header.head_seqnum <= after.seqnum + 1 <= header.tail_seqnum
                    or header.entries != header.tail_seqnum - header.head_seqnum + 1
                ):
                    return None
                file = cls(descriptor, header, after, context_of)
            except (OSError, NeedsLibsystemdError):
                return None
            stack.pop_all()
        return file

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @property
    def entries_left(self) -> int:
        """How many entries the file had after the place, when it was opened."""
        return self._tail_seqnum - self._seqnum

    def read(self, batch: Batch, *, entries: int, room_bytes: int) -> Cursor:
        """Add up to ``entries`` entries to a batch's columns, or about ``room_bytes`` of messages.

        Returns the cursor of the last one. Leaves ``batch.end`` to the caller.

        Raises:
            NeedsLibsystemdError: libsystemd must read on; nothing of this batch may be used.
        """
        try:
            offsets = self._offsets(min(entries, self.entries_left))
            return self._read(batch, offsets, room_bytes)
        except (OSError, struct.error, ValueError) as error:
            raise NeedsLibsystemdError(str(error)) from error

    def _offsets(self, wanted: int) -> list[int]:
        """Return the offsets of the next entries, without moving past them."""
        item, item_bytes = self._layout.array_item, self._layout.array_item_bytes
        offsets: list[int] = []
        array, skipped = self._array, self._skipped
        while len(offsets) < wanted:
            head = self._fields.pread(array, ARRAY_HEAD.size)
            kind, _flags, size, following = ARRAY_HEAD.unpack(head)
            if kind != ENTRY_ARRAY:
                raise NeedsLibsystemdError("not an entry array")
            items = (size - ARRAY_HEAD.size) // item_bytes
            if skipped < items:
                count = min(wanted - len(offsets), items - skipped)
                start = array + ARRAY_HEAD.size + skipped * item_bytes
                data = self._fields.pread(start, count * item_bytes)
                offsets += struct.unpack(f"<{count}{item}", data)
                skipped += count
                continue
            if following <= array:
                raise NeedsLibsystemdError("the entry arrays end early")
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
        unpack_entry, unpack_newest = ENTRY_HEAD.unpack_from, self._newest.unpack_from
        unpack_object = OBJECT_HEAD.unpack_from
        newest_bytes, item_bytes = self._newest.size, self._layout.item_bytes
        fields, payload, boot = self._fields, self._layout.payload, self._boot
        names, cached = fields.names, fields.cached
        seqnum, previous = self._seqnum, self._previous or offsets[0]
        window, base = self._window
        end = base + len(window) if base <= previous else -1
        head: _Head = (0, 0, 0, 0, 0, 0, b"", 0)
        for offset in offsets:
            if offset + _ENTRY_BYTES > end:
                window, base = self._read_window(previous, offset), previous
                end = base + len(window)
            at = offset - base
            head = unpack_entry(window, at)
            kind, _flags, size, number, time_us, _monotonic_us, entry_boot, _xor = head
            seqnum += 1
            if kind != ENTRY or number != seqnum or entry_boot != boot or not time_us:
                raise NeedsLibsystemdError("not an entry, or not the next one")
            if offset < previous or size <= ENTRY_HEAD.size:
                raise NeedsLibsystemdError("an entry out of order, or without fields")
            start, stop = at + ENTRY_HEAD.size, at + size
            new: tuple[int, ...] | None = ()
            if stop > len(window) or stop - start < newest_bytes:
                new = None
            else:
                first, second, third, fourth = unpack_newest(window, stop - newest_bytes)
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
                context, message = cached.get(old) or fields.read_and_cache(old)
                for item in new:
                    place = item - base
                    if place < 0:
                        # Items need not be sorted: journald does not sort them when it flushes to /var.
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
                    if name != MESSAGE or message is not None:
                        new = None
                        break
                    message = window[equals + 1 : place + size]
            if new is None:
                items = fields.pread(offset + ENTRY_HEAD.size, stop - start)
                context, message = fields.read(items)
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
        self._seqnum, self._previous, self._window = seqnum, previous, (window, base)
        self.last = self._cursor(head)
        return self.last

    def _read_window(self, previous: int, offset: int) -> bytes:
        between = offset - previous
        if not 0 <= between <= _MAX_NEW_BYTES:
            raise NeedsLibsystemdError("entries out of order, or far apart")
        size = between + max(_ENTRY_BYTES, _WINDOW_BYTES - between)
        return os.pread(self._descriptor, size, previous)

    def _cursor(self, head: _Head) -> Cursor:
        _kind, _flags, _size, seqnum, realtime_us, monotonic_us, boot, xor_hash = head
        text = f"{xor_hash:x}"
        return Cursor(self._seqnum_id, seqnum, boot.hex(), monotonic_us, realtime_us, text)
