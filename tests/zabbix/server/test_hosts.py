"""``prune`` and ``check`` against a real server: nodes that are gone or back, lists that can't be used."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from node_observability.zabbix.hosts.inventory import UNHEARD_TAG
from tests.support.certificates import write_kubeconfig
from tests.support.waiting import wait_for
from tests.support.zabbix.commands import Command
from tests.support.zabbix.hosts import CLUSTER, UNHEARD, create_host
from tests.support.zabbix.node import NODE_NAME, Node
from tests.support.zabbix.stack import Stack

# Some lists contain no host of the group, like the list of another cluster.
ARGUMENTS = ("prune", "--cluster", CLUSTER, "--all-gone")


def _host(stack: Stack, host_id: str) -> Any:  # noqa: ANN401 - JSON
    query = {"hostids": [host_id], "output": "extend", "selectTags": "extend"}
    found = stack.call("host.get", query)
    return found[0] if found else None


def _nodes(tmp_path: Path, *names: str) -> tuple[str, str]:
    path = tmp_path / "nodes"
    path.write_text("".join(f"{name}\n" for name in names))
    return "--nodes-file", str(path)


def test_a_host_is_disabled_then_deleted_and_enabled_when_its_node_is_back(
    node: Node, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, without = node.stack, _nodes(tmp_path, "another")
    wait_for(lambda: node.item("agent.ping")["lastclock"] != "0", "the agent's ping", 90)
    assert command(*ARGUMENTS, *without, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "would disable: gone\n" in out
    assert _host(stack, gone)["status"] == "0"

    assert command(*ARGUMENTS, *without) == 0
    out = capsys.readouterr().out
    assert out.startswith("disable: gone\n")
    # The agent of the other host is alive, so the host is kept although its node is not in the list.
    assert "1 nodes, 2 hosts: 1 node gone, agent alive: kept; 1 disable" in out
    assert node.host()["status"] == "0"
    disabled = _host(stack, gone)
    assert disabled["status"] == "1"
    assert {tag["tag"] for tag in disabled["tags"]} == {"owner", "node-observability-pruned"}

    assert command(*ARGUMENTS, *without) == 0  # not yet
    assert "1 disabled, to be deleted later" in capsys.readouterr().out

    assert command(*ARGUMENTS, *_nodes(tmp_path, "gone", node.name)) == 0  # back
    assert "enable again: gone" in capsys.readouterr().out
    back = _host(stack, gone)
    assert back["status"] == "0"
    assert {tag["tag"] for tag in back["tags"]} == {"owner"}

    _nodes(tmp_path, "another")
    stack.call("host.update", {"hostid": gone, "tags": [UNHEARD]})
    assert command(*ARGUMENTS, *without) == 0  # and gone again
    assert command(*ARGUMENTS, *without, "--delete-after", "0s") == 0
    assert "delete: gone" in capsys.readouterr().out
    assert _host(stack, gone) is None


def test_the_grace_period_of_a_host_without_values_begins_when_it_is_first_seen(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may have registered after the list was made, a minute before its agent's first value."""
    applied.call("host.update", {"hostid": gone, "tags": []})
    for _ in range(2):
        assert command(*ARGUMENTS, *_nodes(tmp_path, "another")) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "start the grace period, no value of the agent yet: gone"
    assert "start the grace period" in out[1]
    assert len(out) == 3
    assert "start the grace period" not in out[2]
    host = _host(applied, gone)
    assert (host["status"], [tag["tag"] for tag in host["tags"]]) == ("0", [UNHEARD_TAG])


