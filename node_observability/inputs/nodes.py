"""Reads the nodes of a cluster, as ``kubectl get nodes -o json`` prints them. Pure.

Guarantees all nodes of a list or an error, with the position of each item that is not a node. A list that
is only the first page of one is refused. Names alone, one per line, are ``zabbix``'s to read.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from node_observability.errors import UsageError, reason_of

__all__ = ["MAX_BYTES", "Node", "Taint", "next_page", "node", "parse"]

# 10,000 nodes with their images and addresses are some 200 MB.
MAX_BYTES: Final = 512 * 1024 * 1024
_FIX: Final = "save what `kubectl get nodes -o json` prints"
_JSON_TYPES: Final = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A node's taint. An empty value is a value too."""

    key: str
    value: str = ""
    effect: str

    def __str__(self) -> str:
        """Return it as ``kubectl taint`` takes it."""
        return f"{self.key}{f'={self.value}' if self.value else ''}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its name, its labels and taints, and the system that its kubelet reports."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...] = ()
    os_image: str = ""
    runtime: str = ""

    @property
    def is_bottlerocket(self) -> bool:
        """Whether its system is Bottlerocket, by the name of its image."""
        return self.os_image.startswith("Bottlerocket")


_UNSCHEDULABLE: Final = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def parse(text: str, source: str, *, needs_kind: bool = False) -> list[Node]:
    """Return the nodes of a list, or the one node; ``source`` names the file in errors.

    Without ``needs_kind``, an object that carries no ``kind`` is taken for a node, or for a list of nodes.

    Raises:
        UsageError: it is not JSON, is not a whole list of nodes, is empty, or has a node twice.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else reason_of(error)
        raise UsageError(f"{source}: not JSON: {reason}; {_FIX}") from None
    kind, items = _items(document, None if needs_kind else "Node")
    if not isinstance(items, list):
        raise UsageError(f"{source}: is not a list of nodes; {_FIX}")
    if next_page(document):
        raise UsageError(f"{source}: contains only the first page of a list; {_FIX}")
    if not items:
        raise UsageError(f"{source}: lists no nodes; {_FIX}")
    found, problems = [], []
    for number, item in enumerate(items):
        try:
            found.append(node(item, kind))
        except ValueError as error:
            problems.append(f"{source}: item {number} is not a node: {error}; {_FIX}")
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    problems += [f"{source}: lists node {name} more than once; {_FIX}" for name in twice]
    if problems:
        raise UsageError(*problems)
    return found


def _items(document: Any, assumed: str | None) -> tuple[str | None, object]:  # noqa: ANN401 - JSON
    """Return the kind of items that carry none, and the items; None for what is not a list."""
    if not isinstance(document, dict):
        return None, None
    kind = document.get("kind", assumed and ("NodeList" if "items" in document else "Node"))
    if kind == "Node":
        return kind, [document]
    items = document.get("items") if kind in ("List", "NodeList") else None
    return "Node" if kind == "NodeList" else assumed, items


def next_page(page: Mapping[str, Any]) -> str:
    """Return the token by which the API gives the next page of a list, empty after the last."""
    metadata = page.get("metadata")
    return str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""


def node(item: object, kind: str | None = "Node") -> Node:
    """Return the node of an object of the API; ``kind`` is what one is that carries none.

    Raises:
        ValueError: it is not a node; the text says what is wrong with which field.
    """
    fields = _object(item, "it")
    if fields.get("kind", kind) != "Node":
        raise ValueError(f"its kind is {fields.get('kind', 'missing')}")
    metadata = _object(fields.get("metadata"), "metadata")
    spec = _object(fields.get("spec"), "spec")
    info = _object(_object(fields.get("status"), "status").get("nodeInfo"), "nodeInfo")
    given = spec.get("taints") or []
    if not isinstance(given, list):
        raise ValueError(f"spec.taints is {_type(given)}, not an array")  # noqa: TRY004 - of the file
    taints = [_taint(taint) for taint in given]
    if spec.get("unschedulable") and _UNSCHEDULABLE not in taints:
        taints.append(_UNSCHEDULABLE)
    labels = _object(metadata.get("labels"), "metadata.labels")
    return Node(
        name=_text(metadata.get("name"), "metadata.name"),
        labels={str(key): str(value) for key, value in labels.items()},
        taints=tuple(taints),
        os_image=str(info.get("osImage") or ""),
        runtime=str(info.get("containerRuntimeVersion") or ""),
    )


def _taint(taint: object) -> Taint:
    fields = _object(taint, "a taint")
    key, effect = (_text(fields.get(name), f"a taint's {name}") for name in ("key", "effect"))
    return Taint(key=key, value=str(fields.get("value") or ""), effect=effect)


def _type(value: object) -> str:
    return "null" if value is None else _JSON_TYPES.get(type(value), "a number")


def _object(value: Any, name: str) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(value or {}, dict):
        raise ValueError(f"{name} is {_type(value)}, not an object")  # noqa: TRY004 - of the file
    return value or {}


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is {'empty' if value == '' else f'{_type(value)}, not a string'}")
    return value
