"""Options, Hypothesis profiles and goldens of the whole suite."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.tools import in_ci

_GOLDENS = Path(__file__).parent / "golden"
_FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1000"))

# Hypothesis derandomizes by itself where the variable CI is set.
settings.register_profile("ci", deadline=None, database=None, derandomize=False, max_examples=40)
settings.register_profile(
    "fuzz",
    derandomize=False,
    deadline=None,
    max_examples=_FUZZ_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
# pytest --hypothesis-profile=fuzz comes later and wins.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the longer forms of the tests too")
    parser.addoption(
        "--cluster", action="store_true", help="the tests on a Kubernetes too; `make cluster-test`"
    )
    parser.addoption(
        "--update-goldens", action="store_true", help="write what the tests/golden files compare"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of this run, unless ``--hypothesis-seed`` gives one."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().getrandbits(32))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Print the seed, also with ``--quiet``."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(
            f"replay with --hypothesis-seed={session.config.option.hypothesis_seed}"
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--update-goldens``, keep only the tests that compare with a golden."""
    if config.getoption("--update-goldens"):
        items[:] = [item for item in items if "golden" in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether time does not matter."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Return a source of chance that depends only on the run's seed and on the test."""
    seed = request.config.getoption("--hypothesis-seed")
    return random.Random(f"{seed} {request.node.nodeid}")  # noqa: S311 - not for secrets


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden of that name; ``--update-goldens`` writes it instead."""

    def compare(name: str, text: str) -> None:
        path = _GOLDENS / name
        if request.config.getoption("--update-goldens"):
            assert not in_ci(), "goldens are updated by people"
            path.write_text(text)
        assert path.exists(), f"no {path}; pytest --update-goldens makes it"
        assert text == path.read_text(), f"{path} differs; pytest --update-goldens renews it"

    return compare
