r"""Reads Onigmo's character classes, as Ruby's syntax has them: ``[…]``, ``\d``, ``[:alpha:]``.

A class is a set of ASCII characters and of single characters beyond ASCII. Nested sets (``[a[bc]]``, ``&&``)
and ranges beyond ASCII are not supported. ``\d``, ``\w``, ``\s`` and ``\h`` are ASCII (``ONIG_SYNTAX_RUBY``
has ``ONIG_OPTION_ASCII_RANGE``); ``[:alpha:]`` and its like are Unicode: ``CharacterClass.is_unicode``.
"""

import string
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from node_observability.parsers.regex.characters import MULTIBYTE, escape
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError

__all__ = ["SHORTHANDS", "CharacterClass", "read_character_escape", "read_class"]

_DIGITS = frozenset(string.digits)
_WORD = frozenset(string.ascii_letters + string.digits + "_")
_SPACE = frozenset(" \t\n\v\f\r")
_HEX = frozenset(string.hexdigits)
_ASCII = frozenset(map(chr, range(128)))

SHORTHANDS = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "h": _HEX,
    "D": _ASCII - _DIGITS,
    "W": _ASCII - _WORD,
    "S": _ASCII - _SPACE,
    "H": _ASCII - _HEX,
}
_POSIX = {
    "alnum": frozenset(string.ascii_letters + string.digits),
    "alpha": frozenset(string.ascii_letters),
    "ascii": _ASCII,
    "blank": frozenset(" \t"),
    "cntrl": frozenset(map(chr, (*range(32), 127))),
    "digit": _DIGITS,
    "graph": frozenset(map(chr, range(33, 127))),
    "lower": frozenset(string.ascii_lowercase),
    "print": frozenset(map(chr, range(32, 127))),
    "punct": frozenset(string.punctuation),
    "space": _SPACE,
    "upper": frozenset(string.ascii_uppercase),
    "word": _WORD,
    "xdigit": _HEX,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_UNICODE_DIGITS = 4
_LAST_ASCII = 0x7F


@dataclass(slots=True)
class CharacterClass:
    """A set of characters.

    Attributes:
        ascii: the ASCII characters in it.
        non_ascii: the characters beyond ASCII that the class names.
        has_other_non_ascii: whether the class has all other characters beyond ASCII, instead of these.
        is_unicode: whether the class depends on a Unicode property.
    """

    ascii: set[str] = field(default_factory=set)
    non_ascii: set[str] = field(default_factory=set)
    has_other_non_ascii: bool = False
    is_unicode: bool = False

    def add(self, char: str) -> None:
        """Add a character."""
        (self.ascii if char.isascii() else self.non_ascii).add(char)

    def add_range(self, first: str, last: str, at: int) -> None:
        """Add ``first-last``, which stands at the offset ``at``.

        Raises:
            PatternError: the range is empty.
            UnsupportedError: the range goes beyond ASCII.
        """
        if not (first.isascii() and last.isascii()):
            raise UnsupportedError(at, f"the range {first}-{last} beyond ASCII is not supported")
        if first > last:
            raise PatternError(at, f"the range {first}-{last} is empty")
        self.ascii.update(map(chr, range(ord(first), ord(last) + 1)))

    def add_shorthand(self, letter: str) -> None:
        r"""Add ``\d`` and its like; those in upper case have all characters beyond ASCII."""
        self.ascii |= SHORTHANDS[letter]
        self.has_other_non_ascii |= letter.isupper()

    def add_posix(self, name: str, at: int) -> None:
        """Add ``[:name:]``, which stands at the offset ``at``.

        Raises:
            PatternError: the name is unknown.
        """
        members = _POSIX.get(name.removeprefix("^"))
        if members is None:
            raise PatternError(at, f"unknown character class [:{name}:]")
        self.is_unicode |= name.removeprefix("^") != "ascii"
        self.ascii |= _ASCII - members if name.startswith("^") else members
        self.has_other_non_ascii |= name.startswith("^")

    def negate(self, *, ignore_case: bool) -> None:
        """Turn the class into that of all other characters."""
        if ignore_case:
            self.ascii |= {case for char in self.ascii for case in (char.lower(), char.upper())}
        self.ascii = set(_ASCII - self.ascii)
        self.has_other_non_ascii = not self.has_other_non_ascii

    def to_python(self, *, ascii_only: bool) -> str:
        """Return the class in Python's syntax, for ASCII texts only or for any bytes."""
        if ascii_only and self.has_other_non_ascii:
            # A negated class is faster, and the same for ASCII texts.
            others = _ranges(_ASCII - self.ascii)
            return f"[^{others}]" if others else r"[\x00-\x7f]"
        ranges = _ranges(self.ascii)
        branches = [f"[{ranges}]"] if ranges else []
        singles = "|".join(escape(char.encode()) for char in sorted(self.non_ascii))
        if self.has_other_non_ascii and not ascii_only:
            branches.append((f"(?!{singles})" if singles else "") + f"(?:{MULTIBYTE})")
        elif singles and not ascii_only:
            branches.append(singles)
        if not branches:
            return "(?!)"
        return branches[0] if branches == [f"[{ranges}]"] else f"(?>{'|'.join(branches)})"


def _ranges(members: AbstractSet[str]) -> str:
    text = ""
    codes = sorted(map(ord, members))
    while codes:
        last = 0
        while last + 1 < len(codes) and codes[last + 1] == codes[last] + 1:
            last += 1
        text += f"\\x{codes[0]:02x}" + (f"-\\x{codes[last]:02x}" if last else "")
        del codes[: last + 1]
    return text


def read_character_escape(source: str, at: int) -> tuple[str, int] | None:
    r"""Read the escape of one character, whose letter is at ``at``: ``\t``, ``\x41``, ``\u0041``, ``\033``.

    Returns the character and the offset after it, or None if the escape means something else.

    Raises:
        PatternError: hexadecimal digits are missing.
        UnsupportedError: the escape is of a byte beyond ASCII.
    """
    letter = source[at]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 1
    if letter == "x" and source[at + 1 : at + 2] == "{":
        stop = source.find("}", at)
        digits, after = source[at + 2 : stop], stop + 1
    elif letter in "xu":
        width = 2 if letter == "x" else _UNICODE_DIGITS
        digits = source[at + 1 : at + 1 + width]
        while digits and not set(digits) <= _HEX:
            digits = digits[:-1]
        after = at + 1 + len(digits)
    elif letter == "0":
        digits = source[at : at + 3]
        while not set(digits) <= set(string.octdigits):
            digits = digits[:-1]
        return chr(int(digits, 8)), at + len(digits)
    else:
        return None
    if letter == "u" and len(digits) < _UNICODE_DIGITS and at + 1 < len(source):
        raise PatternError(at - 1, "\\u needs four hexadecimal digits")
    if not digits or not set(digits) <= _HEX:
        raise UnsupportedError(at - 1, f"\\{letter} without hexadecimal digits is not supported")
    code = int(digits, 16)
    if letter == "x" and code > _LAST_ASCII:
        raise UnsupportedError(at - 1, f"\\x{digits}, a byte beyond ASCII, is not supported")
    return chr(code), after


def read_class(source: str, at: int, *, ignore_case: bool) -> tuple[CharacterClass, int]:
    """Read the class whose ``[`` is at ``at``; return it and the offset after its ``]``.

    Raises:
        PatternError: the class is not closed, or has an invalid member.
        UnsupportedError: the class has a set, or another member that can't be translated.
    """
    start, found = at, CharacterClass()
    at += 1
    is_negated = source[at : at + 1] == "^"
    at += is_negated
    first = True
    while source[at : at + 1] != "]" or first:
        if at >= len(source):
            raise PatternError(start, "the [ is not closed")
        at = _read_member(source, at, found)
        first = False
    if found.has_other_non_ascii:
        # \W and its like have all characters beyond ASCII already.
        found.non_ascii.clear()
    if is_negated:
        found.negate(ignore_case=ignore_case)
    return found, at + 1


def _read_member(source: str, at: int, found: CharacterClass) -> int:
    if source.startswith("[:", at) and ":]" in source[at:]:
        stop = source.index(":]", at)
        found.add_posix(source[at + 2 : stop], at)
        return _after_class(source, stop + 2)
    if source[at] == "[" or source.startswith("&&", at):
        raise UnsupportedError(at, "a set within [ ] is not supported; list its characters instead")
    if source[at] == "\\" and source[at + 1 : at + 2] in tuple(SHORTHANDS):
        found.add_shorthand(source[at + 1])
        return _after_class(source, at + 2)
    char, after = _read_char(source, at)
    is_range = source[after : after + 1] == "-" and source[after + 1 : after + 2] not in ("", "]")
    if not is_range or source[after + 1] == "[":
        found.add(char)
        return after
    if source[after + 1] == "\\" and source[after + 2 : after + 3] in tuple(SHORTHANDS):
        raise PatternError(at, "a range can't end with a class such as \\d; write \\- for a minus")
    last, after = _read_char(source, after + 1)
    found.add_range(char, last, at)
    return after


def _after_class(source: str, at: int) -> int:
    if source[at : at + 1] == "-" and source[at + 1 : at + 2] not in ("", "]"):
        raise PatternError(
            at, "a range can't begin with a class such as \\w; write \\- for a minus"
        )
    return at


def _read_char(source: str, at: int) -> tuple[str, int]:
    if source[at] != "\\":
        return source[at], at + 1
    letter = source[at + 1 : at + 2]
    if not letter:
        raise PatternError(at, "the pattern ends with \\")
    if letter == "b":
        return "\b", at + 2
    if letter in "pPcCMRX" or letter in "123456789":
        raise UnsupportedError(at, f"\\{letter} in [ ] is not supported")
    return read_character_escape(source, at + 1) or (letter, at + 2)
