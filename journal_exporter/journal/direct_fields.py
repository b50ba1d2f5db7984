"""Reads an entry's fields from a journal file with ``pread``, and caches what many entries share.

Guarantees: every offset, type and size that leads to a field is checked. The caches are bounded, by number
and by the length of a value.
"""

import os
import struct
from typing import NamedTuple

from journal_exporter.journal import zstd
from journal_exporter.journal.batch import CONTEXT_FIELDS, ContextOf, Field
from journal_exporter.journal.file_format import DATA, OBJECT_HEAD, OBJECT_ZSTD, Layout

MESSAGE = "MESSAGE"
_MAX_CACHED_LISTS = 2560
"""Lists of fields: a node with a hundred pods makes 2,200 in a file of 128 MiB."""
_MAX_CACHED_FIELDS = 4096
"""Fields and names, each."""
_MAX_CACHED_BYTES = 256
"""Of a message or a field that is cached."""
_MAX_CONTEXT_BYTES = 1024
_UNWANTED: tuple[str | None, bytes] = None, b""


class NeedsLibsystemdError(Exception):
    """The next entries must be read by libsystemd."""


class EntryFields(NamedTuple):
    """The fields of a list of offsets. ``message`` is None when the list has no message."""

    context: tuple[Field, ...]
    message: Field


def _size_bytes(value: Field) -> int:
    return sum(map(len, value)) if isinstance(value, list) else len(value or b"")


class DirectFields:
    """The DATA objects of one open file, of which the first ``size_bytes`` bytes are known."""

    def __init__(
        self, descriptor: int, layout: Layout, size_bytes: int, context_of: ContextOf
    ) -> None:
        self._descriptor = descriptor
        self._layout = layout
        self._size_bytes = size_bytes
        self._context_of = context_of
        self._fields: dict[int, tuple[str | None, bytes]] = {}
        self.cached: dict[bytes, EntryFields] = {}
        """By the bytes of an entry's items."""
        self.names: dict[bytes, str | None] = {
            name.encode(): name for name in (*CONTEXT_FIELDS, MESSAGE)
        }
        """Names seen so far; None stands for a field that nobody needs."""

    def read_and_cache(self, items: bytes) -> EntryFields:
        """Return the fields of an entry's items, and cache them unless they are large."""
        found = self.read(items)
        if _size_bytes(found.message) > _MAX_CACHED_BYTES or (
            sum(map(_size_bytes, found.context)) > _MAX_CONTEXT_BYTES
        ):
            return found
        if len(self.cached) >= _MAX_CACHED_LISTS:
            self.cached.clear()
        self.cached[items] = found
        return found

    def read(self, items: bytes) -> EntryFields:
        """Read an entry's fields one by one, in libsystemd's order."""
        fields: dict[str, Field] = {}
        for (offset,) in struct.iter_unpack("<" + self._layout.item, items):
            name, value = self._fields.get(offset) or self._read_field(offset)
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
        return EntryFields(context, fields.get(MESSAGE))

    def _read_field(self, offset: int) -> tuple[str | None, bytes]:
        payload = self._layout.payload
        kind, flags, size = OBJECT_HEAD.unpack(self.pread(offset, OBJECT_HEAD.size))
        if kind != DATA or size <= payload or offset % 8:
            raise NeedsLibsystemdError("not a field")
        data = self.pread(offset + payload, size - payload)
        if flags:
            decompress = zstd.decompressor()
            if flags != OBJECT_ZSTD or decompress is None:
                raise NeedsLibsystemdError("another compression")
            data = decompress(data)
        raw_name, equals, value = data.partition(b"=")
        if not equals or not raw_name:
            raise NeedsLibsystemdError("a field without a name")
        name = self._name(raw_name)
        found = _UNWANTED if name is None else (name, value)
        if len(self._fields) >= _MAX_CACHED_FIELDS:
            self._fields.clear()
        if len(found[1]) <= _MAX_CACHED_BYTES:
            self._fields[offset] = found
        return found

    def _name(self, raw: bytes) -> str | None:
        """Return the name of a field that is needed, None for any other."""
        if raw not in self.names:
            raw.decode()
            if len(self.names) < _MAX_CACHED_FIELDS:
                self.names[raw] = None
        return self.names.get(raw)

    def pread(self, offset: int, size: int) -> bytes:
        """Read bytes of the file.

        Raises:
            NeedsLibsystemdError: they are outside of the file.
        """
        if offset <= 0 or offset + size > self._size_bytes:
            raise NeedsLibsystemdError("an offset outside of the file")
        data = os.pread(self._descriptor, size, offset)
        if len(data) != size:
            raise NeedsLibsystemdError("the file is shorter than its header says")
        return data