def test_a_host_that_a_person_disabled_is_left_alone(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.call("host.update", {"hostid": gone, "status": 1})
    assert command(*ARGUMENTS, *_nodes(tmp_path, "another"), "--delete-after", "0s") == 0
    assert "1 disabled by somebody else: left alone" in capsys.readouterr().out
    assert command(*ARGUMENTS, *_nodes(tmp_path, "gone")) == 0
    assert _host(applied, gone)["status"] == "1"


@pytest.mark.usefixtures("gone")
def test_a_host_of_another_cluster_is_ignored(
    applied: Stack, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group,) = applied.call("hostgroup.create", {"name": "Kubernetes/another/Bottlerocket nodes"})[
        "groupids"
    ]
    other_id = create_host(applied, "of-another", group="Kubernetes/another/Bottlerocket nodes")
    try:
        assert command(*ARGUMENTS, *_nodes(tmp_path, NODE_NAME)) == 0
        out = capsys.readouterr().out
        assert "disable: gone" in out
        assert "of-another" not in out
        assert _host(applied, other_id)["status"] == "0"
        assert command("check", "--cluster", CLUSTER, *_nodes(tmp_path, "of-another")) == 1
        assert "of-another  not registered" in capsys.readouterr().out
    finally:
        applied.call("host.delete", [other_id])
        applied.call("hostgroup.delete", [group])


def test_a_host_in_maintenance_or_without_the_template_is_left_alone(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = create_host(applied, "switch", linked=False)
    (maintenance,) = applied.call(
        "maintenance.create",
        {
            "name": "work",
            "active_since": 0,
            "active_till": 2_000_000_000,
            "hosts": [{"hostid": gone}],
            "timeperiods": [{"start_date": int(time.time()) - 60, "period": 86400}],
        },
    )["maintenanceids"]
    try:
        wait_for(
            lambda: _host(applied, gone)["maintenance_status"] == "1", "maintenance to begin", 90
        )
        assert command(*ARGUMENTS, *_nodes(tmp_path, NODE_NAME)) == 0
        out = capsys.readouterr().out
        assert "1 in maintenance: left alone" in out
        assert "1 without agent.ping: left alone" in out
        assert _host(applied, gone)["status"] == _host(applied, switch)["status"] == "0"
    finally:
        applied.call("maintenance.delete", [maintenance])
        applied.call("host.delete", [switch])


def test_the_tag_is_removed_when_a_person_enables_the_host(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*ARGUMENTS, *_nodes(tmp_path, NODE_NAME)) == 0
    applied.call("host.update", {"hostid": gone, "status": 0})
    assert command(*ARGUMENTS, *_nodes(tmp_path, "gone", NODE_NAME)) == 0
    assert "remove prune's tag, enabled by somebody else: gone" in capsys.readouterr().out
    host = _host(applied, gone)
    assert (host["status"], {tag["tag"] for tag in host["tags"]}) == ("0", {"owner"})


def test_a_grace_period_longer_than_the_api_can_report_is_refused(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*ARGUMENTS, *_nodes(tmp_path, "a"), "--grace", "25h") == 2
    assert "--grace must be at most 24h" in capsys.readouterr().err


def test_a_list_that_is_empty_or_unavailable_changes_nothing(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*ARGUMENTS, *_nodes(tmp_path)) == 2
    assert "lists no nodes; nothing was done" in capsys.readouterr().err
    assert command(*ARGUMENTS[:-1], *_nodes(tmp_path, "of-another-cluster")) == 2
    assert "Is the list another cluster's?" in capsys.readouterr().err
    kubeconfig = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:9", {"token": "t"})
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert command(*ARGUMENTS, "--kubeconfig", str(kubeconfig), PATH=path) == 2
    assert "kubectl get nodes: The connection to the server 127.0.0.1:9 was refused" in (
        capsys.readouterr().err
    )
    assert _host(applied, gone)["status"] == "0"


def test_a_server_that_does_not_answer_is_reported_in_one_line(
    applied: Stack, gone: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.stop_frontend()
    try:
        assert command(*ARGUMENTS, *_nodes(tmp_path, "another")) == 2
    finally:
        applied.start_frontend()
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert _host(applied, gone)["status"] == "0"


def test_check_prints_a_table_and_fails_if_a_node_is_not_monitored(
    node: Node, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node.journald.send(b"a line", SYSLOG_IDENTIFIER="check")
    wait_for(lambda: node.item("logrt[")["lastclock"] != "0", "a line", 60)
    arguments = ("check", "--cluster", CLUSTER)
    wait_for(lambda: node.item("agent.ping")["lastclock"] != "0", "the agent's ping", 90)
    capsys.readouterr()
    assert command(*arguments, *_nodes(tmp_path, node.name)) == 0
    assert "1 of 1 nodes OK" in capsys.readouterr().out
    assert command(*arguments, *_nodes(tmp_path, node.name, "unknown"), "--json") == 1
    found = {row["node"]: row["ok"] for row in json.loads(capsys.readouterr().out)}
    assert found == {node.name: True, "unknown": False}
