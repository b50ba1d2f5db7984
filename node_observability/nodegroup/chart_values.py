"""Compares the node selection and tolerations of the chart with a node group's labels and taints. Pure.

The chart puts its Bottlerocket DaemonSets on nodes whose label ``nodeSelection.labelKey`` has the value
``labelValue``. Nodes without that label silently get no Zabbix agent, and the Fluent Bit of other nodes,
whose parser does not fit. Not here: values that do not select nodes, which the chart's schema checks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from node_observability.coverage import placement
from node_observability.inputs.nodes import Taint
from node_observability.nodegroup.rules.labels_and_taints import is_below
from node_observability.nodegroup.schema import kubernetes_values
from node_observability.nodegroup.schema.kinds import (
    BOOLEAN,
    I64_MAX,
    STRING,
    Kind,
    ListOf,
    MapOf,
    Struct,
    choice,
    integer,
)
from node_observability.nodegroup.schema.problem import Path, Problem, dotted
from node_observability.nodegroup.schema.validate import problems, type_as_text

# The domains of labels that a node group does not set: of Kubernetes, node feature discovery, EKS, eksctl and
# Karpenter.
_SET_BY_OTHERS: Final = (
    "kubernetes.io",
    "k8s.io",
    "eks.amazonaws.com",
    "eksctl.io",
    "karpenter.sh",
    "karpenter.k8s.aws",
)
_SELECTION: Final = Struct(
    {
        "labelKey": STRING,
        "labelValue": STRING,
        "exclude": ListOf(
            Struct({"key": STRING, "values": ListOf(STRING)}, required=("key", "values"))
        ),
    }
)
_TOLERATIONS: Final = ListOf(
    Struct(
        {
            "key": STRING,
            "operator": choice("Exists", "Equal", ""),
            "value": STRING,
            "effect": choice(*kubernetes_values.EFFECTS, ""),
            "tolerationSeconds": integer(-I64_MAX, I64_MAX),
        }
    )
)
_PLACEMENT: Final[Mapping[str, Kind]] = {
    "nodeSelector": MapOf(STRING, STRING),
    "tolerations": _TOLERATIONS,
}
_ENABLED: Final[Mapping[str, Kind]] = {"enabled": BOOLEAN}
# The tables of the chart's values that place pods for Bottlerocket, and the keys that are read.
_TABLES: Final[Mapping[Path, Mapping[str, Kind]]] = {
    ("zabbix",): {**_ENABLED, **_PLACEMENT},
    ("fluentBit",): _ENABLED,
    ("fluentBit", "common"): _PLACEMENT,
    ("fluentBit", "cri"): _PLACEMENT,
}
# In Helm, null removes the chart's default, which the chart takes as an empty list, or as off.
_NULLS: Final[Mapping[str, Any]] = {"tolerations": [], "exclude": [], "enabled": False}
_DEFAULT_EXCLUDED: Final = (
    {"key": "eks.amazonaws.com/compute-type", "values": ["fargate"]},
    {"key": "type", "values": ["virtual-kubelet"]},
)
_DEFAULT_TOLERATIONS: Final = ({"operator": "Exists"},)


@dataclass(frozen=True, slots=True)
class _Pods:
    """The pods of one DaemonSet: their program, node selector and tolerations, with paths in the values."""

    program: str
    node_selector: tuple[tuple[Path, str, str], ...]
    tolerations_path: Path
    tolerations: tuple[placement.Toleration, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The label that the values select, the labels that they exclude, and the pods that they place."""

    key: str
    value: str
    excluded: tuple[tuple[str, str], ...]
    pods: tuple[_Pods, ...]


def selection(values: object) -> tuple[Selection | None, list[Problem]]:
    """Return the selection in the chart's values, with the chart's defaults, or the values' problems."""
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        return None, [Problem((), f"expected the chart's values, found {type_as_text(values)}")]
    selected = values.get("nodeSelection", {})
    if isinstance(selected, Mapping):
        selected = _without_nulls(selected)
    found = list(problems(_SELECTION, selected, ("nodeSelection",)))
    tables: dict[Path, Mapping[str, Any]] = {}
    for path, kinds in _TABLES.items():
        around = tables.get(path[:-1], {}) if path[:-1] else values
        table = around.get(str(path[-1]), {})
        if not isinstance(table, Mapping):
            found.append(Problem(path, f"expected a table, found {type_as_text(table)}"))
            table = {}
        tables[path] = table = _without_nulls(table)
        for name, kind in kinds.items():
            if name in table:
                found += problems(kind, table[name], (*path, name))
    if found:
        return None, found
    excluded = [
        (one["key"], value)
        for one in selected.get("exclude", _DEFAULT_EXCLUDED)
        for value in one["values"]
    ]
    return Selection(
        selected.get("labelKey", "os"),
        selected.get("labelValue", "bottlerocket"),
        tuple(excluded),
        tuple(_pods(tables)),
    ), []


