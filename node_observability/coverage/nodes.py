"""Nodes, as ``kubectl get nodes -o json`` prints them.

Guarantees one error for each thing that is not as the API has it, with its place in the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node_observability.coverage.placement import Taint
from node_observability.errors import UsageError

__all__ = ["Node", "parse"]

_UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "NoSchedule")


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its name and labels, its taints, and what its kubelet says of its system."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...] = ()
    os_image: str = ""
    runtime: str = ""

    @property
    def is_bottlerocket(self) -> bool:
        """Whether its system is Bottlerocket, by the name that it gives itself."""
        return self.os_image.startswith("Bottlerocket")


def parse(text: str, origin: str) -> list[Node]:
    """Return the nodes of a list, or of one node; ``origin`` names the file in errors.

    Raises:
        UsageError: it is no JSON, or holds something else than nodes.
    """
    hint = "write what `kubectl get nodes -o json` prints"
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{origin}: no JSON ({error}); {hint}") from None
    if not isinstance(loaded, dict):
        raise UsageError(f"{origin}: a {type(loaded).__name__}, no list of nodes; {hint}")
    items = loaded.get("items") if "items" in loaded else [loaded]
    if not isinstance(items, list):
        raise UsageError(f"{origin}: `items` is no list; {hint}")
    if not items:
        raise UsageError(f"{origin}: no nodes in it; {hint}")
    nodes, problems = [], []
    for number, item in enumerate(items):
        try:
            nodes.append(_node(item))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            problems.append(f"{origin}: item {number} is no node ({error}); {hint}")
    if problems:
        raise UsageError(*problems)
    return nodes


def _node(item: Any) -> Node:  # noqa: ANN401 - JSON
    if item.get("kind", "Node") != "Node":
        raise ValueError(f"kind {item['kind']}")
    metadata, spec = item["metadata"], item.get("spec") or {}
    info = (item.get("status") or {}).get("nodeInfo") or {}
    taints = [
        Taint(str(taint["key"]), str(taint["effect"]), str(taint.get("value") or ""))
        for taint in spec.get("taints") or ()
    ]
    if spec.get("unschedulable") and _UNSCHEDULABLE not in taints:
        taints.append(_UNSCHEDULABLE)
    return Node(
        name=str(metadata["name"]),
        labels={str(key): str(value) for key, value in (metadata.get("labels") or {}).items()},
        taints=tuple(taints),
        os_image=str(info.get("osImage", "")),
        runtime=str(info.get("containerRuntimeVersion", "")),
    )
