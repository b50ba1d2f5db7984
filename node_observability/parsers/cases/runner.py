"""Runs cases: compares the records that a configuration's parsers make of the lines with the expected ones.

Does no I/O. A record's time is in the zone of its line, to the nanosecond; ``now`` is the time of reading.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from node_observability.errors import UsageError
from node_observability.parsers.cases.diff import differences
from node_observability.parsers.cases.files import Case, CaseFile
from node_observability.parsers.cases.values import NOW, UNMATCHED, Expected
from node_observability.parsers.model.definitions import Definitions
from node_observability.parsers.model.parser import Parsed
from node_observability.parsers.model.tail import Multiline, ParserFilter, Route, SingleParser
from node_observability.parsers.regex.deadline import TooSlowError, deadline
from node_observability.parsers.regex.syntax_tree import UnsupportedError

__all__ = ["Outcome", "new_routes", "run_all", "time_text"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one case in one configuration; ``differences`` is empty if the case passed."""

    case: Case
    file: CaseFile
    label: str
    actual: Expected
    differences: tuple[str, ...]


def time_text(parsed: Parsed) -> str:
    """Return the record's time: RFC 3339 with nine digits, in the zone of the line; or ``now``."""
    if not parsed.has_time:
        return NOW
    # datetime can't format it: Fluent Bit reads offsets up to 99 hours, Python's zones end at 24.
    offset_s = parsed.offset_s or 0
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=parsed.seconds + offset_s)
    sign, minutes = "-" if offset_s < 0 else "+", abs(offset_s) // 60
    zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if offset_s else "Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{parsed.nanoseconds:09}{zone}"


def _as_expected(parsed: Parsed, line: bytes | None) -> Expected:
    """Return a record in the notation of cases; ``line`` is the one line that it comes from, if any."""
    if parsed.is_raw:
        (text,) = parsed.fields.values()
        return UNMATCHED if text == line else {UNMATCHED: text}
    if parsed.is_lost:
        return {"lost": True, "fields": parsed.fields}
    return {"time": time_text(parsed).encode(), "fields": parsed.fields}


def new_routes(definitions: Definitions, route: str, names: Sequence[str]) -> Callable[[], Route]:
    """Return a function that makes a new route each time: ``parser``, ``parsers`` or ``multiline``.

    Raises:
        UsageError: the configuration lacks one of the parsers.
    """
    if route == "multiline":
        multiline = [definitions.multiline_parser(name) for name in names]
        return lambda: Multiline(multiline)
    parsers = [definitions.parser(name) for name in names]
    if route == "parser" and len(parsers) == 1:
        return lambda: SingleParser(parsers[0])
    return lambda: ParserFilter(parsers)


def _actual(case: Case, route: Route) -> Expected:
    records = [parsed for line in case.lines for parsed in route.append(line)]
    records += route.flush()
    if case.is_sequence or len(records) != 1:
        return [_as_expected(parsed, None) for parsed in records]
    return _as_expected(records[0], case.lines[0])


def _run(case: Case, file: CaseFile, label: str, route: Route) -> Outcome:
    try:
        with deadline():
            actual = _actual(case, route)
    except (UnsupportedError, TooSlowError) as error:
        names = ", ".join(file.names)
        raise case.place.error(f"{case.name}: can't run {names}: {error}") from None
    return Outcome(case, file, label, actual, tuple(differences(case.expected, actual)))


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
                new_route = new_routes(found, file.route, file.names)
            except UsageError as error:
                errors.append(error)
                continue
            outcomes += [_run(case, file, found.label, new_route()) for case in file.cases]
        if len(errors) == len(definitions):
            raise UsageError(*(f"{file.path}: {problem}" for problem in errors[0].problems))
    return outcomes
