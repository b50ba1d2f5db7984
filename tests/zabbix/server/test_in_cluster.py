"""``apply`` and ``prune`` as the chart runs them, with the arguments, environment and files of a pod."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.helm import objects, render_text
from tests.support.nodes_api import NodesApi, nodes_api
from tests.support.zabbix.commands import MACROS
from tests.support.zabbix.hosts import CLUSTER
from tests.support.zabbix.node import NODE_NAME
from tests.support.zabbix.stack import PSK_IDENTITY, Stack

TOKEN = "e30.of-the-pod"  # noqa: S105 - of nobody
# The /run of a pod, with what kubelet mounts there.
_POD = """
account=$1; shift
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
mount --bind "$account" /run/secrets/kubernetes.io/serviceaccount
exec "$@"
"""
Pod = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "cluster")


@pytest.fixture
def api(authority: Authority) -> Iterator[NodesApi]:
    with nodes_api(authority) as running:
        running.tokens, running.nodes = {TOKEN}, {NODE_NAME: {}, "another": {}}
        yield running


def _containers(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the containers of the chart's Job and CronJob, by the kind of object."""
    macros = dict(text.removeprefix("--macro=").split("=", 1) for text in MACROS)
    values = {
        "clusterName": CLUSTER,
        "zabbix.server.address": "127.0.0.1",
        "zabbix.tls": {"mode": "psk", "existingSecret": "psk", "pskIdentity": PSK_IDENTITY},
        "zabbix.api.url": stack.url,
        "zabbix.api.existingSecret": "zabbix-api",
        "zabbix.api.apply": {"enabled": True, "macros": macros},
        "zabbix.api.prune": {"enabled": True, "allGone": True},
    }
    sets = tuple(f"{name}={json.dumps(value)}" for name, value in values.items())
    found = {}
    for part in objects(render_text(json_sets=sets)):
        if part["kind"] in ("Job", "CronJob"):
            spec = part["spec"] if part["kind"] == "Job" else part["spec"]["jobTemplate"]["spec"]
            (found[part["kind"]],) = spec["template"]["spec"]["containers"]
    return found


@pytest.fixture
def pod(applied: Stack, api: NodesApi, authority: Authority, tmp_path: Path) -> Pod:
    """Return a function that runs the container of the chart's Job or CronJob."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "ca.crt").write_bytes(authority.certificate.read_bytes())
    secrets = {("zabbix-api", "token"): applied.token(), ("psk", "psk"): applied.psk}
    containers = _containers(applied)

    def run(kind: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.environ["PATH"], **api.environment}
        for variable in containers[kind]["env"]:
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
            key = (reference.get("name"), reference.get("key"))
            if "value" in variable or key in secrets:
                environment[variable["name"]] = variable.get("value") or secrets[key]
        program = Path(sys.executable).with_name("node-observability")
        return subprocess.run(
            [
                *("unshare", "--mount", "--propagation=private", "sh", "-euc", _POD, "sh"),
                *(str(tmp_path), str(program), *containers[kind]["args"]),
            ],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def _status(stack: Stack, host_id: str) -> str:
    (host,) = stack.call("host.get", {"hostids": [host_id], "output": ["status"]})
    return str(host["status"])


def test_the_charts_job_finds_what_apply_made(pod: Pod) -> None:
    done = pod("Job")
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing to change\n", "")


def test_the_charts_cron_job_disables_a_host_whose_node_is_gone(
    applied: Stack, gone: str, pod: Pod
) -> None:
    done = pod("CronJob")
    assert (done.returncode, done.stderr) == (0, "")
    assert "disable: gone\n" in done.stdout
    assert "2 nodes, " in done.stdout
    assert _status(applied, gone) == "1"


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("410", "the list changed while it was read"),
        ("500", "HTTP 500"),
        ("403", "grant `list` on `nodes`"),
        ("breaks off", "can't be listed"),
        ("empty", "lists no nodes"),
    ],
)
def test_the_charts_cron_job_changes_nothing_without_a_whole_list(
    fault: str, problem: str, *, applied: Stack, api: NodesApi, gone: str, pod: Pod
) -> None:
    if fault == "empty":
        api.nodes = {}
    else:
        api.faults = {0: fault}
    done = pod("CronJob")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert problem in line
    assert _status(applied, gone) == "0"
