"""Decides what the placement means for each node: covered once, twice, not at all, or left out on purpose.

Pure. Nodes with the same relevant labels and taints are evaluated once: 10,000 nodes take about a second.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from node_observability.coverage.placement import Expression, reasons_against, shared_expressions
from node_observability.coverage.workloads import Workload
from node_observability.inputs.nodes import Node

__all__ = ["Coverage", "Row", "evaluate"]

_WITHOUT_HOST = (("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet"))
"""Labels of nodes that run no DaemonSet: AWS Fargate and virtual kubelets."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a node gets. ``against`` has, per DaemonSet, each reason why the node gets no pod of it.

    ``left_out`` is the requirement by which every Fluent Bit leaves the node out on purpose, such as Fargate.
    ``errors``: the node has no Fluent Bit, or two. ``warnings``: a label contradicts the system of the node.
    """

    node: Node
    against: tuple[tuple[str, ...], ...]
    left_out: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """One row per node, in the order of the nodes."""

    workloads: tuple[Workload, ...]
    rows: tuple[Row, ...]

    @property
    def errors(self) -> int:
        """The number of nodes with an error."""
        return sum(bool(row.errors) for row in self.rows)

    @property
    def warnings(self) -> int:
        """The number of nodes with a warning."""
        return sum(bool(row.warnings) for row in self.rows)

    def counts(self) -> dict[str, int]:
        """Return the number of nodes per DaemonSet."""
        found: Counter[str] = Counter({workload.name: 0 for workload in self.workloads})
        for row in self.rows:
            found.update(
                workload.name
                for workload, reasons in zip(self.workloads, row.against, strict=True)
                if not reasons
            )
        return dict(found)


def evaluate(nodes: Sequence[Node], workloads: Sequence[Workload]) -> Coverage:
    """Return which DaemonSets each node gets, and what is wrong with that."""
    keys = sorted({key for workload in workloads for key in workload.placement.keys})
    names_matter = any(workload.placement.asks_for_names for workload in workloads)
    collectors = [workload for workload in workloads if workload.is_fluent_bit]
    shared = shared_expressions([workload.placement for workload in collectors])
    ordered = tuple(sorted(shared, key=str))
    known: dict[object, tuple[tuple[str, ...], ...]] = {}
    rows = []
    for node in nodes:
        relevant = (
            tuple(node.labels.get(key) for key in keys),
            node.taints,
            node.name if names_matter else "",
        )
        if relevant not in known:
            known[relevant] = tuple(
                tuple(reasons_against(workload.placement, node.name, node.labels, node.taints))
                for workload in workloads
            )
        rows.append(_row(node, tuple(workloads), known[relevant], ordered))
    return Coverage(tuple(workloads), tuple(rows))


def _left_out(node: Node, shared: Sequence[Expression]) -> str:
    for part in shared:
        value = node.name if part.is_field else node.labels.get(part.key)
        # Every kubelet sets this label: a node without it is broken, not a Windows node.
        is_broken = part.key == "kubernetes.io/os" and value is None
        if not is_broken and not part.holds(value):
            return str(part)
    return ""


def _row(
    node: Node,
    workloads: tuple[Workload, ...],
    against: tuple[tuple[str, ...], ...],
    shared: Sequence[Expression],
) -> Row:
    here = [workload for workload, reasons in zip(workloads, against, strict=True) if not reasons]
    left_out = _left_out(node, shared)
    collectors = [workload for workload in here if workload.is_fluent_bit]
    wanted = any(workload.is_fluent_bit for workload in workloads)
    errors = []
    if wanted and not left_out and not collectors:
        errors.append("no Fluent Bit")
    if len(collectors) > 1:
        errors.append(f"{len(collectors)} Fluent Bits: {', '.join(one.name for one in collectors)}")
    warnings = () if left_out else tuple(_contradictions(node, workloads, here))
    return Row(node, against, left_out, tuple(errors), warnings)


def _label_without_host(node: Node) -> str:
    return next(
        (f"{key}={value}" for key, value in _WITHOUT_HOST if node.labels.get(key) == value), ""
    )


def _contradictions(
    node: Node, workloads: Sequence[Workload], here: Sequence[Workload]
) -> list[str]:
    found = []
    components = {workload.component for workload in here}
    has_agent = any(workload.is_agent for workload in here)
    if node.is_bottlerocket and any(one.is_agent for one in workloads) and not has_agent:
        found.append("Bottlerocket without a Zabbix agent: the label is missing or wrong")
    elif node.is_bottlerocket and "fluent-bit-docker" in components:
        found.append("Bottlerocket with the docker parser: the label is missing or wrong")
    if node.os_image and not node.is_bottlerocket and has_agent:
        found.append(f"has the label of Bottlerocket but runs {node.os_image}")
    if here and (label := _label_without_host(node)):
        text = f"has the label {label}, so it has no host for these pods; add it to nodeSelection.exclude"
        found.append(text)
    # containerd with the docker DaemonSet is right: it also reads CRI lines.
    if node.runtime.startswith("docker:") and "fluent-bit-cri" in components:
        found.append("Docker with the CRI parser, which can't parse its lines")
    return found
