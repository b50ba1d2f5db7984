"""Pure: parses and formats sizes and durations.

Sizes take the suffixes of Kubernetes (``Ki Mi Gi Ti``, ``k M G T``), durations those of systemd (``ms s min
h d``). A bare number is in bytes or seconds. Nothing is rounded: a size is a whole number of bytes.
"""

import re
from decimal import Decimal

_SIZE = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_DURATION_S = {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*([A-Za-z]*)\s*")


MAX_SIZE_BYTES = 2**63 - 1
"""Maximum size of a file on Linux."""
MAX_DURATION_S = 3650.0 * 86_400


def size_bytes(text: str) -> int:
    """Return ``50Mi`` as 52428800.

    Raises:
        ValueError: it is not a size, or not a whole number of bytes; the text is not part of the message.
    """
    match = _QUANTITY.fullmatch(text)
    suffix = match[2].lower() if match else ""
    suffix = suffix.removesuffix("b") if len(suffix) > 1 else suffix
    if match is None or suffix not in _SIZE:
        raise ValueError("is not a size; write bytes or a suffix, such as 52428800 or 50Mi")
    size = Decimal(match[1]) * _SIZE[suffix]
    if size != size.to_integral_value():
        raise ValueError("is not a whole number of bytes")
    if size > MAX_SIZE_BYTES:
        raise ValueError("exceeds the size of any file; write less than 8388608Ti")
    return int(size)


def duration_s(text: str) -> float:
    """Return ``1h`` as 3600.0.

    Raises:
        ValueError: it is not a duration; the text is not part of the message.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2].lower() not in _DURATION_S:
        raise ValueError(
            "is not a duration; write seconds or a suffix, such as 90, 1.5s, 10min or 24h"
        )
    seconds = float(match[1]) * _DURATION_S[match[2].lower()]
    if seconds > MAX_DURATION_S:
        raise ValueError("exceeds ten years; write at most 3650d")
    return seconds


def size_text(size: int) -> str:
    """Return 52428800 as ``50Mi``, with the largest suffix that leaves a whole number."""
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        if size and size % _SIZE[suffix.lower()] == 0:
            return f"{size // _SIZE[suffix.lower()]}{suffix}"
    return str(size)


def human_bytes(size: int) -> str:
    """Return 52428800 as ``50.0 MiB``."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
