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
import itertools
import json
import os
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from journal_exporter.errors import ConfigError, output_errors
from journal_exporter.journal.position import Position
from journal_exporter.output.durable import replace_file
from journal_exporter.output.file_id import FileId
from journal_exporter.output.regular_file import open_to_read

NAME = "checkpoint"
_MAGICS = b"journal-exporter checkpoint 2", b"journal-exporter checkpoint 1"
"""Of this version, and of the one before, which had one place in libsystemd's order of entries."""
_NEWER = re.compile(rb"journal-exporter checkpoint ([3-9]|[1-9][0-9]{1,3}) ")
_MAX_BYTES = 256 << 20
"""Room for 80,000 files; what is larger is garbage, which must not take the pod's memory."""
_SLOT_BYTES = 32768
"""At least; a state with many files gets larger slots."""
_SLOTS = 4
_FLAGS = os.O_RDWR | os.O_CLOEXEC


class DamagedCheckpointError(ConfigError):
    """No copy of the state in the checkpoint can be read; a run sets it aside."""


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
    marker: str = ""
    """The line that is appended, if it marks a gap: no entry would give it again."""


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
        data = {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "durable": _progress_json(self.durable, None),
            "written": _progress_json(self.written, self.durable.position),
            "intent": self.intent
            and {
                "position": self.intent.position.to_json(self.durable.position),
                "end_offset": self.intent.end_offset,
                "marker": self.intent.marker,
            },
        }
        return json.dumps(data, separators=(",", ":")).encode()


def _progress_json(progress: Progress, base: Position | None) -> dict[str, Any]:
    return {
        "position": progress.position.to_json(base),
        "file": list(progress.file),
        "offset": progress.offset,
    }


def _progress(data: dict[str, Any], base: Position | None) -> Progress:
    position = Position.from_json(data["position"], base)
    return Progress(position, FileId(*data["file"]), int(data["offset"]))


def _state(data: dict[str, Any]) -> State:
    durable = _progress(data["durable"], None)
    base, intent = durable.position, data["intent"]
    return State(
        **{
            **data,
            "durable": durable,
            "written": _progress(data["written"], base),
            "intent": intent
            and Intent(
                Position.from_json(intent["position"], base),
                int(intent["end_offset"]),
                str(intent.get("marker", "")),
            ),
        }
    )


def _pack(state: State) -> bytes:
    body = state.to_json()
    return b"%s %d %08x\n%s\n" % (_MAGICS[0], len(body), zlib.crc32(body), body)


def _unpack(slot: bytes) -> State | None:
    head, _, rest = slot.partition(b"\n")
    words = head.rsplit(b" ", 2)
    if len(words) != 3 or words[0] not in _MAGICS:  # noqa: PLR2004
        return None
    try:
        body = rest[: int(words[1])]
        if zlib.crc32(body) != int(words[2], 16):
            return None
        return _state(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def load(directory: Path) -> State | None:
    """Return the newest state; None when there is no checkpoint.

    Raises:
        DamagedCheckpointError: no slot of it can be read.
        ConfigError: it can't be read at all, or is of a newer version.
    """
    path = directory / NAME
    try:
        with open_to_read(path) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            data = file.read() if size_bytes <= _MAX_BYTES else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"--state-directory: can't read {path}: {error.strerror}; move it away, or make it readable"
        ) from error
    slot_bytes = max(len(data) // _SLOTS, 1)
    states = [
        _unpack(data[start : start + slot_bytes]) for start in range(0, len(data), slot_bytes)
    ]
    whole = [state for state in states if state is not None]
    if not whole and _NEWER.search(data):
        raise ConfigError(
            f"--state-directory: {path} is the checkpoint of a newer version; run that version, or move the"
            " file away, and the next run begins where --start says"
        )
    if not whole:
        raise DamagedCheckpointError(
            f"--state-directory: {path} is not a valid checkpoint, or all its copies are damaged; the next"
            " run sets it aside, and finds its place from the output's lines"
        )
    return max(whole, key=lambda state: state.generation)


class CheckpointFile:
    """The file of one state directory. Writing raises ``OutputError``; ``close`` it.

    ``prepare_directory`` runs before the file is created.
    """

    def __init__(
        self, directory: Path, prepare_directory: Callable[[], None] = lambda: None
    ) -> None:
        self._path = directory / NAME
        self._prepare_directory = prepare_directory
        self._descriptor: int | None = None
        self._slot_bytes = 0
        self._generation = 0
        self._is_replaced = False
        self._syncs = 0
        self._stored = b""

    def store(self, state: State) -> None:
        """Write the state into the slot with the older one; a kill leaves the other slot whole."""
        self._generation = max(self._generation, state.generation) + 1
        data = _pack(dataclasses.replace(state, generation=self._generation))
        with output_errors("writing", self._path):
            if self._descriptor is not None and not self._has_name(self._descriptor):
                self.close()
            if self._descriptor is None:
                self._descriptor = self._open(data)
            if len(data) > self._slot_bytes:
                self.close()
                self._descriptor = self._create(data)
            _write_whole(self._descriptor, data, self._slot_bytes * (self._generation % 2))
            self._stored = data

    def sync(self) -> None:
        """Make what was stored durable."""
        with output_errors("syncing", self._path):
            if self._descriptor is not None:
                slot = 2 + self._syncs % 2
                _write_whole(self._descriptor, self._stored, self._slot_bytes * slot)
                os.fdatasync(self._descriptor)
                self._syncs += 1

    def set_aside(self) -> Path:
        """Give the file another name, and return it; the next state gets a new file.

        Until then the file keeps its old name too, so that a kill in between changes nothing.
        """
        with output_errors("setting aside", self._path):
            self._is_replaced = True
            for number in itertools.count(1):
                name = self._path.with_name(f"{NAME}.damaged-{number}")
                if not os.path.lexists(name):
                    break
                if self._path.exists() and name.samefile(self._path):
                    return name
            try:
                name.hardlink_to(self._path)
            except OSError:
                # A file system without links, or another process has removed the file.
                with contextlib.suppress(FileNotFoundError):
                    self._path.rename(name)
            return name

    def is_removed(self) -> bool:
        """Whether another process removed or replaced the file since a state was stored."""
        with output_errors("checking", self._path):
            return self._descriptor is not None and not self._has_name(self._descriptor)

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
        with contextlib.suppress(FileNotFoundError):
            if self._is_replaced:
                return self._create(first)
            descriptor = os.open(self._path, _FLAGS)
            self._slot_bytes = os.fstat(descriptor).st_size // _SLOTS
            return descriptor
        return self._create(first)

    def _create(self, first: bytes) -> int:
        """Make the file with all slots filled, so that a checkpoint without a state never exists."""
        self._prepare_directory()
        self._slot_bytes = max(_SLOT_BYTES, 1 << (2 * len(first)).bit_length())
        replace_file(self._path, first.ljust(self._slot_bytes, b"\0") * _SLOTS)
        self._is_replaced = False
        return os.open(self._path, _FLAGS)


def _write_whole(descriptor: int, data: bytes, offset: int) -> None:
    """Write all bytes: a disk that becomes full takes a part without an error."""
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], offset + written)
