"""Where the nodes' names come from, and that a list is whole or none."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix import kubeconfig, nodes
from node_observability.zabbix.kubeconfig import Access


def _node(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\nnode/b\n\n# c\n", {"a", "b"}),
        (json.dumps({"kind": "List", "items": [_node("a"), _node("b")]}), {"a", "b"}),
        (json.dumps(_node("a")), {"a"}),
    ],
)
def test_a_file_holds_names_or_what_kubectl_prints(text: str, names: set[str]) -> None:
    assert nodes.from_text(text, "n") == names


def test_a_selector_picks_nodes_of_a_file() -> None:
    text = json.dumps({"items": [_node("a", os="bottlerocket"), _node("b")]})
    assert nodes.from_text(text, "n", "os=bottlerocket") == {"a"}


@pytest.mark.parametrize(
    ("text", "selector", "problem"),
    [
        ("", "", "n: lists no nodes"),
        ("\n# none\n", "", "n: lists no nodes"),
        ('{"items": []}', "", "n: lists no nodes"),
        ('{"items": ', "", "n: not JSON"),
        ('{"kind": "PodList"}', "", "n: holds no list of nodes"),
        ('{"kind": "PodList", "items": [{"metadata": {"name": "a"}}]}', "", "n: holds no list of"),
        (
            '{"items": [{"kind": "Pod", "metadata": {"name": "a"}}]}',
            "",
            "n: holds no list of nodes",
        ),
        (
            '{"metadata": {"continue": "x"}, "items": [{"metadata": {"name": "a"}}]}',
            "",
            "n: holds the first page of a list",
        ),
        ('{"items": [7]}', "os=x", "n: a node has no name"),
        ("NAME STATUS\na Ready\n", "", "n:1: `NAME STATUS` must be one name"),
        ("a\n", "os=x", "n: has names only"),
        ('{"items": [{"metadata": {}}]}', "", "n: a node has no name"),
        ('{"items": [{"metadata": {"name": "a"}}]}', "os in (x)", "must be key=value"),
    ],
)
def test_a_file_that_is_empty_or_something_else_is_refused(
    text: str, selector: str, problem: str
) -> None:
    with pytest.raises(ToolboxError) as refused:
        nodes.from_text(text, "n", selector)
    assert problem in str(refused.value)


class _Api(BaseHTTPRequestHandler):
    """Two pages of nodes, or what ``answers`` says."""

    answers: dict[str, tuple[int, bytes]] = {}  # noqa: RUF012 - each test sets its own
    asked: list[tuple[str, str]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        following = query.get("continue", [""])[0]
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        status, body = self.answers[following]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Be silent."""


@pytest.fixture
def api() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Api)
    _Api.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _page(names: list[str], following: str = "") -> tuple[int, bytes]:
    page = {"kind": "NodeList", "items": [_node(name) for name in names]}
    return 200, json.dumps({**page, "metadata": {"continue": following}}).encode()


def test_all_pages_are_read_with_the_token_and_the_selector(api: str) -> None:
    _Api.answers = {"": _page(["a"], "more"), "more": _page(["b"])}
    assert nodes.from_api(Access(server=api, token="t0ken"), "os=bottlerocket") == {"a", "b"}  # noqa: S106
    assert len(_Api.asked) == 2
    for path, authorisation in _Api.asked:
        assert "labelSelector=os%3Dbottlerocket" in path
        assert authorisation == "Bearer t0ken"


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"": (403, b"")}, "grant `list` on `nodes`"),
        ({"": (400, b"")}, "give --selector as `kubectl get nodes -l` takes it"),
        ({"": (401, b"")}, "the credentials are not accepted"),
        ({"": _page(["a"], "x"), "x": (410, b"")}, "the list changed while it was read"),
        ({"": _page(["a"], "x"), "x": (500, b"")}, "HTTP 500"),
        ({"": (200, b"[]")}, "something else than nodes"),
        ({"": (200, b'{"kind": "PodList", "items": []}')}, "something else than nodes"),
        ({"": (200, b'{"kind": "NodeList"}')}, "something else than nodes"),
        ({"": _page(["a"], "x"), "x": _page(["a"], "x")}, "the same page for ever"),
        ({"": (200, b"<html>")}, "can't be listed"),
        ({"": _page([])}, "lists no nodes"),
    ],
)
def test_part_of_a_list_is_no_list(
    api: str, answers: dict[str, tuple[int, bytes]], problem: str
) -> None:
    _Api.answers = answers
    with pytest.raises(ToolboxError) as refused:
        nodes.from_api(Access(server=api))
    assert problem in str(refused.value)


