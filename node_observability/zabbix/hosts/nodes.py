"""Reads the names of a cluster's nodes: from a file, from kubectl, or from the API as a pod.

Guarantees the whole list or an error, never a part of it. An empty list is an error, because every host
would look orphaned; so is a name that no node can have. Kubeconfigs are left to kubectl and its sign-in
plugins. A pod only sends GET requests, one per page (docs/decisions/0011).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import requests

from node_observability.errors import ToolboxError, UsageError, printable
from node_observability.inputs.nodes import Node, next_page, node, parse
from node_observability.kubernetes_names import SUBDOMAIN
from node_observability.programs import ask
from node_observability.zabbix.hosts.service_account import Access
from node_observability.zabbix.server.sessions import bearer, reason, session

__all__ = ["from_api", "from_kubectl", "from_text"]

_PAGE: Final = 500
_LIST: Final = "NodeList"
_SHOWN: Final = 60  # characters of a wrong name
_STATUS: Final = {
    400: "the request is not valid; give --selector in the form that `kubectl get nodes -l` takes",
    401: "the credentials are not accepted; give a token or certificate that is valid",
    403: "listing nodes is not allowed; grant `list` on `nodes` (a ClusterRole)",
}
_GONE: Final = 410


def from_text(text: str, source: str, selector: str = "") -> frozenset[str]:
    """Return the names in a text: one per line (also ``node/NAME``), or ``kubectl get nodes -o json``.

    Raises:
        UsageError: it contains no nodes, or something else; ``source`` names it.
    """
    if text.lstrip().startswith(("{", "[")):
        listed = parse(text, source, needs_kind=True)
        return _not_empty({one.name for one in listed if _selected(one, selector, source)}, source)
    if selector:
        raise UsageError(
            f"{source}: contains names only, which --selector can't filter; save "
            "`kubectl get nodes -o json` instead, or omit --selector"
        )
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip().removeprefix("node/")
        if not name or name.startswith("#"):
            continue
        # Such as the error message of another program.
        if not SUBDOMAIN.fullmatch(name) or name == "null":
            raise UsageError(
                f"{source}:{number}: `{printable(name[:_SHOWN])}` is not the name of a node; "
                "save `kubectl get nodes -o name`"
            )
        found.add(name)
    return _not_empty(found, source)


def from_kubectl(
    kubeconfig: Path, environment: Mapping[str, str], *, context: str = "", selector: str = ""
) -> frozenset[str]:
    """Return the names of the nodes of a kubeconfig's cluster, of all or of those that ``selector`` picks.

    Raises:
        ToolboxError: kubectl is missing or failed; the text has its message.
    """
    command = ["kubectl", "get", "nodes", "--output=json", f"--kubeconfig={kubeconfig}"]
    command += [f"--context={context}"] if context else []
    command += [f"--selector={selector}"] if selector else []
    # Keeps the secrets of Zabbix from the programs that a kubeconfig names.
    others = {name: value for name, value in environment.items() if not name.startswith("ZABBIX_")}
    return from_text(ask(command, "--nodes-file FILE", others), "kubectl")


def from_api(access: Access, selector: str = "", timeout_s: float = 30.0) -> frozenset[str]:
    """Return the names of all nodes, or of those with the labels ``key=value,…``.

    Raises:
        ToolboxError: the list could not be read completely; ``timeout_s`` is the limit of each page.
    """
    query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
    found: set[str] = set()
    requested: set[str] = set()
    with session(str(access.authority)) as http:
        http.headers["Authorization"] = f"Bearer {bearer(access.token, 'the token of the cluster')}"
        while (token := query.get("continue", "")) not in requested:
            requested.add(token)
            page = _page(http, access.server, query, timeout_s)
            found |= _names(page["items"], access.server)
            query["continue"] = next_page(page)
            if not query["continue"]:
                return _not_empty(found, access.server)
    raise ToolboxError(f"{access.server}: returns the same page again and again; nothing was done")


def _page(http: requests.Session, server: str, query: Mapping[str, str], timeout_s: float) -> Any:  # noqa: ANN401 - JSON
    try:
        reply = http.get(f"{server}/api/v1/nodes", params=query, timeout=timeout_s)
        if reply.status_code != requests.codes.ok:
            refused = UsageError if reply.status_code in _STATUS else ToolboxError
            raise refused(f"{server}: {_refusal(reply)}; nothing was done")
        page = reply.json()
    except requests.exceptions.SSLError as error:
        raise UsageError(
            f"{server}: TLS failed ({reason(error)}); check ca.crt of the service account; "
            "nothing was done"
        ) from error
    except (requests.RequestException, OSError, ValueError, RecursionError) as error:
        # The last two come from JSON with thousands of digits or levels.
        raise ToolboxError(
            f"{server}: the nodes can't be listed ({reason(error)}); nothing was done"
        ) from error
    is_list = isinstance(page, dict) and page.get("kind") == _LIST
    if not is_list or not isinstance(page.get("items"), list):
        raise ToolboxError(f"{server}: the answer is not a list of nodes; nothing was done")
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
            f"{server}: an item of the list is not a node: {error}; nothing was done"
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
            f"{source}: lists no nodes; nothing was done, because every host would look orphaned"
        )
    return frozenset(found)
