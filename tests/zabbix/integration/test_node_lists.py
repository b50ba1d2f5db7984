"""Lists of nodes from the API with a pod's service account, and from kubectl: complete, or an error."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.commands import node_flags
from node_observability.zabbix.hosts import nodes, service_account
from tests.support.certificates import Authority, write_kubeconfig
from tests.support.nodes_api import NodesApi, nodes_api

TOKEN = "e30.first"  # noqa: S105 - of nobody
NAMES = [f"ip-10-0-{number // 256}-{number % 256}.ec2.internal" for number in range(1201)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "cluster")


@pytest.fixture
def account(authority: Authority, tmp_path: Path) -> Path:
    """Return a service account as kubelet mounts it: links through a directory that it swaps."""
    data = tmp_path / "..2026_11_21"
    data.mkdir()
    (data / "token").write_text(TOKEN)
    (data / "ca.crt").write_bytes(authority.certificate.read_bytes())
    (tmp_path / "..data").symlink_to(data.name)
    for name in ("token", "ca.crt"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    return tmp_path


@pytest.fixture
def api(authority: Authority) -> Iterator[NodesApi]:
    with nodes_api(authority) as running:
        running.tokens = {TOKEN}
        running.nodes = {name: {"os": "bottlerocket"} for name in NAMES} | {"other": {}}
        yield running


def _listed(
    api: NodesApi, account: Path, selector: str = "", timeout_s: float = 30
) -> frozenset[str]:
    return nodes.from_api(
        service_account.in_cluster(api.environment, account), selector, timeout_s=timeout_s
    )


def test_a_fleet_is_listed_page_by_page_under_an_authority_without_key_identifiers(
    api: NodesApi, account: Path
) -> None:
    assert _listed(api, account) == {*NAMES, "other"}
    assert len(api.asked) == 3
    assert _listed(api, account, "os=bottlerocket") == set(NAMES)


def test_a_kubeconfig_and_the_selector_of_the_command_choose_the_nodes(
    api: NodesApi, account: Path, environment: dict[str, str]
) -> None:
    server = f"https://127.0.0.1:{api.port}"
    path = write_kubeconfig(account / "kubeconfig", server, {"tokenFile": "token"}, "ca.crt")
    parser = argparse.ArgumentParser()
    node_flags.add_nodes(parser, selector="os=bottlerocket")
    source = ("--kubeconfig", str(path))
    assert node_flags.nodes_of(parser.parse_args(source), environment) == set(NAMES)
    everything = node_flags.nodes_of(parser.parse_args([*source, "--selector", ""]), environment)
    assert everything == {*NAMES, "other"}


def test_a_rotated_token_is_read_again(api: NodesApi, account: Path) -> None:
    assert _listed(api, account)
    api.tokens = {"e30.second"}
    with pytest.raises(UsageError, match="the credentials are not accepted"):
        _listed(api, account)
    newer = account / "..2026_11_22"
    newer.mkdir()
    (newer / "token").write_text("e30.second\n")
    (newer / "ca.crt").write_bytes((account / "ca.crt").read_bytes())
    (account / "..data").unlink()
    (account / "..data").symlink_to(newer.name)
    assert _listed(api, account)


@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("410", "the list changed while it was read; run it again"),
        ("429", "HTTP 429"),
        ("500", "HTTP 500"),
        ("moved", "can't be listed"),
        ("page of a proxy", "can't be listed"),
        ("breaks off", "can't be listed"),
        ("silence", "timed out"),
    ],
)
def test_a_list_with_a_page_that_fails_is_an_error(
    page: int, fault: str, problem: str, *, api: NodesApi, account: Path
) -> None:
    api.faults = {page: fault}
    with pytest.raises(ToolboxError) as refused:
        _listed(api, account, timeout_s=0.3 if fault == "silence" else 30)
    assert problem in str(refused.value)
    assert "nothing was done" in str(refused.value)
    assert len(api.asked) == page + 1
    assert not any("/stolen" in path for path in api.asked)
    assert TOKEN not in str(refused.value)


def test_an_account_that_may_not_list_nodes_gets_an_error_with_the_permission(
    api: NodesApi, account: Path
) -> None:
    api.allowed = False
    with pytest.raises(UsageError, match="grant `list` on `nodes`"):
        _listed(api, account)


def test_a_server_of_another_authority_or_name_gets_no_token(
    authority: Authority, account: Path, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    for issuer, name in ((other, "IP:127.0.0.1"), (authority, "IP:192.0.2.1")):
        with nodes_api(issuer, name=name) as stranger:
            with pytest.raises(UsageError, match=r"TLS failed .*ca[.]crt of the service account"):
                _listed(stranger, account)
            assert stranger.asked == []


def test_proxies_and_authorities_of_the_environment_are_not_used(
    api: NodesApi, account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert _listed(api, account)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("token", b"", "token: is empty"),
        ("token", b"\xff", "token: is not UTF-8"),
        ("ca.crt", b"", "ca.crt: is empty"),
        ("ca.crt", b"no certificate", "TLS failed"),
    ],
)
def test_a_damaged_account_is_refused(
    name: str, content: bytes, problem: str, *, api: NodesApi, account: Path
) -> None:
    (account / name).write_bytes(content)
    with pytest.raises(UsageError) as refused:
        _listed(api, account)
    assert problem in str(refused.value)
    assert api.asked == []


def _kubeconfig(api: NodesApi, authority: Authority, directory: Path, plugin: str) -> Path:
    """Write a kubeconfig whose user signs in by a plugin, as `aws eks update-kubeconfig` makes them."""
    script = directory / "sign-in"
    script.write_text(f"#!/bin/sh\n{plugin}\n")
    script.chmod(0o755)
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(script),
        "interactiveMode": "Never",
    }
    server = f"https://127.0.0.1:{api.port}"
    return write_kubeconfig(
        directory / "config", server, {"exec": sign_in}, str(authority.certificate)
    )


SIGN_IN = f"""env >"$0.saw"; echo '{
    json.dumps(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": TOKEN},
        }
    )
}'"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which kubectl has a home of its own."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}


