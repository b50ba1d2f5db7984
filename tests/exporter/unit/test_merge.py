"""The order of entries of several files."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal_exporter.journal.merge import Front, order, rising

ENDLESS = 1 << 60


def front(*numbers: int, times_us: Sequence[int] = (), more: bool = False) -> Front:
    return Front(numbers, times_us or numbers, more)


def numbers_of(fronts: Sequence[Front], *, until_us: int = ENDLESS, entries: int = 99) -> list[int]:
    picks = order(fronts, until_us=until_us, entries=entries)
    return [fronts[which].numbers[index] for which, index in picks]


def test_entries_follow_their_numbers() -> None:
    assert numbers_of([front(1, 4, 5), front(2, 3, 9)]) == [1, 2, 3, 4, 5, 9]


def test_what_a_file_may_have_before_the_others_is_waited_for() -> None:
    assert numbers_of([front(1, 4, more=True), front(2, 3, 9)]) == [1, 2, 3, 4]


def test_numbers_decide_where_times_overlap() -> None:
    fronts = [front(1, 4, times_us=[6, 91]), front(2, 3, times_us=[5, 7])]
    assert numbers_of(fronts) == [1, 2, 3, 4]


def test_files_whose_times_do_not_overlap_follow_the_clock() -> None:
    fronts = [front(1, 2, times_us=[90, 91]), front(7, 8, times_us=[5, 6]), front(9, times_us=[89])]
    assert numbers_of(fronts) == [7, 8, 9, 1, 2]


def test_a_file_of_which_more_can_be_read_is_not_followed_by_a_later_one() -> None:
    fronts = [front(7, 8, times_us=[5, 6], more=True), front(9, times_us=[89])]
    assert numbers_of(fronts) == [7, 8]


def test_at_most_so_many_entries_are_taken() -> None:
    assert numbers_of([front(1, 4), front(2, 3)], entries=3) == [1, 2, 3]
    assert numbers_of([front(1, 2, 3)], entries=2) == [1, 2]


@pytest.mark.parametrize("fronts", [[front(1, 2, 3)], [front(1, 3), front(2)]])
def test_none_is_later_than_the_limit_but_the_first(fronts: list[Front]) -> None:
    assert numbers_of(fronts, until_us=2) == [1, 2]
    assert numbers_of(fronts, until_us=0) == [1]


def test_numbers_that_can_not_be_right_take_those_before_them() -> None:
    assert rising([0, 3, 0, 2, 7], 1) == [1, 3, 3, 3, 7]


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.booleans()),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 20),
    st.integers(1, 9),
)
def test_each_file_keeps_its_order_and_something_is_always_taken(
    files: list[tuple[list[int], bool]], until_us: int, entries: int
) -> None:
    fronts = [front(*sorted(numbers), more=more) for numbers, more in files]
    picks = order(fronts, until_us=until_us, entries=entries)
    assert 1 <= len(picks) <= entries
    for which in range(len(fronts)):
        taken = [index for file, index in picks if file == which]
        assert taken == list(range(len(taken)))
    found = [fronts[which].numbers[index] for which, index in picks]
    assert found == sorted(found)
