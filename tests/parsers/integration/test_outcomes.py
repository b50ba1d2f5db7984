"""Outcomes: which cases pass, and what is printed and written about those that fail."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.cases.files import read
from node_observability.parsers.cases.report import failure_text, summary, write_junit
from node_observability.parsers.cases.runner import Outcome, run_all
from node_observability.parsers.model.definitions import Definitions, build
from tests.support.parsers import CASES, Write, configuration_of

CHAIN = """\
parsers: [j, p]
cases:
- name: chain
  lines: ['{"a":"b"}', x]
  expected:
  - {time: now, fields: {a: b}}
  - unmatched: x
"""
JOINED = """\
multiline: [cri]
cases:
- name: join
  lines: [2016-10-06T00:17:09.5Z stdout P a, 2016-10-06T00:17:10.5Z stdout F b]
  expected:
  - time: 2016-10-06T00:17:09.5Z
    fields: {time: '2016-10-06T00:17:09.5Z', stream: stdout, _p: P, log: ab}
"""
LOST = """\
multiline: [cri]
cases:
- name: lost
  line: garbage stdout F b
  expected: {lost: true, fields: {time: garbage, stream: stdout, _p: F, log: b}}
"""
Run = Callable[[str], list[Outcome]]


@pytest.fixture
def run(write: Write, definitions: Definitions) -> Run:
    """Return what runs the text of a case file."""
    return lambda text: run_all([read(write("cases.yaml", text))], [definitions])


def test_correct_cases_pass(run: Run) -> None:
    assert [outcome.differences for outcome in run(CASES)] == [()] * 6


def test_cases_run_only_in_configurations_that_have_their_parser(
    write: Write, definitions: Definitions
) -> None:
    other = build(configuration_of(write("b.conf", "[PARSER]\n    Name q\n    Format json\n")), {})
    cases = [read(write("cases.yaml", CASES))]
    assert {one.label for one in run_all(cases, [other, definitions])} == {definitions.label}
    with pytest.raises(UsageError, match=r"cases\.yaml: "):
        run_all(cases, [other, other])


def test_a_failed_case_shows_the_expected_and_the_actual_values(run: Run, tmp_path: Path) -> None:
    outcome = run(CASES.replace("{log: hello}\n- name: bytes", "{lag: 1}\n- name: bytes"))[0]
    assert failure_text(outcome).splitlines() == [
        f"FAIL {tmp_path}/cases.yaml:5 right [{tmp_path}/a.conf]",
        "  line: '2016-10-06T09:17:09.5+09:00 hello'",
        "  - fields.lag: 1",
        "  + fields.log: 'hello'",
    ]


def test_two_long_texts_are_shown_where_they_differ(run: Run) -> None:
    outcome = run(
        CASES.replace("log: !join [[x, 300], !b", "log: !join [[x, 200], y, [x, 99], !b")
    )[2]
    assert [difference[:60] for difference in outcome.differences] == [
        "- fields.log: …" + "x" * 40 + "yxxxx",
        "+ fields.log: …" + "x" * 45,
    ]


@pytest.mark.parametrize("text", [CHAIN, JOINED, LOST])
def test_sequences_chains_and_joined_parts_are_run(text: str, run: Run) -> None:
    assert [outcome.differences for outcome in run(text)] == [()]


def test_a_parser_that_no_configuration_has_is_reported(run: Run) -> None:
    with pytest.raises(UsageError, match="unknown parser q"):
        run("parser: q\ncases:\n- {name: a, line: b}\n")


def junit_of(outcomes: list[Outcome], path: Path) -> ET.Element:
    write_junit(path, outcomes, 0.5)
    return ET.parse(path).getroot()  # noqa: S314 - written by us


def test_control_characters_break_neither_the_terminal_nor_the_junit_file(
    run: Run, tmp_path: Path
) -> None:
    (outcome,) = run(
        'parser: p\ncases: [{name: "a\\e[31m\\x01", line: x,expected: {time: now, fields: {"\\e": 1}}}]'
    )
    assert "\x1b" not in failure_text(outcome)
    assert r"a\x1b[31m\x01" in failure_text(outcome)
    (case,) = junit_of([outcome], tmp_path / "out.xml").iter("testcase")
    assert case.get("name") == "a\ufffd[31m\ufffd"


def test_junit_holds_each_case_and_the_text_of_each_failure(run: Run, tmp_path: Path) -> None:
    wrong = 'line: "x\\0"\n  expected: {time: now, fields: {}}'
    suites = junit_of(
        run(CASES.replace("line: x\n  expected: unmatched", wrong)), tmp_path / "out.xml"
    )
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures")) == ("6", "1")
    (failure,) = suites.iter("failure")
    assert "+ record: unmatched" in (failure.text or "")


def test_the_summary_counts(run: Run, write: Write, definitions: Definitions) -> None:
    outcomes = run_all([read(write("cases.yaml", CASES))], [definitions, definitions])
    counts = "6 cases in 1 files, 1 configurations, 12 checks"
    assert summary(outcomes, 0.25) == f"{counts}: all passed (0.25 s)"
    failed = run(CASES.replace("log: hello", "log: x"))
    assert "2 of 6 checks failed" in summary(failed, 0.25)
