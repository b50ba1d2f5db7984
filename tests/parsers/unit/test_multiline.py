"""Joining: the parts of one stream become one record, and stray lines break nothing."""

import pytest

from node_observability.parsers.model.multiline import Joiner, MultilineParser, built_in_parsers
from node_observability.parsers.model.parser import Parsed, raw_record
from node_observability.parsers.model.tail import (
    Multiline,
    ParserFilter,
    SingleParser,
    without_carriage_return,
)
from tests.support.parsers import cri, docker

TIME = b"2016-10-06T00:17:09.5Z"


def cri_line(stream: str, tag: str, text: str, time: bytes = TIME) -> bytes:
    return time + f" {stream} {tag} {text}".encode()


PART, LAST = cri_line("stdout", "P", "a"), cri_line("stdout", "F", "b")
COLON = cri_line("stdout", "F:x", "a")
DOCKER = b'{"stream":"stdout","time":"2016-10-06T00:17:09.5Z","log":"%b"}'


def logs(records: list[Parsed]) -> list[object]:
    return [record.fields["log"] for record in records]


@pytest.mark.parametrize(
    ("names", "lines", "records"),
    [
        (["cri"], [PART, cri_line("stderr", "F", "x"), LAST], [[], [b"x"], [b"ab"], []]),
        (["cri"], [PART], [[], [b"a"]]),
        (["cri"], [b""], [[], []]),
        (["cri"], [cri_line("stdout", "F", "")], [[b""], []]),
        (["cri"], [COLON], [[COLON], []]),
        (["docker"], [DOCKER % b"a", DOCKER % rb"b\n"], [[], [b"ab\n"], []]),
        (["docker"], [DOCKER % b""], [[DOCKER % b""], []]),
        (
            ["docker", "cri"],
            [DOCKER % rb"x\n", LAST, DOCKER % rb"x\n"],
            [[b"x\n"], [b"b"], [b"x\n"], []],
        ),
    ],
    ids=[
        "each stream is joined separately",
        "a flush returns the pending parts",
        "an empty line that no parser matches is not a record",
        "an empty message is a record",
        "the built-in parser does not match a tag with a colon",
        "docker lines are joined until a newline",
        "a docker line with an empty log is kept whole",
        "the parsers take turns, and each keeps its own parts",
    ],
)
def test_lines_become_records(
    names: list[str], lines: list[bytes], records: list[list[bytes]]
) -> None:
    joiner = Joiner([built_in_parsers()[name] for name in names])
    assert [*(logs(joiner.append(line)) for line in lines), logs(joiner.flush())] == records


def test_parts_are_joined_and_the_record_has_the_fields_and_time_of_the_first() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    assert joiner.append(PART) == []
    (record,) = joiner.append(cri_line("stdout", "F", "b", b"2020-01-01T00:00:00.5Z"))
    assert record.fields == {"time": TIME, "stream": b"stdout", "_p": b"P", "log": b"ab"}
    assert record.seconds == 1475713029


def test_a_line_that_no_parser_matches_flushes_the_pending_parts_before_it() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    joiner.append(PART)
    assert joiner.append(b"junk") == [
        Parsed(
            {"time": TIME, "stream": b"stdout", "_p": b"P", "log": b"a"}, 1475713029, 500000000, 0
        ),
        raw_record("log", b"junk"),
    ]


def test_the_text_of_a_lost_record_is_put_before_the_next_one() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    (lost,) = joiner.append(cri_line("stdout", "F", "a", b"garbage"))
    assert lost.is_lost
    assert joiner.flush() == []
    assert logs(joiner.append(LAST)) == [b"ab"]


def test_without_a_parser_and_a_key_the_parts_stay_lines() -> None:
    joiner = Joiner([MultilineParser(name="m", is_equal=False, match=b"\\", negate=True)])
    assert joiner.append(b"a\\") == []
    assert joiner.append(b"b") == [raw_record("log", b"a\\\nb\n")]


def test_without_a_parser_a_line_shorter_than_the_match_is_lost() -> None:
    joiner = Joiner([MultilineParser(name="m", is_equal=False, match=b"END")])
    assert joiner.append(b"no") == []
    assert joiner.append(b"the END") == [raw_record("log", b"the END\n")]


def test_negated_equality_ends_a_message_with_every_other_tag() -> None:
    parser = MultilineParser(
        name="m",
        is_equal=True,
        match=b"P",
        negate=True,
        key_content="log",
        key_pattern="logtag",
        key_group="stream",
        parser=cri(),
    )
    joiner = Joiner([parser])
    assert joiner.append(PART) == []
    assert logs(joiner.append(cri_line("stdout", "F:x", "b"))) == [b"ab"]


def test_a_single_parser_keeps_the_carriage_return_of_a_line_that_it_does_not_match() -> None:
    assert SingleParser(cri()).append(b"junk\r") == [raw_record("log", b"junk\r")]
    assert ParserFilter([cri()]).append(b"junk\r") == [raw_record("log", b"junk")]
    assert logs(SingleParser(cri()).append(cri_line("stdout", "F", "a\r"))) == [b"a"]


@pytest.mark.parametrize(("line", "expected"), [(b"\r", b"\r"), (b"a\r", b"a"), (b"\r\r", b"\r")])
def test_a_line_of_one_carriage_return_keeps_it(line: bytes, expected: bytes) -> None:
    assert without_carriage_return(line) == expected


def test_a_parser_filter_uses_the_first_parser_that_matches() -> None:
    chain = ParserFilter([docker(), cri()])
    assert logs(chain.append(b'{"log":"x"}')) == [b"x"]
    assert logs(chain.append(cri_line("stdout", "F", "y"))) == [b"y"]
    assert chain.flush() == []


def test_tail_strips_carriage_returns_before_it_joins_lines() -> None:
    route = Multiline([built_in_parsers()["cri"]])
    assert route.append(cri_line("stdout", "P", "a") + b"\r") == []
    assert logs(route.flush()) == [b"a"]
