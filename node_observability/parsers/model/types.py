"""Casts captured texts as ``Types key:integer`` asks for (``flb_parser_typecast``).

Guarantees C's results: ``atoll``, ``atof`` and ``strtoull`` read as much as they can, and return 0 without an
error if they can't read anything.
"""

import math
import re
from collections.abc import Callable

__all__ = ["Cast", "Value", "parse_types"]

# A value of a record. Lists and mappings come from JSON only.
Value = bytes | int | float | bool | None | list["Value"] | dict[str, "Value"]
Cast = Callable[[bytes], Value]

_INTEGER = re.compile(rb"[ \t\n\v\f\r]*([+-]?\d+)")
_HEXADECIMAL = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]+)")
_FLOAT = re.compile(
    rb"[ \t\n\v\f\r]*([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan))",
    re.IGNORECASE,
)
_HEX_FLOAT = re.compile(
    rb"[ \t\n\v\f\r]*([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?)"
)
_LONG_MAX = 2**63 - 1
_UNSIGNED_MAX = 2**64 - 1


def _c_string(text: bytes) -> bytes:
    return text.split(b"\0", 1)[0]


def _integer(text: bytes) -> int:
    found = _INTEGER.match(_c_string(text))
    if not found:
        return 0
    # As in C, a number that does not fit is the nearest one that does.
    digits = found[1].lstrip(b"+-").lstrip(b"0")
    value = int(digits or b"0") if len(digits) <= len(str(_LONG_MAX)) else _LONG_MAX + 1
    return max(-_LONG_MAX - 1, -value) if found[1].startswith(b"-") else min(_LONG_MAX, value)


def _hexadecimal(text: bytes) -> int:
    found = _HEXADECIMAL.match(_c_string(text))
    if not found:
        return 0
    value = int(found[2], 16)
    if value > _UNSIGNED_MAX:
        return _UNSIGNED_MAX
    return (-value if found[1] == b"-" else value) & _UNSIGNED_MAX


def _float(text: bytes) -> float:
    text = _c_string(text)
    if found := _HEX_FLOAT.match(text):
        try:
            return float.fromhex(found[1].decode())
        except OverflowError:
            return -math.inf if found[1].startswith(b"-") else math.inf
    found = _FLOAT.match(text)
    return float(found[1]) if found else 0.0


def _boolean(text: bytes) -> bool | bytes:
    if text[:4].lower() == b"true":
        return True
    return False if text[:5].lower() == b"false" else text


def _string(text: bytes) -> bytes:
    return text


_CASTS: dict[str, Cast] = {
    "integer": _integer,
    "hex": _hexadecimal,
    "float": _float,
    "bool": _boolean,
    "string": _string,
}


def parse_types(text: str) -> tuple[dict[str, Cast], list[str]]:
    """Return the cast for each key of ``Types``, and the words that are not valid.

    Fluent Bit treats an unknown type as ``string`` and ignores a word without a colon; it starts with both.
    If a key stands twice, the first counts.
    """
    casts: dict[str, Cast] = {}
    invalid = []
    for word in text.split():
        key, colon, kind = word.partition(":")
        if not colon or kind.lower() not in _CASTS:
            invalid.append(word)
        if colon:
            casts.setdefault(key, _CASTS.get(kind.lower(), _string))
    return casts, invalid
