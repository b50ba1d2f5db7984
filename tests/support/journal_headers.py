"""Headers of journal files, for tests that need no journal behind them."""

import struct
from pathlib import Path

_HEADER = struct.Struct("<8sII8s16s16s16s16s14Q")
_ARENA_BYTES = 1024


def write_header(
    path: Path,
    *,
    signature: bytes = b"LPKSHHRH",
    flags: int = 0,
    seqnum_id: str = "5e" * 16,
    head_seqnum: int = 1,
    tail_seqnum: int = 100,
    tail_realtime_us: int = 2_000_000,
    missing_bytes: int = 0,
) -> Path:
    """Write a file as systemd's JOURNAL_FILE_FORMAT says, zeros but for its header."""
    numbers = [0] * 14
    numbers[0], numbers[1] = _HEADER.size, _ARENA_BYTES
    numbers[9], numbers[10] = tail_seqnum, head_seqnum
    numbers[12], numbers[13] = 1_000_000, tail_realtime_us
    identity = bytes(16)
    header = _HEADER.pack(
        signature, 0, flags, bytes(8), identity, identity, identity,
        bytes.fromhex(seqnum_id), *numbers,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((header + bytes(_ARENA_BYTES))[: len(header) + _ARENA_BYTES - missing_bytes])
    return path
