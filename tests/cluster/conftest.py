"""The tests on a cluster: with ``--cluster`` and below ``enter`` only; failures show what it says."""

import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import ClusterError, base

_KEPT_LOGS = Path(__file__).resolve().parents[2] / ".cache/cluster/logs"
_evidence: list[Callable[[], str]] = []
figures: list[str] = []


@pytest.fixture(autouse=True, scope="session")
def _asked_for(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--cluster"):
        pytest.skip("needs minutes, root and Kubernetes' programs: make cluster-test")
    try:
        base()
    except ClusterError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def plane(_asked_for: None) -> Iterator[ControlPlane]:
    """Run a control plane of its own for each file of tests; its logs are kept in .cache/cluster/logs."""
    with ControlPlane() as running:
        _evidence.append(running.evidence)
        figures.append(f"control plane started: {running.started_s}")
        yield running
        _evidence.clear()
    _KEPT_LOGS.mkdir(parents=True, exist_ok=True)
    for log in (base() / "logs").iterdir():
        shutil.copy(log, _KEPT_LOGS)


@pytest.fixture(scope="module")
def evidence() -> list[Callable[[], str]]:
    """Return what is shown when a test fails; fixtures add theirs."""
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
        for show in _evidence:
            report.sections.append(("the cluster", show()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.write_line(line)
