"""``parsers explain``: which parser matches a line, the record it makes, and where the others stop."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from node_observability.parsers.cases.diff import quoted
from node_observability.parsers.cases.runner import time_text
from node_observability.parsers.cases.values import NOW
from node_observability.parsers.model.parser import Parsed, Parser
from node_observability.parsers.model.tail import without_carriage_return
from node_observability.parsers.regex.deadline import LIMIT_S, TooSlowError, deadline
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import UnsupportedError

__all__ = ["explain"]

_MAX_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where a parser stopped: the offset in bytes, and what it expected there."""

    offset: int
    expected: str


def _find_stop(parser: Parser, line: bytes) -> _Stop:
    """Return the first byte at which a parser that does not match the line stopped."""
    if parser.pattern is None:
        return _json_stop(line)
    if not parser.pattern.names:
        return _Stop(0, "a named group, but the Regex has none")
    return _pattern_stop(parser.pattern, line)


def _pattern_stop(pattern: Pattern, line: bytes) -> _Stop:
    furthest = -1
    # By the part of the pattern that contains them: the parts that could match next.
    expected: dict[str, list[str]] = {}
    for prefix in pattern.prefixes():
        try:
            found = re.compile(prefix.text.encode("latin-1"), re.MULTILINE | re.DOTALL).search(line)
        except re.error:
            continue  # The prefix refers to a group that it does not close.
        if found is None or found.end() < furthest:
            continue
        if found.end() > furthest:
            furthest, expected = found.end(), {}
        outer = pattern.part(prefix.outer_start, prefix.outer_stop)
        expected.setdefault(outer, []).append(pattern.part(prefix.start, prefix.stop))
    texts = []
    for outer, parts in expected.items():
        # A whole group and its parts begin at the same place; the parts are more precise.
        inner = [part for part in dict.fromkeys(parts) if part != outer]
        text = " or ".join(f"`{part}`" for part in inner or [outer])
        texts.append(f"{text} (in {outer})" if inner else text)
    return _Stop(max(furthest, 0), " or ".join(texts))


def _json_stop(line: bytes) -> _Stop:
    stripped = line.lstrip(b" \t\n\r")
    if not stripped.startswith(b"{"):
        return _Stop(len(line) - len(stripped), "`{`")
    try:
        # Python refuses to convert thousands of digits; their value does not matter here.
        json.JSONDecoder(strict=False, parse_int=str).raw_decode(
            line.decode("utf-8", "surrogateescape")
        )
    except RecursionError:
        return _Stop(len(line) - len(stripped), "JSON that is nested less deeply")
    except json.JSONDecodeError as error:
        before = error.doc[: error.pos].encode("utf-8", "surrogateescape")
        return _Stop(len(before), f"valid JSON ({error.msg})")
    return _Stop(len(line), "one object and no value after it")


def explain(
    parsers: Sequence[Parser], line: bytes, limit_s: float = LIMIT_S
) -> tuple[bool, list[str]]:
    """Return whether a parser matches the line, and the lines to print, in the order of the parsers.

    Each parser may use ``limit_s`` seconds of processor time.
    """
    line = without_carriage_return(line)
    is_matched, lines = False, []
    for parser in parsers:
        try:
            with deadline(limit_s):
                parsed = parser.parse(line)
                stopped = _stop_text(parser, line) if parsed is None else ""
        except (UnsupportedError, TooSlowError) as error:
            lines.append(f"{parser.name} can't be run over this line: {error}")
            continue
        if parsed is None:
            lines.append(stopped)
            continue
        verb = "would match too" if is_matched else "matches"
        is_matched = True
        lines += [f"{parser.name} {verb}", *_record_lines(parsed)]
    if not is_matched:
        lines.append(
            "no parser matches: Fluent Bit keeps the whole line as log, with the time of reading"
        )
    return is_matched, lines


def _record_lines(parsed: Parsed) -> list[str]:
    stamp = time_text(parsed) if not parsed.is_lost else ""
    if parsed.is_lost:
        lines = ["  time: before 1970, after 2106 or invalid; Fluent Bit loses the record"]
    else:
        lines = [f"  time: {stamp}" + (" (the time of reading)" if stamp == NOW else "")]
    if parsed.warning:
        lines.append(f"  warning: {parsed.warning}")
    for key, value in parsed.fields.items():
        text = quoted(value) if isinstance(value, bytes) else repr(value)
        lines.append(f"  {key}: {text}")
    return lines


def _stop_text(parser: Parser, line: bytes) -> str:
    stop = _find_stop(parser, line)
    character = len(line[: stop.offset].decode("utf-8", "backslashreplace")) + 1
    rest = line[stop.offset :].decode("utf-8", "backslashreplace")
    shown = f"{rest[:_MAX_SHOWN]!r}" + ("…" if len(rest) > _MAX_SHOWN else "")
    at = shown if rest else "the end of the line"
    return f"{parser.name} stops at character {character}, {at}: expected {stop.expected}"