def differences(
    chart: Selection, labels: Mapping[str, str], taints: Sequence[Taint]
) -> Iterator[Problem]:
    """Yield why the chart's pods for Bottlerocket would not run on the group's nodes."""
    if not _nodes_have(chart.key, chart.value, labels):
        text = (
            f"the chart selects {chart.key}={chart.value} (nodeSelection) and the node group has"
            f" {_actual(chart.key, labels)}: its nodes get no Zabbix agent, and the Fluent Bit of other"
            " nodes; make them equal"
        )
        yield Problem((), text)
    for key, value in chart.excluded:
        if labels.get(key) == value:
            text = (
                f"the chart excludes nodes with {key}={value} (nodeSelection.exclude) and the node group"
                " has this label: its nodes get no pods; remove one of them"
            )
            yield Problem((), text)
    for pods in chart.pods:
        for path, key, value in pods.node_selector:
            if not _nodes_have(key, value, labels):
                text = (
                    f"the chart's {dotted(path)} requires {key}={value} and the node group has"
                    f" {_actual(key, labels)}: its nodes get no {pods.program}; make them equal"
                )
                yield Problem((), text)
        yield from _untolerated(pods, taints)


def _untolerated(pods: _Pods, taints: Sequence[Taint]) -> Iterator[Problem]:
    tolerating = placement.Placement(tolerations=pods.tolerations)
    for taint in taints:
        if placement.reasons_against(tolerating, "", {}, [taint]):
            text = (
                f"the chart's {dotted(pods.tolerations_path)} does not tolerate the node group's taint"
                f" {taint}; add it, or leave the list at its default"
            )
            yield Problem((), text)


def _pods(tables: Mapping[Path, Mapping[str, Any]]) -> Iterator[_Pods]:
    """Yield the pods of the DaemonSets that are on; values in ``cri`` override those in ``common``."""
    for program, switch, paths in (
        ("Zabbix agent", ("zabbix",), [("zabbix",)]),
        ("Fluent Bit", ("fluentBit",), [("fluentBit", "common"), ("fluentBit", "cri")]),
    ):
        if not tables[switch].get("enabled", True):
            continue
        selector: dict[str, tuple[Path, str, str]] = {}
        tolerations: Sequence[Mapping[str, str]] = _DEFAULT_TOLERATIONS
        tolerations_path: Path = paths[0]
        for path in paths:
            for key, value in tables[path].get("nodeSelector", {}).items():
                selector[key] = ((*path, "nodeSelector"), key, value)
            if "tolerations" in tables[path]:
                tolerations_path = (*path, "tolerations")
                tolerations = tables[path]["tolerations"]
        yield _Pods(
            program,
            tuple(selector.values()),
            tolerations_path,
            tuple(_toleration(one) for one in tolerations),
        )


def _toleration(one: Mapping[str, str]) -> placement.Toleration:
    return placement.Toleration(
        one.get("key", ""),
        one.get("operator") or "Equal",
        one.get("value", ""),
        one.get("effect", ""),
    )


def _without_nulls(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table as Helm reads it, with its tolerations as the API server reads them."""
    plain: dict[str, Any] = {
        name: _NULLS.get(name) if value is None else value for name, value in table.items()
    }
    if isinstance(plain.get("tolerations"), list):
        plain["tolerations"] = [
            {key: value for key, value in one.items() if value is not None}
            if isinstance(one, Mapping)
            else one
            for one in plain["tolerations"]
        ]
    return plain


def _nodes_have(key: str, value: str, labels: Mapping[str, str]) -> bool:
    """Whether nodes have the label, or may get it from others than the node group."""
    may_be_set = is_below(key, _SET_BY_OTHERS) and key not in labels
    return labels.get(key) == value or may_be_set


def _actual(key: str, labels: Mapping[str, str]) -> str:
    return f"{key}={labels[key]}" if key in labels else f"no label {key}"
