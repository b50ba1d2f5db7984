"""The fixtures of tests on a cluster, which run only with ``--cluster`` and below ``enter``."""

import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import HOST, ControlPlane
from tests.cluster.processes import ClusterError, base, logs
from tests.support.paths import ROOT
from tests.support.zabbix.stack import Stack

_KEPT_LOGS = ROOT / ".cache/cluster/logs"
_evidence: list[Callable[[], str]] = []
figures: list[str] = []
_failed: dict[Path, str] = {}
"""The first test that failed in each file: each test continues where the one before ended."""


@pytest.fixture(autouse=True, scope="session")
def _asked_for(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--cluster"):
        pytest.skip("needs minutes, root and Kubernetes' programs: make cluster-test")
    try:
        base()
    except ClusterError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def plane(_asked_for: None, request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """Run a control plane for each test file; its logs are kept in .cache/cluster/logs."""
    try:
        with ControlPlane() as running:
            _evidence.append(running.evidence)
            figures.append(f"control plane started: {running.started_s}")
            yield running
    finally:
        _evidence.clear()
        kept = _KEPT_LOGS / request.path.stem
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(logs(), kept)
        shutil.rmtree(logs())


@pytest.fixture(scope="module")
def zabbix(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Run an empty Zabbix for each test file, in the cluster's network."""
    assert plane.api
    directory = base() / f"{request.path.stem}-zabbix"
    with Stack(directory, address=HOST) as running:
        _evidence.append(lambda: f"--- zabbix_server ---\n{running.server.log()[-3000:]}")
        yield running
    shutil.copy(running.server.path, logs() / "zabbix_server.log")


@pytest.fixture(scope="module")
def evidence() -> list[Callable[[], str]]:
    """Return the functions whose text is shown when a test fails; fixtures add theirs."""
    return _evidence


@pytest.fixture(scope="session")
def figure() -> Callable[[str], None]:
    """Add a line to the figures that are printed at the end."""
    return figures.append


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and item.path.is_relative_to(Path(__file__).parent):
        _failed.setdefault(item.path, item.name)
        for show in _evidence:
            # A failure to get evidence must not hide the test's failure.
            try:
                text = show()
            except (ClusterError, OSError) as error:
                text = f"{type(error).__name__}: {error}"
            report.sections.append(("the cluster", text))
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    if before := _failed.get(item.path):
        pytest.skip(f"continues where {before} ended, which failed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.write_line(line)
