"""Where the names of nodes come from; an incomplete list is an error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.hosts import nodes, service_account
from node_observability.zabbix.hosts.service_account import Access
from tests.support.servers import Handler, serving


def _node(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name, "labels": labels}}


_LIST = {"kind": "List", "items": [_node("a"), _node("b")]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\nnode/b\n\n# c\n", {"a", "b"}),
        ("a\r\nip-10-0-1-2.ec2.internal\r\n", {"a", "ip-10-0-1-2.ec2.internal"}),
        (json.dumps(_LIST), {"a", "b"}),
        (json.dumps(_LIST, indent=2), {"a", "b"}),
        ('{"kind": "NodeList", "items": [{"metadata": {"name": "a"}}]}', {"a"}),
        (json.dumps(_node("a")), {"a"}),
    ],
)
def test_a_file_contains_names_or_what_kubectl_prints(text: str, names: set[str]) -> None:
    assert nodes.from_text(text, "n") == names


def test_a_selector_picks_nodes_of_a_file() -> None:
    text = json.dumps({"kind": "List", "items": [_node("a", os="bottlerocket"), _node("b")]})
    assert nodes.from_text(text, "n", "os=bottlerocket") == {"a"}


_ONE = '{"kind": "NodeList", "items": [{"metadata": {"name": "a"}}]}'


@pytest.mark.parametrize(
    ("text", "selector", "problem"),
    [
        ("", "", "n: lists no nodes"),
        ("\n# none\n", "", "n: lists no nodes"),
        ('{"kind": "List", "items": []}', "", "n: lists no nodes"),
        ('{"items": [{"metadata": {"name": "a"}}]}', "", "n: is not a list of nodes"),
        ('["a", "b"]', "", "n: is not a list of nodes"),
        (_ONE, "os in (x)", "must be key=value"),
        ("NAME STATUS\na Ready\n", "", "n:1: `NAME STATUS` is not the name of a node"),
        ("a\nA\n", "", "n:2: `A` is not the name of a node"),
        ("Unauthorized", "", "is not the name of a node"),
        ("<html>", "", "is not the name of a node"),
        ("a,b", "", "is not the name of a node"),
        ('"a"', "", "is not the name of a node"),
        ("null", "", "is not the name of a node"),
        ("---", "", "is not the name of a node"),
        ("a\0", "", "`a\\x00` is not the name of a node"),
        ("a" * 254, "", "is not the name of a node; save"),
        ("a\n", "os=x", "n: contains names only"),
    ],
)
def test_a_file_that_is_empty_or_something_else_is_refused(
    text: str, selector: str, problem: str
) -> None:
    with pytest.raises(ToolboxError) as refused:
        nodes.from_text(text, "n", selector)
    assert problem in str(refused.value)


class _Api(Handler):
    """A Kubernetes API; ``answers`` has the answer for each ``continue`` token."""

    answers: dict[str, tuple[int, bytes]] = {}  # noqa: RUF012 - each test sets its own
    asked: list[tuple[str, str]] = []  # noqa: RUF012

    def respond(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        status, body = self.answers[query.get("continue", [""])[0]]
        self.answer(body, status)


@pytest.fixture
def api() -> Iterator[str]:
    _Api.asked = []
    with serving(_Api) as port:
        yield f"http://127.0.0.1:{port}"


def _page(names: list[str], following: str = "") -> tuple[int, bytes]:
    page = {"kind": "NodeList", "items": [_node(name) for name in names]}
    return 200, json.dumps({**page, "metadata": {"continue": following}}).encode()


def _access(api: str, token: str = "t") -> Access:  # noqa: S107
    return Access(server=api, token=token, authority=Path("unused.pem"))


def test_all_pages_are_read_with_the_token_and_the_selector(api: str) -> None:
    _Api.answers = {"": _page(["a"], "more"), "more": _page(["b"])}
    assert nodes.from_api(_access(api, "t0ken"), "os=bottlerocket") == {"a", "b"}
    assert len(_Api.asked) == 2
    for path, authorisation in _Api.asked:
        assert "labelSelector=os%3Dbottlerocket" in path
        assert authorisation == "Bearer t0ken"


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"": (403, b"")}, "grant `list` on `nodes`"),
        ({"": (400, b"")}, "give --selector in the form that `kubectl get nodes -l` takes"),
        ({"": (401, b"")}, "the credentials are not accepted"),
        ({"": _page(["a"], "x"), "x": (410, b"")}, "the list changed while it was read"),
        ({"": _page(["a"], "x"), "x": (500, b"")}, "HTTP 500"),
        ({"": (200, b"[]")}, "is not a list of nodes"),
        ({"": (200, b'{"kind": "PodList", "items": []}')}, "is not a list of nodes"),
        ({"": (200, b'{"kind": "NodeList"}')}, "is not a list of nodes"),
        ({"": _page(["a"], "x"), "x": _page(["a"], "x")}, "the same page again and again"),
        ({"": (200, b"<html>")}, "can't be listed"),
        ({"": (200, b"[" * 100_000)}, "can't be listed"),
        ({"": (200, b"9" * 5000)}, "can't be listed"),
        ({"": _page([])}, "lists no nodes"),
    ],
)
def test_an_incomplete_list_is_an_error(
    api: str, answers: dict[str, tuple[int, bytes]], problem: str
) -> None:
    _Api.answers = answers
    with pytest.raises(ToolboxError) as refused:
        nodes.from_api(_access(api))
    assert problem in str(refused.value)


def test_a_pod_uses_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "ca.crt").write_bytes(b"CA")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = service_account.in_cluster(environment, tmp_path)
    assert found == Access(
        server="https://[fd00::1]:443",
        token="t",  # noqa: S106
        authority=tmp_path / "ca.crt",
    )
    with pytest.raises(UsageError, match="this is not a pod"):
        service_account.in_cluster({}, tmp_path)
    with pytest.raises(UsageError, match="mount the service account's token"):
        service_account.in_cluster(environment, tmp_path / "gone")
