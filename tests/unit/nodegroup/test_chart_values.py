"""The chart's label and tolerations against a node group's label and taints."""

import pytest

from node_observability.nodegroup import chart_values
from node_observability.nodegroup.description import Taint

TAINT = Taint("os", "bottlerocket", "NoSchedule")


def told(values: object, labels: dict[str, str], *taints: Taint) -> list[str]:
    chart, problems = chart_values.selection(values)
    assert chart is not None, problems
    return [problem.text for problem in chart_values.differences(chart, labels, list(taints))]


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"nodeSelection": {}},
        {"nodeSelection": None},
        {"nodeSelection": {"labelKey": None}},
        {"nodeSelection": {"labelKey": "os"}, "other": 1},
    ],
)
def test_the_charts_defaults_are_the_posts_label_and_tolerate_everything(values: object) -> None:
    assert told(values, {"os": "bottlerocket"}, TAINT) == []


def test_a_label_that_is_missing_or_another_is_told_with_what_follows() -> None:
    rest = ": its nodes get no Zabbix agent, and the Fluent Bit of the other nodes; make them equal"
    assert told({}, {"role": "worker"}) == [
        f"the chart selects os=bottlerocket (nodeSelection) and the node group has no label os{rest}"
    ]
    values = {"nodeSelection": {"labelKey": "node.hpcnt.com/os"}}
    assert told(values, {"node.hpcnt.com/os": "linux"}) == [
        (
            "the chart selects node.hpcnt.com/os=bottlerocket (nodeSelection) and the node group has"
            f" node.hpcnt.com/os=linux{rest}"
        )
    ]


def test_a_label_that_feature_discovery_puts_on_is_not_the_node_groups() -> None:
    key = "feature.node.kubernetes.io/system-os_release.ID"
    assert told({"nodeSelection": {"labelKey": key}}, {}) == []


TOLERATING = [
    {"operator": "Exists"},
    {"key": "os", "operator": "Exists"},
    {"key": "os", "value": "bottlerocket"},
    {"key": "os", "operator": "Equal", "value": "bottlerocket", "effect": "NoSchedule"},
    {"key": "", "operator": "Exists", "effect": ""},
]
NOT_TOLERATING = [
    {"key": "os", "value": "linux"},
    {"key": "os"},
    {"key": "role", "operator": "Exists"},
    {"key": "os", "operator": "Exists", "effect": "NoExecute"},
    {"operator": "Equal"},
]


@pytest.mark.parametrize("toleration", TOLERATING)
def test_a_taint_is_tolerated_as_by_the_scheduler(toleration: dict[str, str]) -> None:
    assert told({"tolerations": [toleration]}, {"os": "bottlerocket"}, TAINT) == []


@pytest.mark.parametrize("toleration", NOT_TOLERATING)
def test_a_taint_that_keeps_the_charts_pods_away_is_told(toleration: dict[str, str]) -> None:
    values = {"zabbix": {"tolerations": [toleration]}}
    assert told(values, {"os": "bottlerocket"}, TAINT) == [
        (
            "the chart's zabbix.tolerations does not tolerate the node group's taint"
            " os=bottlerocket:NoSchedule; add it, or leave the list at its default"
        )
    ]


def test_what_keeps_no_pod_away_needs_no_toleration() -> None:
    taint = Taint("os", "bottlerocket", "PreferNoSchedule")
    assert told({"tolerations": []}, {"os": "bottlerocket"}, taint) == []


def test_the_fluent_bit_of_the_other_nodes_needs_no_toleration() -> None:
    values: dict[str, object] = {"fluentBit": {"docker": {"tolerations": []}}}
    assert told(values, {"os": "bottlerocket"}, TAINT) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "expected the chart's values, found an empty array"),
        (
            {"nodeSelection": {"labelkey": "os"}},
            "nodeSelection.labelkey: there is no such key; did you mean labelKey?",
        ),
        ({"nodeSelection": 1}, "nodeSelection: expected a table, found 1"),
        (
            {"nodeSelection": {"labelKey": True}},
            "nodeSelection.labelKey: expected a string, found true",
        ),
        ({"a": {"tolerations": "all"}}, "a.tolerations: expected a list of tolerations"),
    ],
)
def test_values_of_another_shape_are_told(values: object, expected: str) -> None:
    _, problems = chart_values.selection(values)
    assert [problem.sentence for problem in problems] == [expected]
