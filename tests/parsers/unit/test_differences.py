"""Differences: values that are not the same never look the same."""

import pytest

from node_observability.parsers.cases.diff import differences, is_same
from node_observability.parsers.cases.values import Expected
from node_observability.parsers.model.types import Value


def shown(one: Value, other: Value) -> list[str]:
    wanted: Expected = {"time": b"now", "fields": {"log": one}}
    got: Expected = {"time": b"now", "fields": {"log": other}}
    assert not is_same(wanted, got)
    return [line.removeprefix("- ").removeprefix("+ ") for line in differences(wanted, got)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, b"1", ["1", "'1'"]),
        (1, 1.0, ["1", "1.0"]),
        (1, True, ["1", "True"]),
        (None, b"None", ["None", "'None'"]),
        (0.0, -0.0, ["0.0", "-0.0"]),
        (b"\xff", rb"\xff", [r'!bytes "\xff"', r"'\\xff'"]),
        (b'\xff"', b"\xff'", [r'!bytes "\xff\""', r"""!bytes "\xff'" """.strip()]),
        (b"a ", b"a", ["'a '", "'a'"]),
        (b"a\t", b"a\r", [r"'a\t'", r"'a\r'"]),
        ("a\u00a0".encode(), b"a ", [r"'a\xa0'", "'a '"]),
        ("é".encode(), "e\u0301".encode(), [r"'\xe9'", r"'e\u0301'"]),
        ({}, b"{}", ["{}", "'{}'"]),
        ([], b"", ["[]", "''"]),
    ],
)
def test_types_spaces_and_bytes_are_distinguished(
    one: Value, other: Value, expected: list[str]
) -> None:
    assert shown(one, other) == [f"fields.log: {text}" for text in expected]


def test_a_key_with_a_dot_is_not_a_path() -> None:
    wanted: Expected = {"fields": {"a.b": 1}}
    got: Expected = {"fields": {"a": {"b": 1}}}
    assert not is_same(wanted, got)
    assert differences(wanted, got) == ["- fields.'a.b': 1", "+ fields.a.b: 1"]


def test_a_long_text_that_continues_is_shown_where_it_continues() -> None:
    texts = shown(b"x" * 300, b"x" * 300 + b"y")
    assert texts[0].endswith("x' (302 characters)") or texts[0].endswith("x'")
    assert texts[1].endswith("xy'")


def test_two_notations_of_a_time_are_the_same_only_under_the_key_time() -> None:
    one, other = b"2016-10-06 00:17:09.5+00:00", b"2016-10-06T00:17:09.500000000Z"
    assert is_same({"time": one, "fields": {}}, {"time": other, "fields": {}})
    assert is_same([{"time": one}], [{"time": other}])
    assert not is_same({"fields": {"time": one}}, {"fields": {"time": other}})
