"""``explain``: which parser matches a line, the record it makes, and where the others stop."""

import pytest

from node_observability.parsers.cases.runner import time_text
from node_observability.parsers.cases.values import normalize_time
from node_observability.parsers.explanation import explain
from node_observability.parsers.model.parser import Parsed, Parser
from node_observability.parsers.regex.pattern import Pattern
from tests.support.parsers import cri, docker


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b"2016-10-06T00:17:09.5Z stdin F hello",
            "cri stops at character 27, 'in F hello': expected `o` or `e` (in (?<stream>stdout|stderr))",
        ),
        (b"2016", "cri stops at character 5, the end of the line: expected ` `"),
        ("é stdin".encode(), "cri stops at character 6, 'in': expected `o` or `e`"),
    ],
)
def test_explain_shows_where_a_line_stops_matching(line: bytes, expected: str) -> None:
    taken, lines = explain([cri()], line)
    assert not taken
    assert lines[0].startswith(expected)
    assert lines[-1].startswith("no parser matches")


def test_every_part_that_could_match_next_is_named_with_what_contains_it() -> None:
    pattern = Pattern(r"^(?<ident>[a-z]+)(?:\[(?<pid>[0-9]+)\])?: (?<log>.*)$")
    _, lines = explain([Parser(name="p", pattern=pattern)], b"kernel hello")
    parts = r"`\[` (in (?:\[(?<pid>[0-9]+)\])?) or `:`"
    assert lines[0] == f"p stops at character 7, ' hello': expected {parts}"


def test_explain_shows_fields_times_and_warnings() -> None:
    taken, lines = explain([docker(), cri()], b"2016-10-06T00:17:09Z stdout F hello\r")
    assert taken
    stopped = "docker stops at character 1, '2016-10-06T00:17:09Z stdout F hello': expected `{`"
    assert lines[:3] == [stopped, "cri matches", "  time: now (the time of reading)"]
    assert lines[-1] == "  log: 'hello'"
    assert any(text.startswith("  warning: invalid time format") for text in lines)


def test_explain_shows_where_json_is_invalid_and_which_parsers_would_match_too() -> None:
    _, lines = explain([docker(), docker()], b'{"a":"b"')
    assert lines[0].startswith(
        "docker stops at character 9, the end of the line: expected valid JSON ("
    )
    _, lines = explain([docker(), docker()], b'{"a":1}')
    assert [text for text in lines if "match" in text] == [
        "docker matches",
        "docker would match too",
    ]


@pytest.mark.parametrize(
    ("parsed", "expected"),
    [
        (Parsed({}), "now"),
        (Parsed({}, 1475713029, 5, 0), "2016-10-06T00:17:09.000000005Z"),
        (Parsed({}, 1475713029, 5, None), "2016-10-06T00:17:09.000000005Z"),
        (Parsed({}, 1475713029, 5, 32400), "2016-10-06T09:17:09.000000005+09:00"),
        (Parsed({}, 1475713029, 5, -12600), "2016-10-05T20:47:09.000000005-03:30"),
        (Parsed({}, 1475713029, 5, 99 * 3600), "2016-10-10T03:17:09.000000005+99:00"),
        (Parsed({}, 0, 5, None), "1970-01-01T00:00:00.000000005Z"),
    ],
)
def test_a_time_is_written_in_the_zone_of_its_line(parsed: Parsed, expected: str) -> None:
    assert time_text(parsed) == expected
    assert normalize_time(expected) == expected
