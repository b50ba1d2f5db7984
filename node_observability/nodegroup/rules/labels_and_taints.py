"""Checks labels and taints in ``settings.kubernetes``, and reads them from there. Pure.

Their patterns are in ``schema.kubernetes_values``: ``LABEL_KEY``, ``LABEL_VALUE``, ``TAINT``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup.schema.problem import Problem

# The kubelet does not start with other labels of these domains (``--node-labels``, since Kubernetes 1.16).
_KUBERNETES: Final = ("kubernetes.io", "k8s.io")
_ALLOWED_PREFIXES: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_ALLOWED_LABELS: Final = frozenset(
    f"{prefix}/{name}"
    for prefix, names in {
        "kubernetes.io": "arch hostname os",
        "beta.kubernetes.io": "arch instance-type os",
        "topology.kubernetes.io": "region zone",
        "failure-domain.beta.kubernetes.io": "region zone",
        "failure-domain.kubernetes.io": "region zone",
    }.items()
    for name in names.split()
)


def is_below(key: str, domains: Iterable[str]) -> bool:
    """Whether a label's prefix is one of ``domains``, or below one."""
    prefix = key.rpartition("/")[0]
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)


def forbidden_labels(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the labels that a kubelet may not put on its own node."""
    for key in kubernetes.get("node-labels", {}):
        allowed = is_below(key, _ALLOWED_PREFIXES) or key in _ALLOWED_LABELS
        if is_below(key, _KUBERNETES) and not allowed:
            text = (
                "the kubelet may not set labels of Kubernetes' own domains, and does not start with this"
                " one; choose another prefix"
            )
            yield Problem(("settings", "kubernetes", "node-labels", key), text)


def duplicate_taints(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the taints whose key and effect are those of an earlier one: the API server refuses the node."""
    for key, taints in kubernetes.get("node-taints", {}).items():
        effects = [one.rpartition(":")[2] for one in taints] if isinstance(taints, list) else []
        for index, effect in enumerate(effects):
            if effect in effects[:index]:
                path = ("settings", "kubernetes", "node-taints", key, index)
                yield Problem(path, f"another taint of {key} has the effect {effect}; keep one")


def labels_and_taints(settings: Mapping[str, Any]) -> tuple[dict[str, str], list[Taint]]:
    """Return what settings without problems put on a node."""
    kubernetes = settings.get("kubernetes", {})
    taints = []
    for key, values in kubernetes.get("node-taints", {}).items():
        for one in [values] if isinstance(values, str) else values:
            value, _, effect = one.rpartition(":")
            taints.append(Taint(key=key, value=value, effect=effect))
    return dict(kubernetes.get("node-labels", {})), taints
