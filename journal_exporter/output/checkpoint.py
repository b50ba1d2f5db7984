"""Stores durably what is in the output: up to which entry, in which file, up to which byte.

Guarantees: a reader finds the newest whole state or the one before it, whenever the writer was killed, even
with a full disk. The file has two slots that are written alternately and in place, each with a checksum.
Their blocks are allocated once, so that a state can be stored when nothing else can. Only a sync writes the
other two slots, also alternately, so that a power cut always leaves one of these two whole.

A state is stored *before* its bytes are appended, with the length that they will have (``Intent``). After a
kill the file's size alone shows what happened; only a torn append needs the journal again.
The writer decides which states are stored when; the state directory is locked elsewhere.
"""

import contextlib
import dataclasses
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from journal_exporter.errors import ConfigError, output_errors
from journal_exporter.journal.batch import Position
from journal_exporter.output.durable import replace_file
from journal_exporter.output.file_id import FileId

NAME = "checkpoint"
_MAGIC = b"journal-exporter checkpoint 1"
_SLOT_BYTES = 16384
_SLOTS = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far the output is: every line up to ``position`` is in it, the last one before ``offset``."""

    position: Position
    file: FileId
    offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class Intent:
    """The next append: it brings the file to ``end_offset``, and the output to ``position``."""

    position: Position
    end_offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One checkpoint. ``durable`` is the last progress that was synced, ``boot_id`` the kernel's boot id."""

    output: str
    boot_id: str
    render_hash: str
    durable: Progress
    written: Progress
    intent: Intent | None = None
    journal: Sequence[str] = ()
    """The directories that are read, for ``status``."""
    file_since_s: float = 0.0
    """When the live file was created, in seconds since the epoch."""
    generation: int = 0

    @property
    def newest(self) -> Position:
        """The place after the last entry whose line is in the output, or about to be."""
        return self.written.position if self.intent is None else self.intent.position

    def to_json(self) -> bytes:
        """Return the state as one line of JSON."""
        return json.dumps(self, separators=(",", ":"), default=_fields).encode()


def _fields(value: State | Progress | Intent | Position) -> dict[str, Any]:
    if isinstance(value, Position):
        return {"cursor": value.cursor, "numbering": value.sequence}
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _progress(data: dict[str, Any]) -> Progress:
    return Progress(_position(data["position"]), FileId(*data["file"]), int(data["offset"]))


def _position(data: dict[str, Any]) -> Position:
    cursor = data["cursor"]
    return Position(None if cursor is None else str(cursor), data["numbering"])


def _state(data: dict[str, Any]) -> State:
    intent = data["intent"]
    return State(
        **{
            **data,
            "durable": _progress(data["durable"]),
            "written": _progress(data["written"]),
            "intent": intent and Intent(_position(intent["position"]), int(intent["end_offset"])),
        }
    )


def _pack(state: State) -> bytes:
    body = state.to_json()
    return b"%s %d %08x\n%s\n" % (_MAGIC, len(body), zlib.crc32(body), body)


def _unpack(slot: bytes) -> State | None:
    head, _, rest = slot.partition(b"\n")
    words = head.rsplit(b" ", 2)
    if len(words) != 3 or words[0] != _MAGIC:  # noqa: PLR2004
        return None
    try:
        body = rest[: int(words[1])]
        if zlib.crc32(body) != int(words[2], 16):
            return None
        return _state(json.loads(body))
    except (ValueError, KeyError, TypeError):
        return None


def load(directory: Path) -> State | None:
    """Return the newest state; None when there is no checkpoint.

    Raises:
        ConfigError: no slot of it can be read.
    """
    path = directory / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"--state-directory: can't read {path}: {error.strerror}") from error
    starts = range(0, _SLOTS * _SLOT_BYTES, _SLOT_BYTES)
    states = [_unpack(data[start : start + _SLOT_BYTES]) for start in starts]
    whole = [state for state in states if state is not None]
    if not whole:
        raise ConfigError(
            f"--state-directory: {path} is not a valid checkpoint, or all its copies are damaged; move it"
            " away, and the next run begins where --start says and appends to the output"
        )
    return max(whole, key=lambda state: state.generation)


class CheckpointFile:
    """The file of one state directory. Writing raises ``OutputError``; ``close`` it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._descriptor: int | None = None
        self._generation = 0
        self._syncs = 0
        self._stored = b""

    def store(self, state: State) -> None:
        """Write the state into the slot with the older one; a kill leaves the other slot whole."""
        self._generation = max(self._generation, state.generation) + 1
        data = _pack(dataclasses.replace(state, generation=self._generation))
        if len(data) > _SLOT_BYTES:
            raise ValueError(f"a state of {len(data)} bytes exceeds its slot")
        with output_errors("writing", self._path):
            if self._descriptor is not None and not self._has_name(self._descriptor):
                self.close()
            if self._descriptor is None:
                self._descriptor = self._open(data)
            _write_whole(self._descriptor, data, _SLOT_BYTES * (self._generation % 2))
            self._stored = data

    def sync(self) -> None:
        """Make what was stored durable."""
        with output_errors("syncing", self._path):
            if self._descriptor is not None:
                slot = 2 + self._syncs % 2
                _write_whole(self._descriptor, self._stored, _SLOT_BYTES * slot)
                os.fdatasync(self._descriptor)
                self._syncs += 1

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _has_name(self, descriptor: int) -> bool:
        """Whether the open file still has its name: another process may have deleted it."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _open(self, first: bytes) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC
        with contextlib.suppress(FileNotFoundError):
            return os.open(self._path, flags)
        # With all slots filled, so that a checkpoint without a state never exists.
        replace_file(self._path, first.ljust(_SLOT_BYTES, b"\0") * _SLOTS)
        return os.open(self._path, flags)


def _write_whole(descriptor: int, data: bytes, offset: int) -> None:
    """Write all bytes: a disk that becomes full takes a part without an error."""
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)
