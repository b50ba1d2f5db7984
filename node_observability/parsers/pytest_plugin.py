"""A pytest plugin that runs case files as tests, and has a fixture with the parsers.

    pytest -p node_observability.parsers.pytest_plugin --fluentbit-config fluentbit fluentbit/cases

It collects the files named ``*.yaml`` or ``*.yml`` under the directory of ``--fluentbit-cases`` (or of the
ini option ``fluentbit_cases``). The fixture ``fluentbit_parsers`` returns the ``Definitions`` of each
configuration. pytest does not load the plugin by default.
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
    """Add the command-line options, and the ini options of the same names."""
    group = parser.getgroup("fluentbit", "Fluent Bit parsers")
    group.addoption(
        "--fluentbit-config", metavar="SOURCE", help="the Fluent Bit configuration to test"
    )
    group.addoption(
        "--fluentbit-cases", metavar="DIR", help="collect the case files under this directory"
    )
    parser.addini("fluentbit_config", "the Fluent Bit configuration to test", default="fluentbit")
    parser.addini("fluentbit_cases", "the directory of the case files", default="fluentbit/cases")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that name a missing file or directory: no case would run, and pytest would succeed.

    Raises:
        pytest.UsageError: a path does not exist.
    """
    for name in ("fluentbit_config", "fluentbit_cases"):
        option = f"--{name.replace('_', '-')}"
        given = config.getoption(option)
        if given and given != "-" and not (config.rootpath / given).exists():
            raise pytest.UsageError(f"{option}: {given}: No such file or directory")


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
    """A case failed; the message is the report on it."""


class CaseCollector(pytest.File):
    """The tests of one case file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one test per case and configuration.

        Raises:
            CollectError: the case file or the configuration can't be read.
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
        """Fail if the actual record is not the expected one."""
        if self._outcome.differences:
            raise CaseFailedError(failure_text(self._outcome))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """Return the report on the case, without a traceback."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the place of the case."""
        return self.path, self._outcome.case.place.line - 1, self.name
