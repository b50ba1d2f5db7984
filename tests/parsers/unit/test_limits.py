"""Limits: patterns that backtrack for seconds and JSON that is nested too deep end with an error."""

import threading

import pytest

from node_observability.parsers.explanation import explain
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.regex.deadline import TooSlowError, deadline
from node_observability.parsers.regex.pattern import Pattern
from tests.support.parsers import docker

SLOW = Pattern(r"^(?<a>(?:a|aa)+)$")
SLOW_LINE = b"a" * 50 + b"b"


def test_a_pattern_that_backtracks_is_interrupted_and_later_matches_are_not() -> None:
    with pytest.raises(TooSlowError, match="may stop Fluent Bit for as long"), deadline(0.05):
        SLOW.search(SLOW_LINE)
    assert SLOW.search(b"aaa")


def test_explain_continues_with_the_parser_after_an_interrupted_one() -> None:
    matched, lines = explain([Parser(name="slow", pattern=SLOW), docker()], SLOW_LINE, limit_s=0.05)
    assert not matched
    slow = "slow can't be run over this line: matching its Regex takes more than 0.05 s"
    assert lines[0].startswith(slow)
    assert lines[1].startswith("docker stops at character 1")


def test_other_threads_have_no_deadline() -> None:
    matches = []

    def search() -> None:
        with deadline(0.001):
            matches.append(Pattern("^(?<a>a+)$").search(b"aaa"))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert matches[0]


@pytest.mark.parametrize("line", [b'{"a":' * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_explain_says_that_json_is_nested_too_deep(line: bytes) -> None:
    matched, lines = explain([docker()], line)
    assert not matched
    assert lines[0].endswith("expected JSON that is nested less deeply")
