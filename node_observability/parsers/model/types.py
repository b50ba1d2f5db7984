"""``Types``: what a captured text becomes where a parser says ``key:integer`` (``flb_parser_typecast``).

Guarantees C's results: ``atoll``, ``atof`` and ``strtoull`` take as much as they understand and make 0 of
the rest, without an error.
"""

import re
from collections.abc import Callable

__all__ = ["CASTS", "Value", "read_types"]

# bool before int: bool is one. A list and a mapping come from JSON only.
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
    return max(-_LONG_MAX - 1, min(_LONG_MAX, int(found[1]))) if found else 0


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
        return float.fromhex(found[1].decode())
    found = _FLOAT.match(text)
    return float(found[1]) if found else 0.0


def _boolean(text: bytes) -> bool | bytes:
    if text[:4].lower() == b"true":
        return True
    return False if text[:5].lower() == b"false" else text


def _string(text: bytes) -> bytes:
    return text


CASTS: dict[str, Cast] = {
    "integer": _integer,
    "hex": _hexadecimal,
    "float": _float,
    "bool": _boolean,
    "string": _string,
}


def read_types(text: str) -> tuple[dict[str, Cast], list[str]]:
    """Return the cast for each key of ``Types``, and the words that say none.

    Fluent Bit takes an unknown type for ``string`` and a word without a colon for nothing; neither makes
    it stop. Of a key that stands twice the first counts.
    """
    casts: dict[str, Cast] = {}
    strange = []
    for word in text.split():
        key, colon, kind = word.partition(":")
        if not colon or kind.lower() not in CASTS:
            strange.append(word)
        if colon:
            casts.setdefault(key, CASTS.get(kind.lower(), _string))
    return casts, strange
