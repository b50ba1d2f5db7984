"""One Zabbix and one node for the session, because starting them takes most of the time."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_observability import cli
from tests.support import journald
from tests.support.tools import skip_outside_ci
from tests.support.zabbix.commands import APPLY, Command
from tests.support.zabbix.hosts import UNHEARD, create_host
from tests.support.zabbix.node import NODE_NAME, Node
from tests.support.zabbix.stack import PSK_IDENTITY, Stack, unavailable

figures: list[str] = []
"""Lines that are printed at the end."""


@pytest.fixture(autouse=True, scope="session")
def _whole_zabbix() -> None:
    if reason := unavailable() or journald.unavailable():
        (skip_outside_ci if os.geteuid() == 0 else pytest.skip)(reason)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a Zabbix; NODEOBS_ZABBIX_ROOT names another root with its packages, such as those of 7.0."""
    base = tmp_path_factory.mktemp("zabbix")
    root = Path(os.environ.get("NODEOBS_ZABBIX_ROOT", "/"))
    with Stack(base, root) as running:
        figures.append(f"PostgreSQL, server and API started in {running.started_s:.1f} s")
        yield running
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def credentials(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of commands with all permissions."""
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "token").write_text(stack.token() + "\n")
    (directory / "psk").write_text(stack.psk)
    return {
        "ZABBIX_URL": stack.url,
        "ZABBIX_API_TOKEN_FILE": str(directory / "token"),
        "ZABBIX_PSK_IDENTITY": PSK_IDENTITY,
        "ZABBIX_PSK_FILE": str(directory / "psk"),
    }


@pytest.fixture
def command(credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs ``node-observability zabbix …``; None unsets a variable."""

    def run(*arguments: str, **environment: str | None) -> int:
        with monkeypatch.context() as patch:
            for name, value in {**credentials, **environment}.items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            return cli.main(["zabbix", *arguments])

    return run


@pytest.fixture(scope="session")
def applied(stack: Stack, credentials: dict[str, str]) -> Stack:
    """Return a Zabbix after ``apply``."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in credentials.items():
            patch.setenv(name, value)
        assert cli.main(["zabbix", *APPLY]) == 0
    # Otherwise the first agent may register before the server has read the new action.
    stack.server.stop()
    stack.restart_server()
    return stack


@pytest.fixture
def gone(applied: Stack) -> Iterator[str]:
    """Return the id of a host ``gone`` without a node, whose agent never sent a value."""
    host_id = create_host(applied, "gone", {"tag": "owner", "value": "me"}, UNHEARD)
    yield host_id
    if applied.call("host.get", {"hostids": [host_id], "output": ["hostid"]}):
        applied.call("host.delete", [host_id])


@pytest.fixture(scope="session")
def node(applied: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Run a node that has registered itself."""
    with Node(applied, tmp_path_factory.mktemp("node"), NODE_NAME) as it:
        figures.append(
            f"journald, exporter and agent started and registered in {it.started_s:.1f} s"
        )
        yield it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures:
        terminalreporter.section("Zabbix")
        for line in figures:
            terminalreporter.write_line(line)
