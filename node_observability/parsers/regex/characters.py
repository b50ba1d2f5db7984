"""Patterns over bytes that match what Onigmo takes for one UTF-8 character.

Guarantees the character boundaries of Onigmo 6.2 (``enc/utf_8.c``, ``onigenc_mbclen``) for any bytes.
A well-formed sequence is one character, and so is a sequence that the end of the text cuts off. Any other
byte from 0x80 up is a character by itself. Each pattern is atomic: a match never backtracks into a character.
"""

import re
from collections.abc import Iterator

__all__ = ["ANY", "MULTIBYTE", "NOT_NEWLINE", "boundaries", "escape"]

_CONTINUATION = r"[\x80-\xbf]"


def _sequence(lead: str, *continuations: str) -> str:
    # Where the end of the text cuts the sequence off, the character ends too.
    text = ""
    for byte in reversed(continuations):
        text = rf"(?:{byte}{text}|\Z)"
    return lead + text


MULTIBYTE = "|".join(
    (
        _sequence(r"[\xc2-\xdf]", _CONTINUATION),
        _sequence(r"\xe0", r"[\xa0-\xbf]", _CONTINUATION),
        _sequence(r"[\xe1-\xec\xee\xef]", _CONTINUATION, _CONTINUATION),
        _sequence(r"\xed", r"[\x80-\x9f]", _CONTINUATION),
        _sequence(r"\xf0", r"[\x90-\xbf]", _CONTINUATION, _CONTINUATION),
        _sequence(r"[\xf1-\xf3]", _CONTINUATION, _CONTINUATION, _CONTINUATION),
        _sequence(r"\xf4", r"[\x80-\x8f]", _CONTINUATION, _CONTINUATION),
        r"[\x80-\xff]",
    )
)
ANY = rf"(?>[\x00-\x7f]|{MULTIBYTE})"
NOT_NEWLINE = rf"(?>[\x00-\x09\x0b-\x7f]|{MULTIBYTE})"

_CHARACTER = re.compile(ANY.encode("ascii"), re.DOTALL)


def boundaries(text: bytes) -> Iterator[int]:
    """Yield each offset at which Onigmo's search tries to match, including the end."""
    offset = 0
    while offset < len(text):
        yield offset
        found = _CHARACTER.match(text, offset)
        offset = found.end() if found else offset + 1
    yield len(text)


def escape(data: bytes) -> str:
    """Return a pattern that matches these bytes and nothing else."""
    return "".join(f"\\x{byte:02x}" for byte in data)
