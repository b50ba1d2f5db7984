"""Finds mistakes in a pattern that the kit can't translate: Onigmo may reject it, too.

Guarantees an error only for what Onigmo rejects: brackets and parentheses that do not fit, a group that does
not exist, a repeat whose larger number comes first. Other mistakes are not found.
"""

import re

from node_observability.parsers.regex.syntax_tree import PatternError

__all__ = ["check_balance"]

_POSIX = re.compile(r"\[:\^?(\w+):\]")
_POSIX_NAMES = (
    *("alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct"),
    *("space", "upper", "word", "xdigit"),
)
_NAME = re.compile(r"\(\?(?:<(?![=!])(?P<angle>[^>]*)(?P<end>>?)|'(?P<quote>[^']*)(?P<end2>'?))")
_CONDITION = re.compile(r"\(\?\((?:\d+|<\w+>|'\w+')\)")
# What may follow (? in Ruby's syntax, other than a name and a condition.
_KNOWN_GROUP = re.compile(r"\(\?(?:[:=!>~#]|<[=!]|[imxdau-]+[:)])")
_REPEAT = re.compile(r"\{(\d+),(\d+)\}")


def check_balance(pattern: str) -> None:
    """Check the brackets and groups of a pattern without the option ``x``.

    Raises:
        PatternError: Onigmo rejects the pattern.
    """
    opened: list[int] = []
    at = 0
    while at < len(pattern):
        char, here = pattern[at], at
        at += 2 if char == "\\" else 1
        if char == "[":
            at = _end_of_set(pattern, here) + 1
        elif pattern.startswith("(?#", here):
            at = _end_of_comment(pattern, here)
        elif char == "(":
            at = _end_of_head(pattern, here)
            opened.append(here)
        elif char == ")":
            if not opened:
                raise PatternError(here, "this ) closes nothing")
            opened.pop()
        elif char == "{":
            _check_repeat(pattern, here)
    if opened:
        raise PatternError(opened[-1], "the ( is not closed")


def _check_repeat(pattern: str, start: int) -> None:
    found = _REPEAT.match(pattern, start)
    if found and int(found[1]) > int(found[2]):
        raise PatternError(start, f"{found[0]} has the larger number first")


def _end_of_set(pattern: str, start: int) -> int:
    """Return the place of the ``]`` that closes a set, which may contain other sets."""
    opened = [start]
    at = start + 1
    while at < len(pattern):
        at += pattern[at] == "^" and at == opened[-1] + 1
        char = pattern[at : at + 1]
        if char == "\\":
            at += 1
        elif posix := _POSIX.match(pattern, at):
            if posix[1] not in _POSIX_NAMES:
                raise PatternError(at, f"there is no class {posix[0]}")
            at = posix.end() - 1
        elif char == "[":
            opened.append(at)
        elif char == "]" and pattern[opened[-1] + 1 : at] not in ("", "^"):
            opened.pop()
            if not opened:
                return at
        at += 1
    raise PatternError(opened[-1], "the [ is not closed")


def _end_of_comment(pattern: str, start: int) -> int:
    end = pattern.find(")", start)
    if end < 0:
        raise PatternError(start, "the ( is not closed")
    return end + 1


def _end_of_head(pattern: str, start: int) -> int:
    """Return where the content of a group begins, if Onigmo knows such a group."""
    if not pattern.startswith("(?", start):
        return start + 1
    if condition := _CONDITION.match(pattern, start):
        return condition.end()
    if found := _NAME.match(pattern, start):
        name = found["angle"] if found["angle"] is not None else found["quote"]
        if not (found["end"] or found["end2"]) or not re.fullmatch(r"[^\W\d]\w*", name):
            raise PatternError(start, "this group has no valid name; write it like (?<name>…)")
    elif not _KNOWN_GROUP.match(pattern, start):
        raise PatternError(start, f"there is no group {pattern[start : start + 3]}")
    return start + 1
