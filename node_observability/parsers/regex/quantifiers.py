"""Reads Onigmo's quantifiers, as Ruby's syntax has them: ``*``, ``+?``, ``?+``, ``{2,3}``."""

import re

from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError

__all__ = ["read_quantifier"]

_INTERVAL = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
# ONIG_MAX_REPEAT_NUM; Fluent Bit does not start with a larger number.
_REPEAT_LIMIT = 100_000


def read_quantifier(source: str, at: int) -> tuple[str, int]:
    """Read the quantifier at ``at``.

    Returns:
        The quantifier in Python's syntax, empty if there is none, and the offset after it.

    Raises:
        PatternError: it repeats too often.
        UnsupportedError: Python has no equivalent.
    """
    char = source[at : at + 1]
    quantifier, can_be_lazy = "", True
    if char and char in "*+?":
        quantifier, at = char, at + 1
    elif char == "{" and (found := _INTERVAL.match(source, at)):
        quantifier = _interval(found, at)
        if not quantifier:
            return "", at
        can_be_lazy, at = bool(found[2]), found.end()
    if not quantifier:
        return "", at
    suffix = source[at : at + 1]
    if suffix == "?" or (suffix == "+" and char in "*+?"):
        if not can_be_lazy:
            raise UnsupportedError(at, f"{quantifier}? is not supported")
        quantifier, at = quantifier + suffix, at + 1
    following = source[at : at + 1]
    if (following and following in "*+?") or _INTERVAL.match(source, at):
        raise UnsupportedError(at, "a quantifier after a quantifier is not supported")
    return quantifier, at


def _interval(found: re.Match[str], at: int) -> str:
    low, comma, high = found[1], found[2], found[3] or ""
    if not low and not high:
        return ""
    if any(map(_is_beyond_limit, (low, high))):
        raise PatternError(at, f"{found[0][:20]} repeats more than {_REPEAT_LIMIT:,} times")
    if low and high and int(low) > int(high):
        raise PatternError(at, f"{found[0]} has the larger number first")
    return f"{{{low or 0}{comma or ''}{high}}}"


def _is_beyond_limit(number: str) -> bool:
    # Python raises an error for a number with thousands of digits.
    digits = number.lstrip("0")
    return len(digits) > len(str(_REPEAT_LIMIT)) or (digits != "" and int(digits) > _REPEAT_LIMIT)
