"""What Onigmo's UTF-8 calls one character, as patterns over bytes for Python's ``re``.

Guarantees the character boundaries of Onigmo 6.2 (``enc/utf_8.c``, ``onigenc_mbclen``) for any bytes:
a well-formed sequence is one character, a sequence that the end of the text cuts off is one character,
any other byte of 0x80 and above is a character by itself. Each pattern is atomic, so a match never
backtracks into the middle of a character.
"""

import re
from collections.abc import Iterator

__all__ = ["ANY", "MULTIBYTE", "NOT_NEWLINE", "boundaries", "escape"]

_TAIL = r"[\x80-\xbf]"


def _sequence(lead: str, *tails: str) -> str:
    # A tail that the end of the text cuts off ends the character there.
    text = ""
    for tail in reversed(tails):
        text = rf"(?:{tail}{text}|\Z)"
    return lead + text


MULTIBYTE = "|".join(
    (
        _sequence(r"[\xc2-\xdf]", _TAIL),
        _sequence(r"\xe0", r"[\xa0-\xbf]", _TAIL),
        _sequence(r"[\xe1-\xec\xee\xef]", _TAIL, _TAIL),
        _sequence(r"\xed", r"[\x80-\x9f]", _TAIL),
        _sequence(r"\xf0", r"[\x90-\xbf]", _TAIL, _TAIL),
        _sequence(r"[\xf1-\xf3]", _TAIL, _TAIL, _TAIL),
        _sequence(r"\xf4", r"[\x80-\x8f]", _TAIL, _TAIL),
        r"[\x80-\xff]",
    )
)
ANY = rf"(?>[\x00-\x7f]|{MULTIBYTE})"
NOT_NEWLINE = rf"(?>[\x00-\x09\x0b-\x7f]|{MULTIBYTE})"

_CHARACTER = re.compile(ANY.encode("ascii"), re.DOTALL)


def boundaries(text: bytes) -> Iterator[int]:
    """Yield each offset at which Onigmo's search tries to match, the end included."""
    offset = 0
    while offset < len(text):
        yield offset
        found = _CHARACTER.match(text, offset)
        offset = found.end() if found else offset + 1
    yield len(text)


def escape(data: bytes) -> str:
    """Return a pattern that matches these bytes and nothing else."""
    return "".join(f"\\x{byte:02x}" for byte in data)