def test_a_kubeconfig_is_read_by_kubectl_whose_plugins_do_not_see_the_secrets_of_zabbix(
    api: NodesApi, authority: Authority, environment: dict[str, str], tmp_path: Path
) -> None:
    path = _kubeconfig(api, authority, tmp_path, SIGN_IN)
    environment |= {"ZABBIX_API_TOKEN": "s3cret", "AWS_PROFILE": "ops"}
    assert nodes.from_kubectl(path, environment) == {*NAMES, "other"}
    assert nodes.from_kubectl(path, environment, selector="os=bottlerocket") == set(NAMES)
    saw = (tmp_path / "sign-in.saw").read_text()
    assert "AWS_PROFILE=ops" in saw
    assert "s3cret" not in saw


@pytest.mark.parametrize(
    ("page", "fault", "problem"),
    [
        (0, "500", "(InternalError)"),
        (1, "500", "(InternalError)"),
        (2, "breaks off", "unexpected EOF"),
        (1, "page of a proxy", "invalid character '<'"),
    ],
)
def test_a_list_with_a_page_that_kubectl_fails_to_get_is_an_error(
    page: int,
    fault: str,
    problem: str,
    *,
    api: NodesApi,
    authority: Authority,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    path = _kubeconfig(api, authority, tmp_path, SIGN_IN)
    api.faults = {page: fault}
    with pytest.raises(ToolboxError) as refused:
        nodes.from_kubectl(path, environment)
    assert str(refused.value).startswith("kubectl get nodes: ")
    assert problem in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_kubeconfig_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    parser = argparse.ArgumentParser()
    node_flags.add_nodes(parser, selector="")
    options = parser.parse_args(["--kubeconfig", str(tmp_path / "pipe")])
    with pytest.raises(UsageError, match=r"is a pipe or a device, not a file; name the kubeconfig"):
        node_flags.nodes_of(options, {})


def test_a_kubeconfig_that_can_not_be_used_is_reported_with_kubectls_message(
    api: NodesApi, authority: Authority, environment: dict[str, str], tmp_path: Path
) -> None:
    path = _kubeconfig(api, authority, tmp_path, "echo no session >&2; exit 3")
    with pytest.raises(ToolboxError, match=r"kubectl get nodes: .*no session.*exit code 3"):
        nodes.from_kubectl(path, environment)
    with pytest.raises(ToolboxError, match="not found for specified context: x"):
        nodes.from_kubectl(path, environment, context="x")
    with pytest.raises(ToolboxError, match="gone: no such file"):
        nodes.from_kubectl(tmp_path / "gone", environment)
    with pytest.raises(UsageError, match=r"kubectl is not on the PATH; .*--nodes-file FILE"):
        nodes.from_kubectl(path, {**environment, "PATH": "/nowhere"})
    assert api.asked == []
