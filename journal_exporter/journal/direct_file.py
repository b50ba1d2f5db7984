"""Reads one journal file entry by entry, by ``pread``.

Guarantees: every entry that is whole and that an array of the file still reaches, once, in the order of
writing; a damaged field costs that field, a damaged entry that entry, and it is counted. No offset, size,
count or hash of the file is trusted. No page is mapped: a file that is truncated meanwhile can't kill the
process.

Why it is fast: an entry lists its fields by offset, as a rule in the order of the file, and all but the
message are older than the entry before. What a list of old offsets stands for is looked up, not read. Where
the order is another one, or a field is not where it should be, the entry's fields are read one by one.
"""

import os
import struct
from collections.abc import Callable
from typing import NamedTuple

from journal_exporter.journal import compression
from journal_exporter.journal.entry_arrays import EntryArrays
from journal_exporter.journal.fields import CONTEXT_FIELDS, Field
from journal_exporter.journal.file_format import (
    DATA,
    ENTRY,
    ENTRY_HEAD,
    HEADER,
    MAX_REALTIME_US,
    OBJECT_HEAD,
    Head,
    Header,
    Layout,
    parse_header,
)
from journal_exporter.journal.run import Place, Run

_WINDOW_BYTES = 256 << 10
_ENTRY_BYTES = 4 << 10
"""More than an entry takes, as a rule."""
_MAX_NEW_BYTES = 8 << 20
"""Between two entries; where there is more, fields are read one by one."""
_MAX_KNOWN = 2560
"""Lists of old fields kept: a node with a hundred pods makes 2,200 in a file of 128 MiB."""
_MAX_FIELDS = 4096
"""Fields and names kept, each."""
_MAX_KNOWN_BYTES = 256
"""Of a message or a field that is kept."""
_MAX_CONTEXT_BYTES = 1024
_MAX_ITEMS_BYTES = 64 << 20
"""Of one entry's list of fields."""
_SUFFIX = 4
"""New fields of an entry that are looked for first."""
_MESSAGE = "MESSAGE"
_UNKNOWN = ""
"""Stands for a name that was not met yet."""
_UNWANTED: tuple[str | None, bytes] = None, b""

ContextOf = Callable[[dict[str, Field]], tuple[Field, ...]]
"""Makes a context of the wanted fields; raises ``KeyError`` where it wants the others."""


def read_header(descriptor: int) -> Header | None:
    """Return an open file's header; None where it can't be read or is not that of a journal file."""
    try:
        return parse_header(os.pread(descriptor, HEADER.size, 0))
    except OSError:
        return None


def _plausible(header: Header) -> Header:
    """Return a header with no more entries than fit into what it says of the file's size."""
    room = max(0, header.end - header.begin) // ENTRY_HEAD.size
    if header.entries <= room:
        return header
    numbers = header.tail_seqnum - header.head_seqnum + 1
    return header._replace(entries=min(room, numbers) if numbers > 0 else room)


def _size_of(value: Field) -> int:
    return sum(map(len, value)) if isinstance(value, list) else len(value or b"")


class _Fields(NamedTuple):
    """What a list of fields stands for. ``message`` is None when it is not among them.

    ``freed``: of the unreadable ones, those whose place in the file is empty.
    """

    context: tuple[Field, ...]
    message: Field
    unreadable: int
    freed: int


class _FreedError(ValueError):
    """The file has nothing there any more: who deleted it freed its blocks."""


