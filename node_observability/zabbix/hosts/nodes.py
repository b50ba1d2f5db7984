"""The names of a cluster's nodes: from a file, from kubectl, or from the API of the cluster that a pod is in.

Guarantees: what is returned is the whole list, never part of it; an empty one is an error, for it would make
every host look forsaken, and so is what no node can be called. A kubeconfig is kubectl's to read, with the
plugins by which EKS and others sign in; in a pod one GET with pages is all that is asked
(docs/decisions/0011).
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import requests

from node_observability.errors import ToolboxError, UsageError, printable
from node_observability.inputs.nodes import Node, next_page, node, parse
from node_observability.programs import ask
from node_observability.zabbix.hosts.service_account import Access
from node_observability.zabbix.server.sessions import bearer, reason, session

__all__ = ["from_api", "from_kubectl", "from_text"]

_PAGE = 500
_LIST = "NodeList"
_SHOWN = 60  # characters of what is no name
# Kubernetes' DNS-1123 subdomain: anything else is another program's words, and not a node that is there.
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_STATUS = {
    400: "the question is not understood; give --selector as `kubectl get nodes -l` takes it",
    401: "the credentials are not accepted; give a token or certificate that is valid",
    403: "listing nodes is not allowed; grant `list` on `nodes` (a ClusterRole)",
}
_GONE = 410


def from_text(text: str, source: str, selector: str = "") -> frozenset[str]:
    """Return the names in a text: one a line (`node/NAME` too), or what `kubectl get nodes -o json` prints.

    Raises:
        UsageError: nothing, or something else, is in it.

    """
    if text.lstrip().startswith(("{", "[")):
        listed = parse(text, source, needs_kind=True)
        found = {node.name for node in listed if _selected(node, selector, source)}
        return _not_empty(found, source)
    if selector:
        raise UsageError(
            f"{source}: has names only, so no selector applies; write JSON or drop --selector"
        )
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip().removeprefix("node/")
        if not name or name.startswith("#"):
            continue
        if not _NAME.fullmatch(name) or name == "null":
            raise UsageError(
                f"{source}:{number}: `{printable(name[:_SHOWN])}` is no node's name; "
                "write `kubectl get nodes -o name` into it"
            )
        found.add(name)
    return _not_empty(found, source)


def from_kubectl(
    kubeconfig: Path, environment: Mapping[str, str], *, context: str = "", selector: str = ""
) -> frozenset[str]:
    """Return the names of all nodes, or of those that ``selector`` picks, of a kubeconfig's cluster.

    Raises:
        ToolboxError: kubectl is not there or failed; it tells why.

    """
    command = ["kubectl", "get", "nodes", "--output=json", f"--kubeconfig={kubeconfig}"]
    command += [f"--context={context}"] if context else []
    command += [f"--selector={selector}"] if selector else []
    # The programs that a kubeconfig names have no business with Zabbix' secrets.
    others = {name: value for name, value in environment.items() if not name.startswith("ZABBIX_")}
    return from_text(ask(command, "--nodes-file FILE", others), "kubectl")


def from_api(access: Access, selector: str = "", timeout_s: float = 30.0) -> frozenset[str]:
    """Return the names of all nodes, or of those with the labels ``key=value,…``.

    Raises:
        ToolboxError: no whole list could be had.

    """
    with _session(access, timeout_s) as get:
        found: set[str] = set()
        asked: set[str] = set()
        following = ""
        while following not in asked:
            asked.add(following)
            page = get(selector, following)
            found.update(_names(page["items"], access.server))
            following = next_page(page)
            if not following:
                return _not_empty(found, access.server)
    raise ToolboxError(f"{access.server}: answers with the same page for ever; nothing was done")


@contextlib.contextmanager
def _session(access: Access, timeout_s: float) -> Iterator[Callable[[str, str], Any]]:
    with session(str(access.authority)) as own:
        own.headers["Authorization"] = f"Bearer {bearer(access.token, 'the token of the cluster')}"

        def get(selector: str, following: str) -> Any:  # noqa: ANN401 - JSON
            query = {"limit": str(_PAGE)}
            if selector:
                query["labelSelector"] = selector
            if following:
                query["continue"] = following
            url = f"{access.server}/api/v1/nodes?{urlencode(query)}"
            return _page(own, url, access.server, timeout_s)

        yield get


def _page(own: requests.Session, url: str, server: str, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
    try:
        reply = own.get(url, timeout=timeout_s)
        if reply.status_code != requests.codes.ok:
            wrong = UsageError if reply.status_code in _STATUS else ToolboxError
            raise wrong(f"{server}: {_refusal(reply)}; nothing was done")
        page = reply.json()
    except requests.exceptions.SSLError as error:
        raise UsageError(
            f"{server}: TLS failed ({reason(error)}); check ca.crt of the service account; "
            "nothing was done"
        ) from error
    except (requests.RequestException, OSError) as error:
        raise ToolboxError(
            f"{server}: the nodes can't be listed ({reason(error)}); nothing was done"
        ) from error
    whole = isinstance(page, dict) and page.get("kind") == _LIST
    if not whole or not isinstance(page.get("items"), list):
        raise ToolboxError(f"{server}: answered with something else than nodes; nothing was done")
    return page


def _refusal(reply: requests.Response) -> str:
    if reply.status_code == _GONE:
        return "the list changed while it was read; run it again"
    return f"HTTP {reply.status_code}: {_STATUS.get(reply.status_code, reply.reason)}"


def _names(items: Iterable[object], server: str) -> set[str]:
    try:
        return {node(item).name for item in items}
    except ValueError as error:
        raise ToolboxError(
            f"{server}: listed what is not a node: {error}; nothing was done"
        ) from error


def _selected(item: Node, selector: str, source: str) -> bool:
    if not selector:
        return True
    for part in selector.split(","):
        key, equals, value = part.partition("=")
        if not equals or key.endswith("!") or " in " in part:
            raise UsageError(f"{source}: --selector `{part}` must be key=value for a file")
        if item.labels.get(key.strip()) != value.removeprefix("=").strip():
            return False
    return True


def _not_empty(found: set[str], source: str) -> frozenset[str]:
    if not found:
        raise UsageError(
            f"{source}: lists no nodes; nothing was done, for every host would look forsaken"
        )
    return frozenset(found)
