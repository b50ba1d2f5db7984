"""The chart's label and tolerations against a node group's label and taints."""

import pytest
import yaml

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup import chart_values
from tests.support.paths import ROOT

TAINT = Taint(key="os", value="bottlerocket", effect="NoSchedule")


def found(values: object, labels: dict[str, str], *taints: Taint) -> list[str]:
    chart, problems = chart_values.selection(values)
    assert chart is not None, problems
    return [problem.text for problem in chart_values.differences(chart, labels, list(taints))]


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"nodeSelection": {}},
        {"nodeSelection": {"labelKey": "os"}, "other": 1},
        {"zabbix": {"agent": {}}, "fluentBit": {"cri": {}}},
    ],
)
def test_the_charts_defaults_are_the_posts_label_and_tolerate_everything(values: object) -> None:
    assert found(values, {"os": "bottlerocket"}, TAINT) == []


def test_a_wrong_or_missing_label_is_reported_with_its_consequence() -> None:
    rest = ": its nodes get no Zabbix agent, and the Fluent Bit of other nodes; make them equal"
    assert found({}, {"role": "worker"}) == [
        f"the chart selects os=bottlerocket (nodeSelection) and the node group has no label os{rest}"
    ]
    values = {"nodeSelection": {"labelKey": "node.hpcnt.com/os"}}
    assert found(values, {"node.hpcnt.com/os": "linux"}) == [
        (
            "the chart selects node.hpcnt.com/os=bottlerocket (nodeSelection) and the node group has"
            f" node.hpcnt.com/os=linux{rest}"
        )
    ]


def test_a_label_that_others_set_is_not_missed() -> None:
    for key in (
        "feature.node.kubernetes.io/system-os_release.ID",
        "karpenter.k8s.aws/ec2nodeclass",
        "eks.amazonaws.com/nodegroup",
    ):
        values = {"nodeSelection": {"labelKey": key}, "zabbix": {"nodeSelector": {key: "x"}}}
        assert found(values, {}) == []
        assert len(found(values, {key: "other"})) == 2


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
def test_a_taint_is_tolerated_by_the_schedulers_rules(toleration: dict[str, str]) -> None:
    values = {"zabbix": {"tolerations": [toleration]}}
    assert found(values, {"os": "bottlerocket"}, TAINT) == []


@pytest.mark.parametrize("toleration", NOT_TOLERATING)
def test_a_taint_that_is_not_tolerated_is_reported(toleration: dict[str, str]) -> None:
    values = {"zabbix": {"tolerations": [toleration]}}
    assert found(values, {"os": "bottlerocket"}, TAINT) == [
        (
            "the chart's zabbix.tolerations does not tolerate the node group's taint"
            " os=bottlerocket:NoSchedule; add it, or leave the list at its default"
        )
    ]


def test_prefer_no_schedule_needs_no_toleration() -> None:
    taint = Taint(key="os", value="bottlerocket", effect="PreferNoSchedule")
    values: dict[str, object] = {"zabbix": {"tolerations": []}}
    assert found(values, {"os": "bottlerocket"}, taint) == []


def test_the_fluent_bit_of_other_nodes_needs_no_toleration() -> None:
    values: dict[str, object] = {"fluentBit": {"docker": {"tolerations": []}}}
    assert found(values, {"os": "bottlerocket"}, TAINT) == []


def test_the_charts_own_values_fit_the_examples() -> None:
    path = ROOT / "charts/node-observability/values.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert found(values, {"os": "bottlerocket"}, TAINT) == []
    assert found(values, {"os": "bottlerocket", "type": "virtual-kubelet"}) == [
        (
            "the chart excludes nodes with type=virtual-kubelet (nodeSelection.exclude) and the node"
            " group has this label: its nodes get no pods; remove one of them"
        )
    ]


def test_a_missing_value_is_the_charts_default() -> None:
    path = ROOT / "charts/node-observability/values.yaml"
    shipped, _ = chart_values.selection(yaml.safe_load(path.read_text(encoding="utf-8")))
    unsaid, _ = chart_values.selection({})
    assert shipped is not None
    assert unsaid is not None
    assert (unsaid.key, unsaid.value, unsaid.excluded) == (
        shipped.key,
        shipped.value,
        shipped.excluded,
    )


