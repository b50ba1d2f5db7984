"""The durable note of what is in the output: which entry, which file, which byte.

Guarantees: a reader finds the newest whole state or the one before it, whatever instant the writer was
killed at, and with a full disk too. The file has two slots that are written in turn, in place, each
with a checksum: its blocks are allocated once, so that a state can be stored when nothing else can be.
Two more slots are written in turn by a sync alone, so that a power cut always leaves one of them whole.

A state is stored *before* its bytes are appended, with the length that they will have (``Intent``): what
a kill leaves is then told from the file's size alone; only a torn append needs the journal again.
Which states are stored when is the pipeline's; locking is the service's.
"""

import contextlib
import dataclasses
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from journal_exporter.errors import ConfigError, OutputError
from journal_exporter.journal.batch import Position
from journal_exporter.output.rotating_file import FileId, sync_directory

NAME = "checkpoint"
_MAGIC = b"journal-exporter checkpoint 1"
_SLOT_BYTES = 16384
_SLOTS = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """The output holds every line up to ``position``; the last one ends at ``offset`` of ``file``."""

    position: Position
    file: FileId
    offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class Intent:
    """The append that follows: it brings the file to ``end_offset``, the journal to ``position``."""

    position: Position
    end_offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One checkpoint. ``durable`` is the last progress that was synced; ``boot_id`` the kernel's."""

    output: str
    boot_id: str
    render_hash: str
    durable: Progress
    written: Progress
    intent: Intent | None = None
    journal: Sequence[str] = ()
    """The directories that are read, for ``status``."""
    file_since_s: float = 0.0
    """When the live file was begun, in seconds since the epoch."""
    generation: int = 0

    @property
    def newest(self) -> Position:
        """The place after the last entry whose line is in the output, or about to be."""
        return self.written.position if self.intent is None else self.intent.position

    def to_json(self) -> bytes:
        """Return the state as one line of JSON."""
        data = {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "durable": _progress_json(self.durable),
            "written": _progress_json(self.written),
            "intent": self.intent
            and {
                "position": _position_json(self.intent.position),
                "end_offset": self.intent.end_offset,
            },
        }
        return json.dumps(data, separators=(",", ":")).encode()


def _progress_json(progress: Progress) -> dict[str, Any]:
    return {
        "position": _position_json(progress.position),
        "file": list(progress.file),
        "offset": progress.offset,
    }


def _position_json(position: Position) -> dict[str, Any]:
    return {"cursor": position.cursor, "numbering": position.sequence}


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
        ConfigError: there is one and neither slot can be read.
    """
    path = directory / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"checkpoint {path} can't be read: {error.strerror}") from error
    starts = range(0, _SLOTS * _SLOT_BYTES, _SLOT_BYTES)
    states = [_unpack(data[start : start + _SLOT_BYTES]) for start in starts]
    whole = [state for state in states if state is not None]
    if not whole:
        raise ConfigError(
            f"checkpoint {path} is no checkpoint of this exporter, or all its copies are damaged;"
            " move it away to begin anew as --start says (the output is continued)"
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
        """Write the state into the older slot; a kill leaves the other one whole."""
        self._generation = max(self._generation, state.generation) + 1
        data = _pack(dataclasses.replace(state, generation=self._generation))
        if len(data) > _SLOT_BYTES:
            raise ValueError(f"a state of {len(data)} bytes does not fit its slot")
        try:
            if self._descriptor is not None and not self._is_there(self._descriptor):
                self.close()
            if self._descriptor is None:
                self._descriptor = self._open(data)
            _write_whole(self._descriptor, data, _SLOT_BYTES * (self._generation % 2))
            self._stored = data
        except OSError as error:
            raise OutputError(f"writing {self._path}", error) from error

    def sync(self) -> None:
        """Make what was stored durable."""
        try:
            if self._descriptor is not None:
                slot = 2 + self._syncs % 2
                _write_whole(self._descriptor, self._stored, _SLOT_BYTES * slot)
                os.fdatasync(self._descriptor)
                self._syncs += 1
        except OSError as error:
            raise OutputError(f"syncing {self._path}", error) from error

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _is_there(self, descriptor: int) -> bool:
        """Whether the open file still has its name: somebody may have tidied up."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _open(self, first: bytes) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC
        with contextlib.suppress(FileNotFoundError):
            return os.open(self._path, flags)
        # All slots filled and synced under another name: there is never a checkpoint without a state.
        fresh = self._path.with_name(f"{NAME}.new")
        descriptor = os.open(fresh, flags | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_whole(descriptor, first.ljust(_SLOT_BYTES, b"\0") * _SLOTS, 0)
            os.fsync(descriptor)
            fresh.rename(self._path)
            sync_directory(self._path.parent)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def _write_whole(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of it: a disk that fills up takes a part without an error."""
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)
