"""The chart's selection and tolerations, against a node group's labels and taints. Pure.

The chart puts its Bottlerocket DaemonSets on nodes that carry ``nodeSelection.labelKey`` with
``labelValue``; a node group that forgets the label gets the Fluent Bit of the other nodes, whose parser
does not fit, and no Zabbix agent: silently, so this is compared before a node is made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from node_observability.nodegroup.description import Taint
from node_observability.nodegroup.kinds import STRING, Struct
from node_observability.nodegroup.problem import Path, Problem, dotted
from node_observability.nodegroup.walk import problems, shape

# Labels of the node feature discovery are put on by itself, never by the node group.
_DISCOVERED: Final = "feature.node.kubernetes.io/"
_SELECTION: Final = Struct({"labelKey": STRING, "labelValue": STRING})
_KEEPS_AWAY: Final = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the values select, and each list of tolerations that they set, by its path."""

    key: str
    value: str
    tolerations: Mapping[Path, list[Mapping[str, Any]]]


def selection(values: object) -> tuple[Selection | None, list[Problem]]:
    """Return what the chart's values say, the chart's defaults filled in, or what is wrong with them."""
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        return None, [Problem((), f"expected the chart's values, found {shape(values)}")]
    # Helm takes null for "as by default".
    chosen = values.get("nodeSelection")
    if isinstance(chosen, Mapping):
        chosen = {name: value for name, value in chosen.items() if value is not None}
    known = {} if chosen is None else chosen
    found = list(problems(_SELECTION, known, ("nodeSelection",)))
    tolerations = dict(_tolerations(values, ()))
    for path, listed in tolerations.items():
        if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
            found.append(Problem(path, "expected a list of tolerations"))
    if found:
        return None, found
    return Selection(
        known.get("labelKey", "os"), known.get("labelValue", "bottlerocket"), tolerations
    ), []


def differences(
    chart: Selection, labels: Mapping[str, str], taints: list[Taint]
) -> Iterator[Problem]:
    """Yield why the chart's pods for Bottlerocket would not be on the group's nodes."""
    label = f"{chart.key}={chart.value}"
    if not chart.key.startswith(_DISCOVERED) and labels.get(chart.key) != chart.value:
        has = f"{chart.key}={labels[chart.key]}" if chart.key in labels else f"no label {chart.key}"
        text = (
            f"the chart selects {label} (nodeSelection) and the node group has {has}: its nodes get no"
            " Zabbix agent, and the Fluent Bit of the other nodes; make them equal"
        )
        yield Problem((), text)
    for path, tolerations in chart.tolerations.items():
        for taint in taints:
            if taint.effect in _KEEPS_AWAY and not _tolerated(taint, tolerations):
                text = (
                    f"the chart's {dotted(path)} does not tolerate the node group's taint"
                    f" {taint.key}={taint.setting()}; add it, or leave the list at its default"
                )
                yield Problem((), text)


def _tolerations(values: object, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every list of tolerations, but for the Fluent Bit of the other nodes."""
    if not isinstance(values, Mapping):
        return
    for name, inner in values.items():
        here = (*path, str(name))
        if name == "tolerations":
            yield here, inner
        elif "docker" not in str(name).lower():
            yield from _tolerations(inner, here)


def _tolerated(taint: Taint, tolerations: list[Mapping[str, Any]]) -> bool:
    return any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    """As the scheduler does it: k8s.io/component-helpers, ``ToleratesTaint``."""
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key"):
        return exists
    if toleration["key"] != taint.key:
        return False
    return exists or (toleration.get("value") or "") == taint.value
