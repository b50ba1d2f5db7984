"""Damages journal files: overwritten fields, flipped bits, truncated files."""

import os
from pathlib import Path

from tests.support.machine.parsed_files import DATA, ENTRY, ENTRY_ARRAY, objects
from tests.support.machine.seeded_random import SeededRandom

__all__ = ["cut", "flip", "flip_bit", "overwrite", "put"]

_VALUES = (0, 1, 1 << 31, (1 << 32) - 1, 1 << 62, 1 << 63, (1 << 64) - 16)
_FIXED_BYTES = {DATA: 64, ENTRY: 64, ENTRY_ARRAY: 24}
SEQNUM, REALTIME, MONOTONIC = 16, 24, 32
"""Offsets of an entry's numbers in the entry."""
_MAX_FIELDS = 8


def overwrite(path: Path, rng: SeededRandom) -> str:
    """Overwrite one to eight fields of a sound file with small, huge or boundary values; describe them."""
    found = objects(path)
    done = []
    for _ in range(rng.randint(1, _MAX_FIELDS)):
        kind = rng.choice((DATA, ENTRY, ENTRY_ARRAY))
        candidates = [item for item in found if item[0] == kind]
        if not candidates:
            continue
        _kind, offset, size = rng.choice(candidates)
        width = rng.choice((4, 8))
        reach = min(size, _FIXED_BYTES[DATA]) if kind == DATA else size
        place = rng.randrange(0, max(width, reach - width + 1), width)
        value = rng.choice(_VALUES) & (1 << 8 * width) - 1
        put(path, offset + place, value.to_bytes(width, "little"))
        done.append(f"{kind}@{offset}+{place}/{width}={value:x}")
    return f"overwrite {path.name}: {', '.join(done)}"


def flip(path: Path, rng: SeededRandom) -> str:
    """Flip a bit in the sequence number or a time of an entry of a sound file; describe it."""
    entries = [offset for kind, offset, _size in objects(path) if kind == ENTRY]
    if not entries:
        return f"flip nothing in {path.name}"
    place = rng.choice(entries) + rng.choice((SEQNUM, SEQNUM, REALTIME, MONOTONIC))
    bit = rng.randrange(64)
    flip_bit(path, place, bit)
    return f"flip bit {bit} at {place} in {path.name}"


def flip_bit(path: Path, offset: int, bit: int) -> None:
    """Flip one bit of a number that begins at an offset."""
    offset += bit // 8
    with path.open("rb") as file:
        file.seek(offset)
        byte = file.read(1)[0]
    put(path, offset, bytes([byte ^ 1 << bit % 8]))


def put(path: Path, offset: int, data: bytes) -> None:
    """Overwrite bytes of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def cut(path: Path, rng: SeededRandom) -> str:
    """Truncate a file at a random place after its header; describe it."""
    size_bytes = rng.randrange(512, max(513, path.stat().st_size))
    os.truncate(path, size_bytes)
    return f"cut {path.name} to {size_bytes} bytes"
