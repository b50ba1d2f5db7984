"""Onigmo's quantifiers, as Ruby's syntax has them: ``*``, ``+?``, ``?+``, ``{2,3}``."""

import re

from node_observability.parsers.regex.syntax_tree import PatternError, UnmodelledError

__all__ = ["read_quantifier"]

_INTERVAL = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
# ONIG_MAX_REPEAT_NUM; Fluent Bit does not start beyond it.
_REPEAT_LIMIT = 100_000


def read_quantifier(source: str, at: int, offset: int) -> tuple[str, int]:
    """Read the quantifier at ``at``; return it in Python's syntax, empty for none, and the offset behind it.

    ``offset`` is where the pattern begins in what the user wrote, for errors.

    Raises:
        PatternError: it repeats too often.
        UnmodelledError: Python has nothing like it.
    """
    char = source[at : at + 1]
    quantifier, lazy = "", True
    if char and char in "*+?":
        quantifier, at = char, at + 1
    elif char == "{" and (found := _INTERVAL.match(source, at)):
        quantifier = _interval(found, at + offset)
        if not quantifier:
            return "", at
        lazy, at = bool(found[2]), found.end()
    if not quantifier:
        return "", at
    suffix = source[at : at + 1]
    if suffix == "?" or (suffix == "+" and char in "*+?"):
        if not lazy:
            raise UnmodelledError(at + offset, f"{quantifier}? is not modelled")
        quantifier, at = quantifier + suffix, at + 1
    following = source[at : at + 1]
    if (following and following in "*+?") or _INTERVAL.match(source, at):
        raise UnmodelledError(at + offset, "a quantifier of a quantifier is not modelled")
    return quantifier, at


def _interval(found: re.Match[str], place: int) -> str:
    low, comma, high = found[1], found[2], found[3] or ""
    if not low and not high:
        return ""
    if any(map(_is_beyond_limit, (low, high))):
        raise PatternError(place, f"{found[0][:20]} repeats more than {_REPEAT_LIMIT:,} times")
    if low and high and int(low) > int(high):
        raise UnmodelledError(place, f"{found[0]} with the larger number first is not modelled")
    return f"{{{low or 0}{comma or ''}{high}}}"


def _is_beyond_limit(number: str) -> bool:
    # Python refuses to read a number of thousands of digits.
    digits = number.lstrip("0")
    return len(digits) > len(str(_REPEAT_LIMIT)) or (digits != "" and int(digits) > _REPEAT_LIMIT)
