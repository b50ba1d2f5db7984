"""Runs cases: what the parsers of a configuration make of the lines, in the form in which cases say it.

Pure. A record's time is written in the zone that the line named, to the nanosecond; ``now`` is the time of
reading, for want of another.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from node_observability.errors import UsageError
from node_observability.parsers.casefiles import Case, CaseFile, Expected
from node_observability.parsers.casting import Value
from node_observability.parsers.definitions import Definitions
from node_observability.parsers.parser import Parsed
from node_observability.parsers.sections import broken
from node_observability.parsers.syntax import UnmodelledError
from node_observability.parsers.tail import Chain, Joined, Route, Single

__all__ = ["UNMATCHED", "Outcome", "normal", "record_of", "route_of", "run", "run_all", "time_text"]

UNMATCHED = "unmatched"
_NOW = "now"
_SHOWN = 160
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case in one configuration. ``differences`` is empty where it passed."""

    case: Case
    file: CaseFile
    label: str
    actual: Expected
    differences: tuple[str, ...]


def time_text(parsed: Parsed) -> str:
    """Return the record's time: RFC 3339 with nine digits, in the zone of the line, or ``now``."""
    if not parsed.has_time:
        return _NOW
    zone = timezone(timedelta(seconds=parsed.offset_s)) if parsed.offset_s else UTC
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=parsed.seconds)
    text = moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    sign = "-" if (parsed.offset_s or 0) < 0 else "+"
    minutes = abs(parsed.offset_s or 0) // 60
    offset = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if parsed.offset_s else "Z"
    return f"{text}.{parsed.nanoseconds:09}{offset}"


def normal(text: str) -> str:
    """Return a time as ``time_text`` would write it; a text that is none as it stands."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    zone = found[4] or "Z"
    return (
        f"{found[1]}T{found[2]}.{(found[3] or '').ljust(9, '0')}{'Z' if zone == '+00:00' else zone}"
    )


def record_of(parsed: Parsed, line: bytes | None) -> Expected:
    """Return a record as a case says it; ``line``: the one line that made it, if there is one."""
    if parsed.is_raw:
        text = parsed.fields[next(iter(parsed.fields))]
        return UNMATCHED if text == line else {"unmatched": text}
    if parsed.is_lost:
        return {"lost": True, "fields": parsed.fields}
    return {"time": time_text(parsed).encode(), "fields": parsed.fields}


def route_of(file: CaseFile, definitions: Definitions) -> Callable[[], Route]:
    """Return what makes a fresh route for each case of the file.

    Raises:
        UsageError: the configuration lacks one of the parsers.
    """
    if file.route == "multiline":
        multiline = [definitions.multiline_parser(name) for name in file.names]
        return lambda: Joined(multiline)
    parsers = [definitions.parser(name) for name in file.names]
    if file.route == "parser" and len(parsers) == 1:
        return lambda: Single(parsers[0])
    return lambda: Chain(parsers)


def _actual(case: Case, route: Route) -> Expected:
    records = [parsed for line in case.lines for parsed in route.line(line)]
    records += route.end()
    if case.is_sequence or len(records) != 1:
        return [record_of(parsed, None) for parsed in records]
    return record_of(records[0], case.lines[0])


def run(file: CaseFile, definitions: Definitions) -> list[Outcome]:
    """Run the cases of a file.

    Raises:
        UsageError: the configuration lacks one of the parsers.
    """
    make = route_of(file, definitions)
    outcomes = []
    for case in file.cases:
        try:
            actual = _actual(case, make())
        except UnmodelledError as error:
            raise broken(case.place, f"{', '.join(file.names)} over this line: {error}") from None
        differences = tuple(_differences(case.expected, actual))
        outcomes.append(Outcome(case, file, definitions.label, actual, differences))
    return outcomes


def _differences(expected: Expected | None, actual: Expected) -> list[str]:
    if expected is None:
        return ["the case says no expected; --update writes it", *_lines("+", "", actual)]
    wanted, got = dict(_flat("", expected)), dict(_flat("", actual))
    texts = []
    for key in [*wanted, *(key for key in got if key not in wanted)]:
        if wanted.get(key) != got.get(key):
            cut = _cut(wanted.get(key, ""), got.get(key, ""))
            texts += [f"- {key or 'record'}: {_clipped(wanted[key], cut)}"] if key in wanted else []
            texts += [f"+ {key or 'record'}: {_clipped(got[key], cut)}"] if key in got else []
    return texts


def _cut(one: str, other: str) -> int:
    """Return where to begin to show two long texts, so that the first difference is seen."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return max(0, same - _SHOWN // 4) if max(len(one), len(other)) > _SHOWN else 0


def _clipped(text: str, cut: int) -> str:
    rest = text[cut:]
    shown = f"{rest[:_SHOWN]}… ({len(text)} characters)" if len(rest) > _SHOWN else rest
    return f"…{shown}" if cut else shown


def _lines(sign: str, prefix: str, value: Expected) -> list[str]:
    return [f"{sign} {key or 'record'}: {_clipped(text, 0)}" for key, text in _flat(prefix, value)]


def _flat(prefix: str, value: Expected | Value) -> list[tuple[str, str]]:
    """Return each value by the path to it, as a text that tells types apart."""
    if isinstance(value, dict) and value:
        return [
            pair
            for key, item in value.items()
            for pair in _flat(f"{prefix}.{key}".lstrip("."), item)
        ]
    if isinstance(value, list) and value:
        return [
            pair for index, item in enumerate(value) for pair in _flat(f"{prefix}[{index}]", item)
        ]
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
        return [(prefix, repr(normal(text) if _is_time(prefix) else text))]
    return [(prefix, repr(value))]


def _is_time(path: str) -> bool:
    return path == "time" or (path.startswith("[") and path.endswith("].time"))


def run_all(files: Sequence[CaseFile], definitions: Sequence[Definitions]) -> list[Outcome]:
    """Run each file in each configuration that has its parsers.

    Raises:
        UsageError: no configuration has them.
    """
    outcomes: list[Outcome] = []
    for file in files:
        errors: list[UsageError] = []
        for found in definitions:
            try:
                outcomes += run(file, found)
            except UsageError as error:
                errors.append(error)
        if len(errors) == len(definitions):
            raise UsageError(*(f"{file.path}: {problem}" for problem in errors[0].problems))
    return outcomes