def _config(**user: object) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [
            {"name": "k", "cluster": {"server": "https://k.example", "certificate-authority": "ca"}}
        ],
        "users": [{"name": "u", "user": user}],
    }


def test_a_kubeconfig_gives_a_token_or_a_client_certificate_inline_or_from_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca").write_bytes(b"CA")
    (tmp_path / "token").write_text("from-file\n")
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(_config(token="inline")))  # noqa: S106
    assert kubeconfig.from_kubeconfig(path) == Access(
        server="https://k.example",
        authority=b"CA",
        token="inline",  # noqa: S106
    )
    path.write_text(yaml.safe_dump(_config(tokenFile="token")))
    assert kubeconfig.from_kubeconfig(path).token == "from-file"  # noqa: S105
    data = {
        f"client-{name}-data": base64.b64encode(name.encode()).decode()
        for name in ("certificate", "key")
    }
    path.write_text(yaml.safe_dump(_config(**data)))
    access = kubeconfig.from_kubeconfig(path)
    assert (access.certificate, access.key) == (b"certificate", b"key")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"current-context": ""}, "names no current context; give --context"),
        ({"current-context": "x"}, "no context `x`; there are: c"),
        ({"users": [{"name": "u", "user": {"exec": {}}}]}, "signs in by an exec plugin"),
        ({"users": [{"name": "u", "user": {}}]}, "has neither a token nor a client certificate"),
        (
            {"users": [{"name": "u", "user": {"client-key-data": "!"}}]},
            "client-key-data is not base64",
        ),
        ({"users": [{"name": "u", "user": {"tokenFile": "gone"}}]}, "gone: No such file"),
        ({"users": 7}, "no user `u`; there are: none"),
        ({"users": [{"name": "u", "user": {"token": "t", "as": "x"}}]}, "as is not supported"),
        (
            {
                "clusters": [
                    {"name": "k", "cluster": {"server": "https://k", "proxy-url": "http://p"}}
                ]
            },
            "proxy-url is not supported; remove it, or write `kubectl get nodes -o json`",
        ),
        (
            {"clusters": [{"name": "k", "cluster": {"server": "http://k"}}]},
            "must begin with https://",
        ),
        (
            {
                "clusters": [
                    {
                        "name": "k",
                        "cluster": {"server": "https://k", "insecure-skip-tls-verify": True},
                    }
                ]
            },
            "insecure-skip-tls-verify is not supported",
        ),
    ],
)
def test_a_kubeconfig_that_can_not_be_used_is_told_with_the_way_out(
    change: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "ca").write_bytes(b"CA")
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({**_config(token="t"), **change}))  # noqa: S106
    with pytest.raises(UsageError) as refused:
        kubeconfig.from_kubeconfig(path)
    assert problem in str(refused.value)


def test_a_pod_uses_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "ca.crt").write_bytes(b"CA")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = kubeconfig.in_cluster(environment, tmp_path)
    assert found == Access(server="https://[fd00::1]:443", token="t", authority=b"CA")  # noqa: S106
    with pytest.raises(UsageError, match="this is not a pod"):
        kubeconfig.in_cluster({}, tmp_path)
    with pytest.raises(UsageError, match="mount the service account's token"):
        kubeconfig.in_cluster(environment, tmp_path / "gone")
