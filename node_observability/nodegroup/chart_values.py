"""The chart's selection and tolerations, against a node group's labels and taints. Pure.

The chart puts its Bottlerocket DaemonSets on nodes that carry ``nodeSelection.labelKey`` with
``labelValue``; a node group that forgets the label gets the Fluent Bit of the other nodes, whose parser
does not fit, and no Zabbix agent: silently, so this is compared before a node is made.
Only the values that decide on nodes are judged; the chart's schema judges all of them.
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

# Whose labels are there without the node group: Kubernetes, node feature discovery, EKS, eksctl, Karpenter.
_OTHERS: Final = (
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
_PLACING: Final[Mapping[str, Kind]] = {
    "nodeSelector": MapOf(STRING, STRING),
    "tolerations": _TOLERATIONS,
}
_ENABLED: Final[Mapping[str, Kind]] = {"enabled": BOOLEAN}
# The tables of the chart's values that say where pods for Bottlerocket go, and what is read of them.
_TABLES: Final[Mapping[Path, Mapping[str, Kind]]] = {
    ("zabbix",): {**_ENABLED, **_PLACING},
    ("fluentBit",): _ENABLED,
    ("fluentBit", "common"): _PLACING,
    ("fluentBit", "cri"): _PLACING,
}
# In Helm, null takes the chart's default away; for the chart that is an empty list, and off.
_NULLS: Final[Mapping[str, Any]] = {"tolerations": [], "exclude": [], "enabled": False}
_DEFAULT_EXCLUDED: Final = (
    {"key": "eks.amazonaws.com/compute-type", "values": ["fargate"]},
    {"key": "type", "values": ["virtual-kubelet"]},
)
_DEFAULT_TOLERATIONS: Final = ({"operator": "Exists"},)


@dataclass(frozen=True, slots=True)
class _Pods:
    """One DaemonSet: what it is to people, its further labels and its tolerations, each with its path."""

    what: str
    labels: tuple[tuple[Path, str, str], ...]
    tolerations: tuple[Path, tuple[placement.Toleration, ...]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What the values select, and leave out, for which DaemonSets."""

    key: str
    value: str
    excluded: tuple[tuple[str, str], ...]
    pods: tuple[_Pods, ...]


def selection(values: object) -> tuple[Selection | None, list[Problem]]:
    """Return what the chart's values say, the chart's defaults filled in, or what is wrong with them."""
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        return None, [Problem((), f"expected the chart's values, found {type_as_text(values)}")]
    chosen = values.get("nodeSelection", {})
    if isinstance(chosen, Mapping):
        chosen = _without_nulls(chosen)
    found = list(problems(_SELECTION, chosen, ("nodeSelection",)))
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
        for one in chosen.get("exclude", _DEFAULT_EXCLUDED)
        for value in one["values"]
    ]
    return Selection(
        chosen.get("labelKey", "os"),
        chosen.get("labelValue", "bottlerocket"),
        tuple(excluded),
        tuple(_pods(tables)),
    ), []


def differences(
    chart: Selection, labels: Mapping[str, str], taints: Sequence[Taint]
) -> Iterator[Problem]:
    """Yield why the chart's pods for Bottlerocket would not be on the group's nodes."""
    if not _is_met(chart.key, chart.value, labels):
        text = (
            f"the chart selects {chart.key}={chart.value} (nodeSelection) and the node group has"
            f" {_said(chart.key, labels)}: its nodes get no Zabbix agent, and the Fluent Bit of the other"
            " nodes; make them equal"
        )
        yield Problem((), text)
    for key, value in chart.excluded:
        if labels.get(key) == value:
            text = (
                f"the chart leaves out nodes with {key}={value} (nodeSelection.exclude), and the node group"
                " has it: its nodes get nothing; take it out on one side"
            )
            yield Problem((), text)
    for pods in chart.pods:
        for path, key, value in pods.labels:
            if not _is_met(key, value, labels):
                text = (
                    f"the chart's {dotted(path)} wants {key}={value} and the node group has"
                    f" {_said(key, labels)}: its nodes get no {pods.what}; make them equal"
                )
                yield Problem((), text)
        yield from _untolerated(pods, taints)


def _untolerated(pods: _Pods, taints: Sequence[Taint]) -> Iterator[Problem]:
    path, tolerations = pods.tolerations
    where = placement.Placement(tolerations=tolerations)
    for taint in taints:
        if placement.reasons_against(where, "", {}, [taint]):
            text = (
                f"the chart's {dotted(path)} does not tolerate the node group's taint"
                f" {taint}; add it, or leave the list at its default"
            )
            yield Problem((), text)


def _pods(tables: Mapping[Path, Mapping[str, Any]]) -> Iterator[_Pods]:
    """Yield the DaemonSets that are on; what ``cri`` says wins over ``common``."""
    for what, switch, paths in (
        ("Zabbix agent", ("zabbix",), [("zabbix",)]),
        ("Fluent Bit", ("fluentBit",), [("fluentBit", "common"), ("fluentBit", "cri")]),
    ):
        if not tables[switch].get("enabled", True):
            continue
        labels: dict[str, tuple[Path, str, str]] = {}
        listed: tuple[Path, Sequence[Mapping[str, str]]] = (paths[0], _DEFAULT_TOLERATIONS)
        for path in paths:
            for key, value in tables[path].get("nodeSelector", {}).items():
                labels[key] = ((*path, "nodeSelector"), key, value)
            if "tolerations" in tables[path]:
                listed = ((*path, "tolerations"), tables[path]["tolerations"])
        yield _Pods(
            what,
            tuple(labels.values()),
            (listed[0], tuple(_toleration(one) for one in listed[1])),
        )


def _toleration(one: Mapping[str, str]) -> placement.Toleration:
    return placement.Toleration(
        one.get("key", ""),
        one.get("operator") or "Equal",
        one.get("value", ""),
        one.get("effect", ""),
    )


def _without_nulls(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table as Helm hands it on, and the API server the tolerations in it."""
    plain: dict[str, Any] = {
        name: _NULLS.get(name) if value is None else value for name, value in table.items()
    }
    if isinstance(plain.get("tolerations"), list):
        plain["tolerations"] = [_written(one) for one in plain["tolerations"]]
    return plain


def _written(toleration: object) -> object:
    if not isinstance(toleration, Mapping):
        return toleration
    return {name: value for name, value in toleration.items() if value is not None}


def _is_met(key: str, value: str, labels: Mapping[str, str]) -> bool:
    """Whether nodes have the label; of those that others put on, nobody can tell here."""
    others = is_below(key, _OTHERS)
    return labels.get(key) == value or (others and key not in labels)


def _said(key: str, labels: Mapping[str, str]) -> str:
    return f"{key}={labels[key]}" if key in labels else f"no label {key}"
