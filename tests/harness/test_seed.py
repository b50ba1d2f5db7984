"""One seed per run decides everything that is left to chance."""

import random

import pytest
from hypothesis import core, settings


def test_the_seed_of_the_run_decides_what_hypothesis_and_the_tests_choose(
    request: pytest.FixtureRequest, rng: random.Random
) -> None:
    seed = request.config.getoption("--hypothesis-seed")
    assert core.global_force_seed == int(seed)
    assert not settings().derandomize
    assert rng.random() == random.Random(f"{seed} {request.node.nodeid}").random()  # noqa: S311
