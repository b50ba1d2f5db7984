"""Nodes, as ``kubectl get nodes -o json`` prints them.

Guarantees one error for each thing that is not as the API has it, with its place in the file.
"""

import json
from collections import Counter
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
    except RecursionError:
        raise UsageError(f"{origin}: brackets within brackets without end; {hint}") from None
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
        except ValueError as error:
            problems.append(f"{origin}: item {number} is no node ({error}); {hint}")
    twice = [name for name, count in Counter(node.name for node in nodes).items() if count > 1]
    problems += [f"{origin}: node {name} is in it more than once; {hint}" for name in twice]
    if problems:
        raise UsageError(*problems)
    return nodes


def _mapping(value: Any, name: str) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(value or {}, dict):
        raise ValueError(f"{name} is a {type(value).__name__}, no object")  # noqa: TRY004 - of the file
    return value or {}


def _word(value: Any, name: str) -> str:  # noqa: ANN401 - JSON
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is {json.dumps(value)}, no text")
    return value


def _taint(taint: Any) -> Taint:  # noqa: ANN401 - JSON
    fields = _mapping(taint, "a taint")
    key, effect = (_word(fields.get(name), f"a taint's {name}") for name in ("key", "effect"))
    return Taint(key, effect, str(fields.get("value") or ""))


def _node(item: Any) -> Node:  # noqa: ANN401 - JSON
    fields = _mapping(item, "it")
    if fields.get("kind", "Node") != "Node":
        raise ValueError(f"kind {fields['kind']}")
    metadata = _mapping(fields.get("metadata"), "metadata")
    spec = _mapping(fields.get("spec"), "spec")
    info = _mapping(_mapping(fields.get("status"), "status").get("nodeInfo"), "nodeInfo")
    labels = _mapping(metadata.get("labels"), "metadata.labels")
    given = spec.get("taints") or []
    if not isinstance(given, list):
        raise ValueError(f"spec.taints is a {type(given).__name__}, no list")  # noqa: TRY004
    taints = [_taint(taint) for taint in given]
    if spec.get("unschedulable") and _UNSCHEDULABLE not in taints:
        taints.append(_UNSCHEDULABLE)
    return Node(
        name=_word(metadata.get("name"), "metadata.name"),
        labels={str(key): str(value) for key, value in labels.items()},
        taints=tuple(taints),
        os_image=str(info.get("osImage") or ""),
        runtime=str(info.get("containerRuntimeVersion") or ""),
    )
