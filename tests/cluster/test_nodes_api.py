"""``prune`` lists nodes from a real API server: with the chart's account, in pages, one of them expired."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.hosts import nodes, service_account
from tests.cluster.control_plane import HOST, SERVER, ControlPlane
from tests.cluster.processes import base
from tests.support.helm import CHART, NAMESPACE, RELEASE
from tests.support.servers import Handler, serving
from tests.support.waiting import wait_for

ACCOUNT = f"{RELEASE}-prune-hosts"
NAMES = [f"ip-10-0-{number // 256}-{number % 256}.ec2.internal" for number in range(1001)]
_PRUNE = (
    *("--set", "zabbix.api.prune.enabled=true", "--set", "zabbix.api.url=https://zabbix.example"),
    *("--set", "zabbix.api.existingSecret=zabbix-api"),
)


@pytest.fixture(scope="module")
def fleet(plane: ControlPlane) -> ControlPlane:
    """Return a cluster with nodes of which half are Bottlerocket's, and the chart's account for prune."""
    for number, name in enumerate(NAMES):
        labels = {"os": "bottlerocket"} if number % 2 else {}
        plane.api.create("/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    parts = ("rbac", "serviceaccount")
    only = [text for part in parts for text in ("-s", f"templates/zabbix-api/{part}.yaml")]
    manifest = base() / "prune.yaml"
    command = ("helm", "template", RELEASE, str(CHART), "-n", NAMESPACE, *_PRUNE, *only)
    manifest.write_text(plane.command(*command))
    plane.kubectl("apply", "-n", NAMESPACE, "-f", str(manifest))
    return plane


def _account(plane: ControlPlane, name: str, authority: Path | None = None) -> Path:
    """Return a service account's directory as a pod has it, with a new token."""
    directory = base() / "accounts" / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "token").write_text(plane.kubectl("create", "token", "-n", NAMESPACE, name))
    trusted = plane.authority.certificate if authority is None else authority
    (directory / "ca.crt").write_bytes(trusted.read_bytes())
    return directory


def _listed(account: Path, port: int = 443, selector: str = "") -> frozenset[str]:
    environment = {"KUBERNETES_SERVICE_HOST": HOST, "KUBERNETES_SERVICE_PORT": str(port)}
    # More than an API server takes to start.
    return nodes.from_api(service_account.in_cluster(environment, account), selector, timeout_s=300)


def test_the_charts_account_lists_a_fleet_of_three_pages(fleet: ControlPlane) -> None:
    account = _account(fleet, ACCOUNT)
    assert _listed(account) == set(NAMES)
    assert _listed(account, selector="os=bottlerocket") == set(NAMES[1::2])


def test_the_charts_account_may_do_nothing_else(fleet: ControlPlane) -> None:
    user = f"--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
    for verb, resource, answer in (
        *(("list", "nodes", "yes"), ("get", "nodes", "no"), ("watch", "nodes", "no")),
        *(("delete", "nodes", "no"), ("list", "pods", "no"), ("get", "secrets", "no")),
    ):
        words = ("kubectl", "auth", "can-i", verb, resource, user)
        assert fleet.command(*words, codes=(0, 1)).strip() == answer, (verb, resource)


def test_another_account_is_told_what_it_needs(fleet: ControlPlane) -> None:
    with pytest.raises(UsageError, match="grant `list` on `nodes`"):
        _listed(_account(fleet, "default"))


@contextmanager
def _between(plane: ControlPlane) -> Iterator[int]:
    """Pass questions on, and have the database forget the past before any page but the first."""

    class Between(Handler):
        def respond(self) -> None:
            if "continue=" in self.path:
                _forget(plane)
            token = {"Authorization": self.headers["Authorization"]}
            reply = requests.get(
                SERVER + self.path,
                headers=token,
                verify=str(plane.authority.certificate),
                timeout=60,
            )
            self.answer(reply.content, reply.status_code)

    certificate = plane.authority.issue("between", f"IP:{HOST}")
    with serving(Between, (HOST, 0), certificate=certificate) as port:
        yield port


def _forget(plane: ControlPlane) -> None:
    """Compact etcd, as the API server has it done every five minutes, with the API server restarted.

    Else it would answer from snapshots in its memory for a while.
    """
    etcd = "http://127.0.0.1:2379/v3/kv"
    plane.api.create("/api/v1/nodes", {"metadata": {"name": "joined-meanwhile"}})
    key = base64.b64encode(b"/").decode()
    found = requests.post(f"{etcd}/range", json={"key": key}, timeout=30).json()
    revision = {"revision": found["header"]["revision"], "physical": True}
    requests.post(f"{etcd}/compaction", json=revision, timeout=30).raise_for_status()
    plane.restart("kube-apiserver")
    wait_for(lambda: plane.api.answers("/readyz"), "the API server to be back", 240, every_s=0.2)


def test_a_list_of_which_a_page_has_expired_is_none(fleet: ControlPlane) -> None:
    account = _account(fleet, ACCOUNT)
    with (
        _between(fleet) as port,
        pytest.raises(ToolboxError, match="the list changed while it was read; run it again"),
    ):
        _listed(account, port)
    assert _listed(account) == {*NAMES, "joined-meanwhile"}
