"""Which repeated lines the tests on a cluster accept."""

from collections import Counter

import pytest

from tests.cluster.repeats import unexplained

SENT_S = [100.0, 101.0, 102.0]


def test_a_line_that_an_agent_started_on_before_it_was_stored_may_come_twice() -> None:
    assert unexplained(Counter({0: 1, 1: 2, 2: 1}), SENT_S, {0: 103, 1: 106, 2: 106}, [104]) == {}


@pytest.mark.parametrize(
    ("starts_s", "why"),
    [
        ([], "no agent started"),
        ([100.5], "it started before the line was logged"),
        ([107.0], "it started when the line had been stored"),
        ([104.0, 104.0], "the same start is given twice, and the line is there three times"),
    ],
)
def test_a_repeated_line_that_no_start_explains_is_returned(
    starts_s: list[float], why: str
) -> None:
    times = 3 if len(starts_s) > 1 else 2
    found = unexplained(Counter({0: 1, 1: times}), SENT_S, {0: 103, 1: 106}, starts_s)
    assert found == {1: times}, why


def test_each_start_explains_one_copy() -> None:
    assert unexplained(Counter({1: 3}), SENT_S, {1: 106}, [104, 105]) == {}
    assert unexplained(Counter({1: 4}), SENT_S, {1: 106}, [104, 105]) == {1: 4}
