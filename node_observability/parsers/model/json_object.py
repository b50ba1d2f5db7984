"""Reads JSON as Fluent Bit's parsers do: yyjson 0.12 with tolerant flags (``src/flb_pack.c``).

Guarantees the same record for any bytes: invalid UTF-8 and control characters in strings are kept, half a
surrogate pair becomes U+FFFD, a ``u`` escape without four digits is text, and text after the first value is
ignored unless it is another value. Not modelled: a key that stands twice (Fluent Bit keeps both, here the
last one counts), and numbers with more digits than a double holds.
"""

import json
import math
import re

from node_observability.parsers.model.types import Value

__all__ = ["parse_json_object"]

_SPACE = b" \t\n\r"
_UNSIGNED_MAX = 2**64 - 1
_SIGNED_MIN = -(2**63)
# A pair of surrogates; half a pair, with the characters that yyjson consumes with it; \\u without four
# digits, which loses the character after it; any other escape.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{0,4}|u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|u[0-9a-fA-F]{4}"
    rb"|(?P<short>u[0-9a-fA-F]{0,3})(?:[^\"'\0])?"
    rb"|.)",
    re.DOTALL,
)
# Keeps invalid UTF-8 through str and back (PEP 383).
_UTF8_ERRORS = "surrogateescape"


def _valid_escape(found: re.Match[bytes]) -> bytes:
    if found["half"]:
        return b"\\ufffd"
    return b"\\\\" + found["short"] if found["short"] else found[0]


def _integer(text: str) -> int | float:
    if len(text) > len(str(_SIGNED_MIN)):
        return _float(text)
    value = int(text)
    return value if _SIGNED_MIN <= value <= _UNSIGNED_MAX else float(text)


def _reject_constant(text: str) -> float:
    raise ValueError(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


_DECODER = json.JSONDecoder(
    strict=False, parse_int=_integer, parse_float=_float, parse_constant=_reject_constant
)


def _as_bytes(value: object) -> Value:
    if isinstance(value, str):
        return value.encode("utf-8", _UTF8_ERRORS)
    if isinstance(value, dict):
        return {key: _as_bytes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_bytes(item) for item in value]
    if value is None or isinstance(value, int | float):
        return value
    raise TypeError(type(value))


def _first_value(text: str, at: int) -> tuple[object, int] | None:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def parse_json_object(data: bytes) -> dict[str, Value] | None:
    """Return the object in ``data``, or None if there is no object, or another value after it.

    Texts are bytes; keys are str, with invalid UTF-8 as surrogates (PEP 383).
    """
    data = data.lstrip(_SPACE)
    if not data.startswith(b"{"):
        return None
    if b"\\u" in data:
        data = _ESCAPE.sub(_valid_escape, data)
    text = data.decode("utf-8", _UTF8_ERRORS)
    found = _first_value(text, 0)
    if found is None:
        return None
    value, after = found
    while text[after : after + 1] and text[after] in " \t\n\r":
        after += 1
    # Fluent Bit ignores junk after the object, but rejects a line with a second value.
    if after < len(text) and _first_value(text, after) is not None:
        return None
    record = _as_bytes(value)
    return record if isinstance(record, dict) else None