class DirectFile:
    """An open file and a place in it (``FileReader``); ``close`` it. It owns the descriptor."""

    def __init__(
        self,
        descriptor: int,
        header: Header,
        context_of: ContextOf,
        *,
        pread_file: Callable[[int, int, int], bytes] = os.pread,
    ) -> None:
        self._descriptor = descriptor
        self._pread_file = pread_file
        self.header = header
        self.is_deleted = False
        self.place = Place()
        self._layout: Layout = header.layout
        self._arrays = EntryArrays(self._read_now, header)
        self._context_of = context_of
        self._known: dict[bytes, tuple[tuple[Field, ...], Field]] = {}
        self._fields: dict[int, tuple[str | None, bytes]] = {}
        self._names: dict[bytes, str | None] = {
            name.encode(): name for name in (*CONTEXT_FIELDS, _MESSAGE)
        }
        item, item_bytes = self._layout.item, self._layout.item_bytes
        self._suffix = struct.Struct("<" + item * _SUFFIX)
        self._suffix_bytes = item_bytes * _SUFFIX
        self._previous = 0
        self._held = b"", 0
        """The window that was read last, and where in the file it begins."""
        self._named_end = header.end
        """Where the last object ends, as the header says."""
        self.refresh()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @property
    def entries_left(self) -> int:
        """How many entries the file has after the place, by the header that was read last."""
        return max(0, self.header.entries - self._arrays.slots)

    def refresh(self) -> None:
        """Read the header again; one that does not belong to this file changes nothing."""
        found = read_header(self._descriptor)
        if found is None or found.file_id != self.header.file_id:
            found = self.header
        elif found.entries != self.header.entries:
            # What was read beyond the last entry may have been written since.
            self._held = b"", 0
            # A header can be read while it is written. So many entries lie before what it names later.
            later = read_header(self._descriptor) or found
            found = later._replace(entries=found.entries)
        # Only now: the file may have grown, and what a header names lies within the size after it.
        status = os.fstat(self._descriptor)
        self.is_deleted = not status.st_nlink
        self._named_end = found.end if found is not self.header else self._named_end
        self.header = _plausible(found)._replace(end=min(found.end, status.st_size))
        self._arrays.header = self.header

    def seek(self, place: Place) -> bool:
        """Go to a place; return whether its entry is still there.

        Where it is not, the place is kept all the same: the next entry is the first that lies behind it.
        """
        self._previous = place.offset
        self._arrays.seek(place.offset, place.entries)
        self.place = place
        if not place.offset:
            return True
        try:
            head = ENTRY_HEAD.unpack(self._pread(place.offset, ENTRY_HEAD.size))
        except ValueError:
            return False
        return head[0] == ENTRY and (head[3], head[6].hex()) == (place.seqnum, place.boot_id)

    def head_at(self, slot: int) -> tuple[int, Head] | None:
        """Return where an entry is, counted from 0, and its head; None where it can't be read."""
        try:
            offset = self._arrays.offset_of(slot)
            head = ENTRY_HEAD.unpack(self._pread(offset, ENTRY_HEAD.size))
        except ValueError:
            return None
        return (offset, head) if head[0] == ENTRY else None

    def read(self, run: Run, *, entries: int, room_bytes: int) -> None:
        """Add entries up to a number, or about so many bytes of messages.

        Of a file that was deleted, entries that lost a field to that are not taken.
        """
        offsets = self._arrays.peek(min(entries, self.entries_left))
        if self._arrays.missing or not offsets:
            # Before those that are reached: a hole in the numbers may be theirs.
            self._pass_over(run, self._arrays.missing if offsets else self.entries_left)
        if not offsets:
            return
        begin = len(run.offsets)
        done = self._read(run, offsets, room_bytes)
        self._arrays.step(offsets[:done])
        if len(run.offsets) > begin:
            head = run.heads[-1]
            self.place = Place(run.offsets[-1], self._arrays.slots, head[3], head[4], head[6].hex())
        else:
            self.place = self.place._replace(offset=offsets[done - 1], entries=self._arrays.slots)

    def _pass_over(self, run: Run, entries: int) -> None:
        """Count entries that nothing reaches as lost."""
        if entries:
            run.lost[len(run.heads)] = run.lost.get(len(run.heads), 0) + entries
            run.scattered.add(len(run.heads))
            self._arrays.slots += entries
            self._arrays.missing = 0
            self.place = self.place._replace(entries=self._arrays.slots)

    def _read(self, run: Run, offsets: list[int], room_bytes: int) -> int:  # noqa: C901, PLR0912, PLR0915 - a call per entry costs speed
        """Add these entries until there is no room; return how many offsets were used."""
        add_head, add_offset = run.heads.append, run.offsets.append
        add_context, add_message = run.contexts.append, run.messages.append
        unpack_entry, unpack_suffix = ENTRY_HEAD.unpack_from, self._suffix.unpack_from
        unpack_object = OBJECT_HEAD.unpack_from
        suffix_bytes, item_bytes = self._suffix_bytes, self._layout.item_bytes
        payload, names = self._layout.payload, self._names
        known = self._known
        previous = self._previous or offsets[0]
        window, base = self._held
        end = base + len(window) if base <= previous else -1
        limit = self.header.end
        strict = self.is_deleted
        until = min(offsets[-1] + _ENTRY_BYTES, limit)
        begun = len(run.offsets) + sum(run.lost.values())
        for offset in offsets:
            if offset + _ENTRY_BYTES > end:
                if end < until or offset + ENTRY_HEAD.size > end:
                    window, base = self._window(previous, offset, until)
                    end = base + len(window)
                if offset + ENTRY_HEAD.size > end:
                    self._lose(run)
                    continue
            at = offset - base
            head = unpack_entry(window, at)
            kind, _flags, size, _number, time_us, _monotonic_us, _boot, _xor = head
            if kind != ENTRY or not ENTRY_HEAD.size < size <= limit - offset:
                self._lose(run)
                continue
            start, stop = at + ENTRY_HEAD.size, at + size
            new: tuple[int, ...] | None = ()
            if stop > len(window) or stop - start < suffix_bytes or strict:
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
                    if place < 0 or place + payload > at:
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
            if new is None or context is None:
                self._held = window, base
                found = self._one_by_one(offset + ENTRY_HEAD.size, stop - start)
                if found is None:
                    self._lose(run)
                    continue
                context, message = found
            if message is None:
                run.without_message += 1
                message = b""
            if not 0 < time_us < MAX_REALTIME_US:
                head = self._with_time(run, head)
            add_head(head)
            add_offset(offset)
            add_context(context)
            add_message(message)
            previous = offset
            room_bytes -= len(message)
            if room_bytes < 0:
                break
        self._previous, self._held = previous, (window, base)
        return len(run.offsets) + sum(run.lost.values()) - begun

    @staticmethod
    def _lose(run: Run) -> None:
        run.lost[len(run.heads)] = run.lost.get(len(run.heads), 0) + 1

    def _with_time(self, run: Run, head: Head) -> Head:
        """Give an entry whose time can't be right that of the entry before."""
        time_us = run.heads[-1][4] if run.heads else self.place.realtime_us
        time_us = time_us or min(max(self.header.head_realtime_us, 1), MAX_REALTIME_US - 1)
        return (*head[:4], time_us, *head[5:])

    def _window(self, previous: int, offset: int, until: int) -> tuple[bytes, int]:
        """Return bytes from the entry before to behind this one, and where they begin."""
        between = offset - previous
        base = previous if 0 <= between <= _MAX_NEW_BYTES else offset
        size = max(offset - base + _ENTRY_BYTES, _WINDOW_BYTES)
        window = self._try_pread(min(size, max(until - base, 0)), base)
        if base < offset > base + len(window) - ENTRY_HEAD.size:
            # The disk can't be read between the two entries.
            base = offset
            window = self._try_pread(min(_WINDOW_BYTES, max(until - base, 0)), base)
        return window, base

    def _try_pread(self, size: int, offset: int) -> bytes:
        try:
            return self._pread_file(self._descriptor, size, offset)
        except OSError:
            return b""

    def _learn(self, items: bytes) -> tuple[tuple[Field, ...] | None, Field]:
        """Return context and message of a list of fields; no context where one can't be read."""
        found = self._whole(items)
        if found.unreadable:
            return None, None
        known = found.context, found.message
        if _size_of(found.message) > _MAX_KNOWN_BYTES or (
            sum(map(_size_of, found.context)) > _MAX_CONTEXT_BYTES
        ):
            return known
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[items] = known
        return known

    def _one_by_one(self, offset: int, size: int) -> tuple[tuple[Field, ...], Field] | None:
        """Return context and message of the fields listed there; None where none can be read."""
        try:
            items = self._pread(offset, size)
        except ValueError:
            return None
        found = self._whole(items)
        total = size // self._layout.item_bytes
        if found.unreadable >= total or (found.freed and self.is_deleted):
            return None
        return found.context, found.message

    def _whole(self, items: bytes) -> _Fields:
        """Read fields one by one, in the order in which libsystemd would; damaged ones are left out."""
        fields: dict[str, Field] = {}
        unreadable = freed = 0
        whole = len(items) - len(items) % self._layout.item_bytes
        for (offset,) in struct.iter_unpack("<" + self._layout.item, items[:whole]):
            try:
                name, value = self._fields.get(offset) or self._field(offset)
            except (ValueError, struct.error) as error:
                unreadable += 1
                freed += isinstance(error, _FreedError)
                continue
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
        return _Fields(context, fields.get(_MESSAGE), unreadable, freed)

    def _field(self, offset: int) -> tuple[str | None, bytes]:
        payload = self._layout.payload
        # As a rule a new field lies between the entry before and its own, which is at hand.
        window, base = self._held
        begin = offset - base + payload
        if payload <= begin <= len(window):
            kind, flags, size = OBJECT_HEAD.unpack_from(window, begin - payload)
            stop = begin - payload + size
            if kind == DATA and not flags and begin < stop <= len(window) and not offset % 8:
                equals = window.find(b"=", begin, stop)
                if equals > begin:
                    return self._keep(offset, window[begin:equals], window[equals + 1 : stop])
        if self.header.end <= offset < self._named_end:
            raise _FreedError("the file ends before")
        head = self._read_some(offset, OBJECT_HEAD.size)
        if not any(head):
            raise _FreedError("nothing is there")
        kind, flags, size = OBJECT_HEAD.unpack(head)
        if kind != DATA or size <= payload or offset % 8:
            raise ValueError("not a field")
        data = self._read_some(offset + payload, size - payload)
        if len(data) != size - payload:
            raise _FreedError("the file ends there")
        if flags:
            data = compression.decompress(flags, data)
        raw_name, separator, value = data.partition(b"=")
        if not separator or not raw_name:
            raise ValueError("a field without a name")
        return self._keep(offset, raw_name, value)

    def _keep(self, offset: int, raw_name: bytes, value: bytes) -> tuple[str | None, bytes]:
        name = self._name(raw_name)
        found = _UNWANTED if name is None else (name, value)
        if len(self._fields) >= _MAX_FIELDS:
            self._fields.clear()
        if len(found[1]) <= _MAX_KNOWN_BYTES:
            self._fields[offset] = found
        return found

    def _name(self, raw: bytes) -> str | None:
        """Return the name of a field that is wanted, None for any other."""
        name = self._names.get(raw, _UNKNOWN)
        if name is not _UNKNOWN:
            return name
        if len(self._names) < _MAX_FIELDS:
            self._names[raw] = None
        return None

    def _pread(self, offset: int, size: int) -> bytes:
        data = self._read_some(offset, size)
        if len(data) != size:
            raise ValueError("the file is shorter than it says")
        return data

    def _read_some(self, offset: int, size: int) -> bytes:
        window, base = self._held
        if base <= offset and 0 <= size <= base + len(window) - offset:
            return window[offset - base : offset - base + size]
        return self._read_now(offset, size)

    def _read_now(self, offset: int, size: int) -> bytes:
        """Read what changes after it was written, such as an array of entries: never from a window."""
        if not 0 < offset <= self.header.end or size < 0:
            raise ValueError("an offset outside of the file")
        try:
            return self._pread_file(self._descriptor, min(size, self.header.end - offset), offset)
        except OSError as error:
            raise ValueError(f"reading: {error.strerror}") from error