def test_a_label_with_a_value_that_is_not_excluded_keeps_no_pods_away() -> None:
    values = {"nodeSelection": {"exclude": [{"key": "type", "values": ["a", "b"]}]}}
    assert found(values, {"os": "bottlerocket", "type": "c"}) == []
    assert len(found(values, {"os": "bottlerocket", "type": "b"})) == 1


def test_null_removes_a_list_of_the_chart_as_in_helm() -> None:
    values = {"nodeSelection": {"exclude": None}, "zabbix": {"tolerations": None}}
    [text] = found(values, {"os": "bottlerocket"}, TAINT)
    assert text.startswith("the chart's zabbix.tolerations does not tolerate")


@pytest.mark.parametrize("table", ["zabbix", "fluentBit"])
def test_null_switches_a_daemonset_off_as_in_helm(table: str) -> None:
    here: dict[str, object] = (
        {"tolerations": []} if table == "zabbix" else {"common": {"tolerations": []}}
    )
    assert len(found({table: here}, {"os": "bottlerocket"}, TAINT)) == 1
    assert found({table: {**here, "enabled": None}}, {"os": "bottlerocket"}, TAINT) == []


def test_a_daemonset_that_is_off_is_not_compared() -> None:
    off: dict[str, object] = {"enabled": False, "tolerations": [], "nodeSelector": {"a": "b"}}
    values = {"zabbix": off, "fluentBit": {"enabled": False, "common": {"tolerations": []}}}
    assert found(values, {"os": "bottlerocket"}, TAINT) == []


def test_values_of_the_cri_fluent_bit_override_those_of_both() -> None:
    exists = [{"operator": "Exists"}]
    common: dict[str, object] = {"tolerations": [], "nodeSelector": {"a": "b", "c": "d"}}
    cri = {"tolerations": exists, "nodeSelector": {"a": "x"}}
    fitting = {"os": "bottlerocket", "a": "x", "c": "d"}
    assert found({"fluentBit": {"common": common, "cri": cri}}, fitting, TAINT) == []
    assert found({"fluentBit": {"common": common}}, fitting, TAINT) == [
        (
            "the chart's fluentBit.common.nodeSelector requires a=b and the node group has a=x: its nodes get"
            " no Fluent Bit; make them equal"
        ),
        (
            "the chart's fluentBit.common.tolerations does not tolerate the node group's taint"
            " os=bottlerocket:NoSchedule; add it, or leave the list at its default"
        ),
    ]


def test_the_node_selectors_of_the_daemonsets_are_compared() -> None:
    values = {"zabbix": {"nodeSelector": {"pool": "blue"}}}
    assert found(values, {"os": "bottlerocket", "pool": "blue"}) == []
    assert found(values, {"os": "bottlerocket"}) == [
        (
            "the chart's zabbix.nodeSelector requires pool=blue and the node group has no label pool: its"
            " nodes get no Zabbix agent; make them equal"
        )
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "expected the chart's values, found an empty array"),
        (
            {"nodeSelection": {"labelkey": "os"}},
            "nodeSelection.labelkey: unknown key; did you mean labelKey?",
        ),
        ({"nodeSelection": 1}, "nodeSelection: expected a table, found 1"),
        (
            {"nodeSelection": {"labelKey": True}},
            "nodeSelection.labelKey: expected a string, found true",
        ),
        ({"nodeSelection": None}, "nodeSelection: expected a table, found null"),
        (
            {"nodeSelection": {"labelKey": None}},
            "nodeSelection.labelKey: expected a string, found null",
        ),
        (
            {"nodeSelection": {"exclude": [{"key": "a"}]}},
            "nodeSelection.exclude[0].values: is missing",
        ),
        (
            {"zabbix": {"tolerations": "all"}},
            "zabbix.tolerations: expected an array of tables, found a string",
        ),
        (
            {"fluentBit": {"cri": {"tolerations": [{"operator": "exists"}]}}},
            (
                "fluentBit.cri.tolerations[0].operator: expected "
                '"Exists", "Equal" or "", found "exists"'
            ),
        ),
        ({"fluentBit": []}, "fluentBit: expected a table, found an empty array"),
        ({"zabbix": {"enabled": "no"}}, 'zabbix.enabled: expected true or false, found "no"'),
    ],
)
def test_values_of_the_wrong_type_are_an_error(values: object, expected: str) -> None:
    _, problems = chart_values.selection(values)
    assert [problem.sentence for problem in problems] == [expected]
