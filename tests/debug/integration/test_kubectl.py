"""The profiles through the real kubectl: what it sends to the API server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from node_observability.debug import cli, command
from tests.support import protobuf
from tests.support.kubernetes_api import Api, kubernetes_api

KUBECTL = Path(sys.executable).with_name("kubectl")
JOURNAL = ("host-root", "var/log/journal", True)
SOCKET = ("host-root", "run/api.sock", False)
CLIENT = ("host-root", "usr/bin/apiclient", True)
HOST = ("host-root", "", False)


def send(api: Api, words: list[str], home: Path) -> bytes:
    """Run a printed command against the API, without a terminal; return what it sent."""
    arguments = [word for word in words[1:] if word not in ("--stdin", "--tty")]
    subprocess.run(
        [str(KUBECTL), f"--server={api.url}", *arguments, "--attach=false"],
        check=True,
        env={"HOME": str(home), "PATH": ""},
        timeout=60,
        capture_output=True,
    )
    ((_, _, body),) = api.sent
    return body


def node_spec(name: str, home: Path) -> protobuf.Fields:
    profile = command.NODE_PROFILES[name]
    words, problems = command.build(
        "n1", profile, cli.profile_file(profile), image="registry.example.com/tools:1"
    )
    assert problems == []
    with kubernetes_api() as api:
        return protobuf.pod_spec(send(api, words, home))


def test_the_shell_has_the_host_its_journal_and_its_api(tmp_path: Path) -> None:
    spec = node_spec("shell", tmp_path)
    container = protobuf.container(spec)
    assert container["privileged"] is True
    assert container["image"] == "registry.example.com/tools:1"
    assert container["mounts"] == {
        "/host": HOST,
        "/var/log/journal": JOURNAL,
        "/run/api.sock": SOCKET,
        "/usr/bin/apiclient": CLIENT,
    }
    assert protobuf.host_path(spec) == {"host-root": "/"}


def test_the_journal_is_read_without_any_privilege(tmp_path: Path) -> None:
    container = protobuf.container(node_spec("journal", tmp_path))
    assert container["privileged"] is False
    assert container["escalation"] is False
    assert container["drop"] == ["ALL"]
    assert container["user"] == 0
    assert container["selinux"] is None
    assert container["mounts"] == {"/host": HOST, "/var/log/journal": JOURNAL}


def test_the_api_is_reached_by_its_label_and_not_by_privilege(tmp_path: Path) -> None:
    container = protobuf.container(node_spec("api", tmp_path))
    assert not container["privileged"]
    assert container["selinux"] == {
        "user": "system_u",
        "role": "system_r",
        "type": "control_t",
        "level": "s0",
    }
    assert container["mounts"] == {
        "/host": HOST,
        "/run/api.sock": SOCKET,
        "/usr/bin/apiclient": CLIENT,
    }


def test_a_pods_container_gets_the_targets_namespaces_and_the_tools_capabilities(
    tmp_path: Path,
) -> None:
    words, problems = command.build(
        "web-0",
        command.POD_PROFILE,
        cli.profile_file(command.POD_PROFILE),
        container="app",
        namespace="shop",
    )
    assert problems == []
    with kubernetes_api() as api:
        (container,) = json.loads(send(api, words, tmp_path))["spec"]["ephemeralContainers"]
        assert api.sent[0][:2] == (
            "PATCH",
            "/api/v1/namespaces/shop/pods/web-0/ephemeralcontainers",
        )
    assert container["targetContainerName"] == "app"
    assert container["securityContext"] == {
        "runAsUser": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": True,
        "capabilities": {"add": ["NET_ADMIN", "NET_RAW", "SYS_PTRACE"]},
    }


def test_kubectls_other_profiles_have_no_volume_of_the_host(tmp_path: Path) -> None:
    # Node profiles build on general and sysadmin: kubectl's others have no volume to mount from.
    profile = command.NODE_PROFILES["journal"]
    words, _ = command.build("n1", profile, cli.profile_file(profile), image="a/b:1")
    words[words.index("--profile=general")] = "--profile=baseline"
    with kubernetes_api() as api:
        spec = protobuf.pod_spec(send(api, words, tmp_path))
    assert protobuf.host_path(spec) == {}


@pytest.mark.parametrize("name", command.NODE_PROFILES)
def test_the_pod_runs_on_the_node_whatever_its_taints(name: str, tmp_path: Path) -> None:
    spec = node_spec(name, tmp_path)
    assert spec[10] == [b"n1"]  # nodeName
    (toleration,) = (protobuf.fields(one) for one in spec[22])  # tolerations
    assert toleration[2] == [b"Exists"]
