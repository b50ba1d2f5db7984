"""Parsers: fields, times, types and JSON, as Fluent Bit makes them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_observability.parsers.model.json_object import parse_json_object
from node_observability.parsers.model.parser import Parsed, Parser
from node_observability.parsers.model.types import Value, parse_types
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import TimeFormat
from tests.support.parsers import CRI_TIME, cri, docker

SECOND = 1475713029
LINE = b"2016-10-06T00:17:09.5Z stdout F hello"
FIELDS: dict[str, Value] = {"stream": b"stdout", "logtag": b"F", "log": b"hello"}


def test_a_line_becomes_fields_and_a_time() -> None:
    assert cri().parse(LINE) == Parsed(FIELDS, SECOND, 500000000, 0)


def test_a_time_that_is_kept_stays_a_field() -> None:
    parsed = cri(time_keep=True).parse(LINE)
    assert parsed
    assert parsed.fields["time"] == b"2016-10-06T00:17:09.5Z"


def test_a_line_that_does_not_match_gives_none() -> None:
    assert cri().parse(b"x") is None


def test_empty_values_are_skipped_unless_the_parser_keeps_them() -> None:
    line = b"2016-10-06T00:17:09.5Z stdout F "
    without, with_empty = cri(skip_empty_values=True).parse(line), cri().parse(line)
    assert without is not None
    assert with_empty is not None
    assert "log" not in without.fields
    assert with_empty.fields["log"] == b""


def test_an_invalid_time_is_dropped_even_with_time_keep() -> None:
    parsed = cri(time_keep=True).parse(b"2016-10-06T00:17:09Z stdout F hello")
    assert parsed is not None
    assert (parsed.fields, parsed.has_time) == (FIELDS, False)
    assert "2016-10-06T00:17:09Z" in parsed.warning


def test_without_time_strict_the_beginning_of_a_time_counts() -> None:
    parsed = cri(time_strict=False).parse(b"2016-10-06T00:17:09+09:00 stdout F hello")
    assert parsed is not None
    assert (parsed.seconds, parsed.is_lost) == (SECOND, False)


@pytest.mark.parametrize(
    ("time_strict", "time"),
    [(False, b"garbage"), (True, b"2016-10-06T00:17:09.1e400Z")],
    ids=["an invalid time without time strict", "a fraction beyond a double"],
)
def test_a_record_whose_time_can_not_be_packed_is_lost(*, time_strict: bool, time: bytes) -> None:
    parsed = cri(time_strict=time_strict).parse(time + b" stdout F hello")
    assert parsed is not None
    assert parsed.is_lost


def test_a_negative_zero_without_a_point_is_an_integer() -> None:
    record = parse_json_object(b'{"a":-0}')
    assert record is not None
    assert repr(record["a"]) == "0"


def test_a_json_line_becomes_its_keys_and_a_time() -> None:
    line = b'{"log":"a\\n","stream":"stdout","attrs":{"n":1},"time":"2016-10-06T00:17:09.5Z"}'
    fields: dict[str, Value] = {"log": b"a\n", "stream": b"stdout", "attrs": {"n": 1}}
    parser = docker()
    # The second time, the date is in the tables of the fast path.
    assert parser.parse(line) == parser.parse(line) == Parsed(fields, SECOND, 500000000, None)


def test_an_invalid_json_time_stays_and_its_fraction_becomes_a_time_in_1970() -> None:
    parser = Parser(name="d", time_format=TimeFormat(CRI_TIME))
    parsed = parser.parse(b'{"time":"2016-10-06T00:17:09.5"}')
    assert parsed is not None
    assert (parsed.fields, parsed.seconds, parsed.nanoseconds) == (
        {"time": b"2016-10-06T00:17:09.5"},
        0,
        500000000,
    )


def test_a_json_time_that_is_not_text_is_ignored() -> None:
    assert docker().parse(b'{"time":5}') == Parsed({"time": 5})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}', {"a": 1}),
        (b' {"a":1} junk', {"a": 1}),
        (b'{"a":1} {"b":2}', None),
        (b'{"a":1}2', None),
        (b'{"a":"\xff\x01\t"}', {"a": b"\xff\x01\t"}),
        (
            b'{"a":"\\ud83d\\ude00\\ud800\\u00e9\\\\ud800"}',
            {"a": "\U0001f600\ufffd\\ud800".encode()},
        ),
        (
            b'{"a":18446744073709551615,"b":-9223372036854775809}',
            {"a": 2**64 - 1, "b": -9223372036854775808.0},
        ),
        (b'{"a":[1.5,true,null,{}]}', {"a": [1.5, True, None, {}]}),
        (b'{"a":NaN}', None),
        (b'{"a":1e999}', None),
        (b'{"a":01}', None),
        (b'{"a":"x', None),
        (b"[1]", None),
        (b'"x"', None),
        (b"2016-10-06", None),
        (b"", None),
        (b"{", None),
        (b'{"a":' * 5000, None),
    ],
)
def test_json_is_read_as_yyjson_reads_it(data: bytes, expected: dict[str, Value] | None) -> None:
    assert parse_json_object(data) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", b"12abc", 12),
        ("integer", b" -7", -7),
        ("integer", b"abc", 0),
        ("integer", b"99999999999999999999", 2**63 - 1),
        ("float", b"1.5e1x", 15.0),
        ("float", b"x", 0.0),
        ("float", b"0x10", 16.0),
        ("float", b"0x1p99999", math.inf),
        ("float", b"-0x1p99999", -math.inf),
        ("integer", b"9" * 5000, 2**63 - 1),
        ("integer", b"-" + b"9" * 5000, -(2**63)),
        ("integer", b"+" + b"0" * 5000 + b"7", 7),
        ("integer", b"-9223372036854775808", -(2**63)),
        ("hex", b"0xff", 255),
        ("hex", b"zz", 0),
        ("hex", b"-1", 2**64 - 1),
        ("hex", b"1ffffffffffffffff", 2**64 - 1),
        ("bool", b"TRUEish", True),
        ("bool", b"falsehood", False),
        ("bool", b"yes", b"yes"),
        ("string", b"x", b"x"),
        ("nothing", b"x", b"x"),
    ],
)
def test_types_are_cast_as_c_does(kind: str, text: bytes, expected: Value) -> None:
    casts, invalid = parse_types(f"k:{kind}")
    assert casts["k"](text) == expected
    assert bool(invalid) == (kind == "nothing")


def test_the_first_type_of_a_key_counts_and_a_bare_word_is_invalid() -> None:
    casts, invalid = parse_types("a:integer a:float b")
    # The first type of a key counts: 1.5 is cut off.
    assert casts["a"](b"1.5") == 1
    assert invalid == ["b"]


def test_a_group_that_took_no_part_is_empty_or_left_out() -> None:
    keep = Parser(name="p", pattern=Pattern("(?<a>x)|(?<b>y)"), skip_empty_values=False)
    drop = Parser(name="p", pattern=Pattern("(?<a>x)|(?<b>y)"))
    assert keep.parse(b"y") == Parsed({"a": b"", "b": b"y"})
    assert drop.parse(b"y") == Parsed({"b": b"y"})


def test_a_pattern_without_named_groups_never_matches() -> None:
    assert Parser(name="p", pattern=Pattern("(x)")).parse(b"x") is None


_NANO = b"2016-10-06T00:17:09.123456789+09:00"
_TIMES = [b"2016-10-06T00:17:09.5Z", b"2016-10-06T00:17:09Z", b"x", _NANO]
_LINES = st.one_of(
    st.builds(
        lambda time, stream, tag, log: b" ".join((time, stream, tag, log)),
        st.sampled_from(_TIMES),
        st.sampled_from([b"stdout", b"stderr", b"stdin"]),
        st.sampled_from([b"F", b"P", b"", b"F:x"]),
        st.binary(max_size=20),
    ),
    st.binary(max_size=60),
)


@given(_LINES)
def test_the_fast_path_gives_what_the_slow_path_gives(line: bytes) -> None:
    parser = cri()
    parser.parse(LINE)
    parser.parse(b"2016-10-06T00:17:09.123456789+09:00 stdout F x")
    assert parser.parse(line) == parser.parse_slowly(line)
