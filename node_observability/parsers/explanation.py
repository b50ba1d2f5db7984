"""``parsers explain``: which parser takes a line, what it makes of it, and where the others stopped."""

import json
import re
from dataclasses import dataclass

from node_observability.parsers.cases.diff import quoted
from node_observability.parsers.cases.runner import time_text
from node_observability.parsers.model.parser import Parsed, Parser
from node_observability.parsers.model.tail import without_return
from node_observability.parsers.regex.deadline import LIMIT_S, TooSlowError, limited
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import UnmodelledError

__all__ = ["Stop", "explain", "stop_of"]

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a parser stopped: the offset in bytes, and what it wanted there."""

    offset: int
    wanted: str


def stop_of(parser: Parser, line: bytes) -> Stop:
    """Return the first byte at which the parser that does not take the line stopped matching."""
    if parser.pattern is None:
        return _json_stop(line)
    if not parser.pattern.names:
        return Stop(0, "a named group, of which its Regex has none")
    return _pattern_stop(parser.pattern, line)


def _pattern_stop(pattern: Pattern, line: bytes) -> Stop:
    furthest = -1
    wanted: list[str] = []
    outer = ""
    for prefix in pattern.prefixes():
        try:
            found = re.compile(prefix.text.encode("latin-1"), re.MULTILINE | re.DOTALL).search(line)
        except re.error:
            continue  # A reference to a group that this beginning has not closed.
        if found is None or found.end() < furthest:
            continue
        if found.end() > furthest:
            furthest, wanted = found.end(), []
        part = pattern.part(prefix.start, prefix.stop)
        outer = pattern.part(prefix.outer_start, prefix.outer_stop)
        wanted += [part] if part not in wanted else []
    # The whole of a group and its parts begin at one place; the parts say more.
    if len(wanted) > 1 and outer in wanted:
        wanted.remove(outer)
    within = f" (in {outer})" if outer not in wanted else ""
    return Stop(max(furthest, 0), " or ".join(f"`{part}`" for part in wanted) + within)


def _json_stop(line: bytes) -> Stop:
    stripped = line.lstrip(b" \t\n\r")
    if not stripped.startswith(b"{"):
        return Stop(len(line) - len(stripped), "`{`")
    try:
        json.JSONDecoder(strict=False).raw_decode(line.decode("utf-8", "surrogateescape"))
    except RecursionError:
        return Stop(len(line) - len(stripped), "JSON that is nested less deep")
    except json.JSONDecodeError as error:
        before = error.doc[: error.pos].encode("utf-8", "surrogateescape")
        return Stop(len(before), f"JSON: {error.msg}")
    return Stop(len(line), "one object and nothing behind it")


def explain(parsers: list[Parser], line: bytes, limit_s: float = LIMIT_S) -> tuple[bool, list[str]]:
    """Return whether a parser takes the line, and the lines to print, in the order of the parsers.

    ``limit_s`` is the processor time that one parser has.
    """
    line = without_return(line)
    taken, lines = False, []
    for parser in parsers:
        try:
            with limited(limit_s):
                parsed = parser.parse(line)
                refused = _refused(parser, line) if parsed is None else ""
        except (UnmodelledError, TooSlowError) as error:
            lines.append(f"{parser.name} can't be run over this line: {error}")
            continue
        if parsed is None:
            lines.append(refused)
            continue
        verb = "would take it too" if taken else "takes it"
        taken = True
        lines += [f"{parser.name} {verb}", *_described(parsed)]
    if not taken:
        lines.append("no parser takes it: kept whole as `log`, stamped with the time of reading")
    return taken, lines


def _described(parsed: Parsed) -> list[str]:
    if parsed.is_lost:
        lines = ["  time: before 1970, beyond 2106 or none at all; Fluent Bit loses the record"]
    else:
        stamp = time_text(parsed)
        lines = [f"  time: {stamp}" + (" (stamped when it is read)" if stamp == "now" else "")]
    if parsed.complaint:
        lines.append(f"  warning: {parsed.complaint}")
    for key, value in parsed.fields.items():
        text = quoted(value) if isinstance(value, bytes) else repr(value)
        lines.append(f"  {key}: {text}")
    return lines


def _refused(parser: Parser, line: bytes) -> str:
    stop = stop_of(parser, line)
    character = len(line[: stop.offset].decode("utf-8", "backslashreplace")) + 1
    rest = line[stop.offset :].decode("utf-8", "backslashreplace")
    shown = (
        f"{rest[:_SHOWN]!r}" + ("…" if len(rest) > _SHOWN else "")
        if rest
        else "the end of the line"
    )
    return f"{parser.name} stopped at character {character}, {shown}: wanted {stop.wanted}"
