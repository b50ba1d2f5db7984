"""Headers of journal files, for tests that need no journal behind them."""

import struct
from pathlib import Path

__all__ = ["name_id", "write_header"]

_HEADER = struct.Struct("<8sII8s16s16s16s16s14Q")
_ARENA_BYTES = 1024


def name_id(name: str) -> str:
    """Return the id that a file of this name has by default."""
    return name.encode().hex()[:32].rjust(32, "0")


def write_header(
    path: Path,
    *,
    signature: bytes = b"LPKSHHRH",
    flags: int = 0,
    seqnum_id: str = "5e" * 16,
    head_seqnum: int = 1,
    tail_seqnum: int = 100,
    head_realtime_us: int = 1_000_000,
    tail_realtime_us: int = 2_000_000,
    missing_bytes: int = 0,
    file_id: str = "",
    entries: int | None = None,
) -> Path:
    """Write a file as systemd's JOURNAL_FILE_FORMAT says, zeros but for its header.

    By default its id is made of its name, and it has an entry for each number.
    """
    file_id = file_id or name_id(path.name)
    numbers = [0] * 14
    numbers[0], numbers[1] = _HEADER.size, _ARENA_BYTES
    numbers[8] = tail_seqnum - head_seqnum + 1 if entries is None else entries
    numbers[9], numbers[10] = tail_seqnum, head_seqnum
    numbers[12], numbers[13] = head_realtime_us, tail_realtime_us
    identity = bytes(16)
    header = _HEADER.pack(
        signature, 0, flags, bytes(8), bytes.fromhex(file_id), identity, identity,
        bytes.fromhex(seqnum_id), *numbers,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((header + bytes(_ARENA_BYTES))[: len(header) + _ARENA_BYTES - missing_bytes])
    return path
