"""Sizes and durations: exact where they are taken, an error in words where not."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal_exporter.quantities import duration_s, human_bytes, size_bytes

FACTORS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
DECIMALS = st.from_regex(r"\A[0-9]{1,6}(\.[0-9]{1,4})?\Z")
SUFFIXES = st.sampled_from(list(FACTORS))


def exactly(number: str, suffix: str) -> None:
    exact = Fraction(number) * FACTORS[suffix]
    if exact.denominator == 1:
        assert size_bytes(number + suffix) == exact
    else:
        with pytest.raises(ValueError, match="not a whole number of bytes"):
            size_bytes(number + suffix)


def number_or_error(parse: Callable[[str], float], text: str) -> bool:
    try:
        return parse(text) >= 0
    except ValueError as error:
        return str(error).startswith(("is not a", "exceeds "))


@given(st.integers(0, 8000), st.sampled_from(["", "Ki", "Mi", "Gi", "Ti"]))
def test_whole_sizes_are_exact(number: int, suffix: str) -> None:
    exactly(str(number), suffix)


@example("1.001", "k")
@example("9007199254740993", "")
@given(DECIMALS, SUFFIXES)
def test_every_size_is_exact_or_refused(number: str, suffix: str) -> None:
    exactly(number, suffix)


@example("1" + "0" * 30)
@given(st.text(max_size=12) | st.from_regex(r"\A[0-9.]{1,8} ?[A-Za-z]{0,3}\Z"))
def test_any_text_is_a_size_or_an_error_in_words(text: str) -> None:
    assert number_or_error(size_bytes, text)


def test_a_size_of_400_digits_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="not a"):
        size_bytes("9" * 400)


def test_a_duration_of_400_digits_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="not a"):
        duration_s("9" * 400)


@example("10000000M")
@given(st.text(max_size=12) | st.from_regex(r"\A[0-9.]{1,8} ?[A-Za-z]{0,3}\Z"))
def test_any_text_is_a_duration_or_an_error_in_words(text: str) -> None:
    assert number_or_error(duration_s, text)


@given(st.integers(0, 2**60))
def test_a_shown_size_is_close_to_the_size(size: int) -> None:
    number, unit = human_bytes(size).split()
    factor = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}[unit]
    assert abs(float(number) * factor - size) <= 0.051 * factor
