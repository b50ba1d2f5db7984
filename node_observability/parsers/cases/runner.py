"""Runs cases: what the parsers of a configuration make of the lines, in the form in which cases say it.

Pure. A record's time is written in the zone that the line named, to the nanosecond; ``now`` is the time of
reading, for want of another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from node_observability.errors import UsageError
from node_observability.parsers.cases.diff import differences
from node_observability.parsers.cases.files import Case, CaseFile, Expected
from node_observability.parsers.configuration.sections import broken
from node_observability.parsers.model.definitions import Definitions
from node_observability.parsers.model.parser import Parsed
from node_observability.parsers.model.tail import Chain, Joined, Route, Single
from node_observability.parsers.regex.deadline import TooSlowError, limited
from node_observability.parsers.regex.syntax_tree import UnmodelledError

__all__ = ["UNMATCHED", "Outcome", "record_of", "route_of", "run", "run_all", "time_text"]

UNMATCHED = "unmatched"
_NOW = "now"


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
    # By hand: Fluent Bit reads offsets up to 99 hours, Python's zones end at 24.
    offset_s = parsed.offset_s or 0
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=parsed.seconds + offset_s)
    sign, minutes = "-" if offset_s < 0 else "+", abs(offset_s) // 60
    zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if offset_s else "Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{parsed.nanoseconds:09}{zone}"


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
    return _run(file, definitions, route_of(file, definitions))


def _run(file: CaseFile, definitions: Definitions, make: Callable[[], Route]) -> list[Outcome]:
    outcomes = []
    for case in file.cases:
        try:
            with limited():
                actual = _actual(case, make())
        except (UnmodelledError, TooSlowError) as error:
            names = ", ".join(file.names)
            raise broken(case.place, f"{case.name}: {names} over this line: {error}") from None
        found = tuple(differences(case.expected, actual))
        outcomes.append(Outcome(case, file, definitions.label, actual, found))
    return outcomes


def run_all(files: Sequence[CaseFile], definitions: Sequence[Definitions]) -> list[Outcome]:
    """Run each file in each configuration that has its parsers.

    Raises:
        UsageError: no configuration has them, or a case can't be run.
    """
    outcomes: list[Outcome] = []
    for file in files:
        errors: list[UsageError] = []
        for found in definitions:
            try:
                make = route_of(file, found)
            except UsageError as error:
                errors.append(error)
                continue
            outcomes += _run(file, found, make)
        if len(errors) == len(definitions):
            raise UsageError(*(f"{file.path}: {problem}" for problem in errors[0].problems))
    return outcomes
