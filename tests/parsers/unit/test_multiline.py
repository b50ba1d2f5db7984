"""Joining: parts of one stream become one record, and what is out of place breaks nothing."""

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


def logs(records: list[Parsed]) -> list[object]:
    return [record.fields["log"] for record in records]


def joined(*lines: bytes, names: tuple[str, ...] = ("cri",)) -> list[list[object]]:
    joiner = Joiner([built_in_parsers()[name] for name in names])
    return [*(logs(joiner.append(line)) for line in lines), logs(joiner.flush())]


def test_parts_are_joined_and_the_first_parts_fields_and_time_count() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    assert joiner.append(cri_line("stdout", "P", "a")) == []
    (record,) = joiner.append(cri_line("stdout", "F", "b", b"2020-01-01T00:00:00.5Z"))
    assert record.fields == {"time": TIME, "stream": b"stdout", "_p": b"P", "log": b"ab"}
    assert record.seconds == 1475713029


def test_each_stream_joins_by_itself() -> None:
    assert joined(
        cri_line("stdout", "P", "a"), cri_line("stderr", "F", "x"), cri_line("stdout", "F", "b")
    ) == [[], [b"x"], [b"ab"], []]


def test_what_is_pending_comes_at_the_end() -> None:
    assert joined(cri_line("stdout", "P", "a")) == [[], [b"a"]]


def test_a_line_that_no_parser_takes_sends_out_what_is_pending_before_it() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    joiner.append(cri_line("stdout", "P", "a"))
    assert joiner.append(b"junk") == [
        Parsed(
            {"time": TIME, "stream": b"stdout", "_p": b"P", "log": b"a"}, 1475713029, 500000000, 0
        ),
        raw_record("log", b"junk"),
    ]


def test_an_empty_line_that_no_parser_takes_is_no_record() -> None:
    assert joined(b"") == [[], []]


def test_an_empty_message_stays_a_record() -> None:
    assert joined(cri_line("stdout", "F", "")) == [[b""], []]


def test_a_tag_with_a_colon_is_not_taken_by_the_built_in_parser() -> None:
    line = cri_line("stdout", "F:x", "a")
    assert joined(line) == [[line], []]


def test_the_text_of_a_lost_record_is_glued_to_the_next_one() -> None:
    joiner = Joiner([built_in_parsers()["cri"]])
    (lost,) = joiner.append(cri_line("stdout", "F", "a", b"garbage"))
    assert lost.is_lost
    assert joiner.flush() == []
    assert logs(joiner.append(cri_line("stdout", "F", "b"))) == [b"ab"]


def test_docker_lines_are_joined_until_a_newline() -> None:
    start = b'{"stream":"stdout","time":"2016-10-06T00:17:09.5Z","log":"a"}'
    assert joined(start, start.replace(b'"a"', b'"b\\n"'), names=("docker",)) == [[], [b"ab\n"], []]


def test_a_docker_line_with_an_empty_log_is_kept_whole() -> None:
    line = b'{"stream":"stdout","log":""}'
    assert joined(line, names=("docker",)) == [[line], []]


def test_a_chain_asks_the_parser_of_the_last_line_first_and_then_the_others() -> None:
    docker_line = b'{"log":"x\\n","stream":"stdout","time":"2016-10-06T00:17:09.5Z"}'
    lines = (docker_line, cri_line("stdout", "F", "y"), docker_line)
    assert joined(*lines, names=("docker", "cri")) == [[b"x\n"], [b"y"], [b"x\n"], []]


def test_lines_without_a_parser_and_key_stay_lines() -> None:
    joiner = Joiner([MultilineParser(name="m", is_equal=False, match=b"\\", negate=True)])
    assert joiner.append(b"a\\") == []
    assert joiner.append(b"b") == [raw_record("log", b"a\\\nb\n")]


def test_a_line_shorter_than_the_match_is_lost_without_a_parser() -> None:
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
    assert joiner.append(cri_line("stdout", "P", "a")) == []
    assert logs(joiner.append(cri_line("stdout", "F:x", "b"))) == [b"ab"]


def test_a_single_parser_keeps_the_return_of_a_line_that_it_does_not_take() -> None:
    assert SingleParser(cri()).append(b"junk\r") == [raw_record("log", b"junk\r")]
    assert ParserFilter([cri()]).append(b"junk\r") == [raw_record("log", b"junk")]
    assert logs(SingleParser(cri()).append(cri_line("stdout", "F", "a\r"))) == [b"a"]


def test_a_line_of_one_return_keeps_it() -> None:
    assert (
        without_carriage_return(b"\r"),
        without_carriage_return(b"a\r"),
        without_carriage_return(b"\r\r"),
    ) == (
        b"\r",
        b"a",
        b"\r",
    )


def test_a_chain_takes_the_first_parser_that_matches() -> None:
    chain = ParserFilter([docker(), cri()])
    assert logs(chain.append(b'{"log":"x"}')) == [b"x"]
    assert logs(chain.append(cri_line("stdout", "F", "y"))) == [b"y"]
    assert chain.flush() == []


def test_joining_goes_through_tail() -> None:
    route = Multiline([built_in_parsers()["cri"]])
    assert route.append(cri_line("stdout", "P", "a") + b"\r") == []
    assert logs(route.flush()) == [b"a"]
