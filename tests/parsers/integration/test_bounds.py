"""What would never end, or would end the process, is refused: bombs, pipes, devices, runaway patterns."""

import threading
from pathlib import Path

import pytest

from node_observability.parsers.explanation import explain
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.regex.deadline import TooSlowError, deadline
from node_observability.parsers.regex.pattern import Pattern
from tests.support.parsers import Command, docker


def test_a_pattern_that_runs_away_is_ended() -> None:
    pattern = Pattern(r"^(?<a>(?:a|aa)+)$")
    with pytest.raises(TooSlowError, match="may stop Fluent Bit for as long"), deadline(0.05):
        pattern.search(b"a" * 50 + b"b")
    # And what comes after it is not.
    assert pattern.search(b"aaa")


def test_explaining_goes_on_with_the_next_parser() -> None:
    slow = Parser(name="slow", pattern=Pattern(r"^(?<a>(?:a|aa)+)$"))
    taken, lines = explain([slow, docker()], b"a" * 50 + b"b", limit_s=0.05)
    assert not taken
    assert lines[0].startswith(
        "slow can't be run over this line: matching its Regex takes more than"
    )
    assert lines[1].startswith("docker stops at character 1")


def test_in_another_thread_nothing_is_limited() -> None:
    matches = []

    def search() -> None:
        with deadline(0.001):
            matches.append(Pattern("^(?<a>a+)$").search(b"aaa"))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert matches[0]


@pytest.mark.parametrize("line", [b'{"a":' * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_json_that_is_nested_too_deep_is_explained(line: bytes) -> None:
    taken, lines = explain([docker()], line)
    assert not taken
    assert "JSON that is nested less deep" in lines[0]


def test_a_broken_configuration_is_exit_2_and_one_line(project: Path) -> None:
    for name, text, error in (
        (
            "a.conf",
            "[SERVICE]\n    Parsers_File nope.conf\n",
            "a.conf:2: Parsers_File: no such file: nope.conf",
        ),
        ("b.conf", "@INCLUDE nope.conf\n", "b.conf:1: @INCLUDE: no such file: nope.conf"),
        ("c.yaml", "includes:\n- nope.yaml\n", "c.yaml:2: includes: no such file: nope.yaml"),
        ("d.yaml", "[" * 200_000, "d.yaml:1: nested more than 100 levels deep"),
    ):
        (project / name).write_text(text)
        done = Command(project, "lint", "-c", name)
        assert (done.code, done.err) == (2, f"node-observability parsers: {error}\n")
