"""A pytest plugin: case files as tests, and a fixture with the parsers.

    pytest -p node_observability.parsers.pytest_plugin --fluentbit-config fluentbit fluentbit/cases

Files named ``*.yaml`` under a directory given with ``--fluentbit-cases`` (or the ini option
``fluentbit_cases``) are collected; the fixture ``fluentbit_parsers`` gives each configuration's
``Definitions``. It is not loaded by itself.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.cases import files as case_files
from node_observability.parsers.cases.report import failure_text
from node_observability.parsers.cases.runner import Outcome, run_all
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.model.definitions import Definitions, build

__all__ = ["fluentbit_parsers", "pytest_addoption", "pytest_collect_file", "pytest_configure"]

_DEFINITIONS = pytest.StashKey[list[Definitions]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    group = parser.getgroup("fluentbit", "Fluent Bit parsers")
    group.addoption("--fluentbit-config", metavar="SOURCE", help="the configuration under test")
    group.addoption(
        "--fluentbit-cases", metavar="DIR", help="collect the case files under this directory"
    )
    parser.addini(
        "fluentbit_config", "the Fluent Bit configuration under test", default="fluentbit"
    )
    parser.addini("fluentbit_cases", "the directory of the case files", default="fluentbit/cases")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that name what is not there: no case would run, and all would seem well.

    Raises:
        pytest.UsageError: a path that was given does not exist.
    """
    for name in ("fluentbit_config", "fluentbit_cases"):
        option = f"--{name.replace('_', '-')}"
        given = config.getoption(option)
        if given and given != "-" and not (config.rootpath / given).exists():
            raise pytest.UsageError(f"{option}: {given}: no such file or directory")


def _option(config: pytest.Config, name: str) -> str:
    return str(config.getoption(f"--{name.replace('_', '-')}") or config.getini(name))


def _definitions(config: pytest.Config) -> list[Definitions]:
    if _DEFINITIONS not in config.stash:
        found = load(_option(config, "fluentbit_config"))
        config.stash[_DEFINITIONS] = [build(configuration, os.environ) for configuration in found]
    return config.stash[_DEFINITIONS]


@pytest.fixture(scope="session")
def fluentbit_parsers(request: pytest.FixtureRequest) -> list[Definitions]:
    """Return the parsers of each configuration in ``--fluentbit-config``."""
    return _definitions(request.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect a case file."""
    base = (parent.config.rootpath / _option(parent.config, "fluentbit_cases")).resolve()
    if file_path.suffix in (".yaml", ".yml") and file_path.resolve().is_relative_to(base):
        collected: pytest.File = CaseCollector.from_parent(parent, path=file_path)
        return collected
    return None


class CaseFailedError(Exception):
    """A case failed; its text is the report's."""


class CaseCollector(pytest.File):
    """A case file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each case in each configuration.

        Raises:
            CollectError: the file or the configuration can't be used.
        """
        try:
            outcomes = run_all([case_files.read(self.path)], _definitions(self.config))
        except UsageError as error:
            raise self.CollectError("\n".join(error.problems)) from None
        for outcome in outcomes:
            name = f"{outcome.case.name} [{outcome.label}]"
            yield CaseItem.from_parent(self, name=name, outcome=outcome)


class CaseItem(pytest.Item):
    """One case in one configuration."""

    def __init__(self, *, outcome: Outcome, name: str, parent: pytest.Collector) -> None:
        super().__init__(name, parent)
        self._outcome = outcome

    def runtest(self) -> None:
        """Fail if what came out is not what is expected."""
        if self._outcome.differences:
            raise CaseFailedError(failure_text(self._outcome))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """Return the report's text, without a traceback."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case stands."""
        return self.path, self._outcome.case.place.line - 1, self.name
