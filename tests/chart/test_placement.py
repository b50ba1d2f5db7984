"""Placement: by the rules of the scheduler, each Linux node gets exactly one Fluent Bit."""

import functools
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node_observability.coverage.findings import Row, evaluate
from node_observability.coverage.workloads import Workload, parse
from node_observability.inputs.nodes import Node, Taint
from tests.support.chart.cases import ALL, each_case
from tests.support.helm import CHART, render_text

LABELS = {
    "restricted": ("os", "bottlerocket"),
    "custom-label": ("node.example.com/os", "bottlerocket"),
    "nfd-label": ("feature.node.kubernetes.io/system-os_release.ID", "bottlerocket"),
    "auto-mode": ("eks.amazonaws.com/compute-type", "auto"),
    "karpenter": ("karpenter.k8s.aws/ec2nodeclass", "bottlerocket"),
}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
DEFAULT_LABEL = ("os", "bottlerocket")
WHOLE = [
    path
    for name, path in ALL.items()
    if not name.startswith("only-zabbix") and name != "restricted"
]
"""Cases with Fluent Bit and the default tolerations."""
TAINTS = [
    Taint(key="os", effect="NoSchedule", value="bottlerocket"),
    Taint(key="dedicated", effect="NoExecute", value="gpu"),
    Taint(key="node.cilium.io/agent-not-ready", effect="NoSchedule"),
    Taint(key="karpenter.sh/unregistered", effect="NoExecute"),
    Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule"),
    Taint(key="node.kubernetes.io/network-unavailable", effect="NoSchedule"),
    Taint(key="x", effect="PreferNoSchedule"),
]
FARGATE = {"eks.amazonaws.com/compute-type": "fargate"}


@functools.cache
def workloads(case: Path) -> tuple[Workload, ...]:
    return tuple(parse(render_text(case), case.name))


def label_of(case: Path) -> tuple[str, str]:
    return LABELS.get(case.name.removesuffix("-values.yaml"), DEFAULT_LABEL)


def row(case: Path, labels: dict[str, str], *taints: Taint) -> Row:
    (found,) = evaluate([Node("n", labels, taints)], workloads(case)).rows
    return found


def here(case: Path, labels: dict[str, str], *taints: Taint) -> set[str]:
    found = row(case, labels, *taints)
    return {
        workload.component
        for workload, reasons in zip(workloads(case), found.against, strict=True)
        if not reasons
    }


def expected(case: Path, *, bottlerocket: bool) -> set[str]:
    components = {workload.component for workload in workloads(case)}
    wanted = {"fluent-bit-cri", "zabbix-agent"} if bottlerocket else {"fluent-bit-docker"}
    return wanted & components


@each_case
def test_the_label_decides_whether_it_is_absent_right_or_wrong(case: Path) -> None:
    key, value = label_of(case)
    linux = {"kubernetes.io/os": "linux"}
    assert here(case, {**linux, key: value}) == expected(case, bottlerocket=True)
    assert here(case, linux) == expected(case, bottlerocket=False)
    for other in ("", "amazon-linux", value.upper(), f"{value}2"):
        assert here(case, {**linux, key: other}) == expected(case, bottlerocket=False)


@pytest.mark.parametrize("taint", TAINTS, ids=str)
@pytest.mark.parametrize("case", WHOLE, ids=lambda path: path.stem)
def test_no_taint_keeps_the_pods_away(case: Path, taint: Taint) -> None:
    key, value = label_of(case)
    linux = {"kubernetes.io/os": "linux"}
    assert here(case, {**linux, key: value}, taint) == expected(case, bottlerocket=True)
    assert here(case, linux, taint) == expected(case, bottlerocket=False)


@each_case
def test_windows_fargate_and_virtual_nodes_get_no_pods_and_count_as_excluded(case: Path) -> None:
    key, value = label_of(case)
    for has_label in (False, True):
        own = {key: value} if has_label else {}
        assert here(case, {"kubernetes.io/os": "windows", **own}) == set()
        fargate = row(case, {"kubernetes.io/os": "linux", **own, **FARGATE})
        assert all(fargate.against)
        assert not fargate.errors
    if "custom-label" not in case.name:
        assert here(case, {"kubernetes.io/os": "linux", "type": "virtual-kubelet"}) == set()


@each_case
def test_the_architecture_does_not_matter(case: Path) -> None:
    key, value = label_of(case)
    for arch, own in itertools.product(("arm64", "amd64"), ({}, {key: value})):
        labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": arch, **own}
        assert here(case, labels) == expected(case, bottlerocket=bool(own))


@pytest.mark.parametrize("nodes", [None, {REQUIRED: None}, {REQUIRED: {"nodeSelectorTerms": None}}])
def test_a_null_in_an_affinity_or_an_update_strategy_is_as_good_as_nothing(
    nodes: dict[str, object] | None, tmp_path: Path
) -> None:
    affinity = {"affinity": {"nodeAffinity": nodes}}
    on_delete = {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}
    case = tmp_path / "values.json"
    case.write_text(
        json.dumps({"zabbix": affinity, "fluentBit": {"common": affinity, "cri": on_delete}})
    )
    labels = {"kubernetes.io/os": "linux"}
    assert here(case, labels) == {"fluent-bit-docker"}
    assert here(case, {**labels, "os": "bottlerocket"}) == {"fluent-bit-cri", "zabbix-agent"}
    assert here(case, {**labels, "eks.amazonaws.com/compute-type": "fargate"}) == set()


def test_a_toleration_of_one_taint_reaches_only_nodes_with_that_taint_or_none() -> None:
    case = CHART / "ci" / "restricted-values.yaml"
    labels = {"kubernetes.io/os": "linux", "os": "bottlerocket"}
    assert "zabbix-agent" in here(case, labels, TAINTS[0])
    assert "zabbix-agent" not in here(case, labels, TAINTS[1])


def nodes_of(case: Path) -> st.SearchStrategy[list[Node]]:
    key, value = label_of(case)
    labels = st.fixed_dictionaries(
        {"kubernetes.io/os": st.sampled_from(["linux", "linux", "linux", "windows"])},
        optional={
            key: st.sampled_from([value, value, "", "amazon", value.upper()]),
            "kubernetes.io/arch": st.sampled_from(["amd64", "arm64"]),
            "eks.amazonaws.com/compute-type": st.sampled_from(["fargate", "auto", "ec2"]),
            "karpenter.sh/nodepool": st.text("abc-", max_size=5),
        },
    )
    taint = st.builds(
        Taint,
        key=st.sampled_from(["os", "gpu", "node.kubernetes.io/not-ready", "a/b"]),
        effect=st.sampled_from(["NoSchedule", "NoExecute", "PreferNoSchedule"]),
        value=st.sampled_from(["", "bottlerocket", "x"]),
    )
    node = st.builds(
        Node,
        name=st.text("abc0-", min_size=1, max_size=8),
        labels=labels,
        taints=st.lists(taint).map(tuple),
    )
    return st.lists(node, max_size=30)


@pytest.mark.parametrize("case", WHOLE, ids=lambda path: path.stem)
def test_in_any_cluster_each_linux_node_has_one_fluent_bit_and_bottlerocket_alone_the_agent(
    case: Path,
) -> None:
    key, value = label_of(case)

    @settings(max_examples=60)
    @given(nodes=nodes_of(case))
    def check(nodes: list[Node]) -> None:
        coverage = evaluate(nodes, workloads(case))
        assert coverage.errors == 0
        for found in coverage.rows:
            labels = found.node.labels
            is_host = (
                labels["kubernetes.io/os"] == "linux"
                and labels.get("eks.amazonaws.com/compute-type") != "fargate"
            )
            wanted = expected(case, bottlerocket=labels.get(key) == value) if is_host else set()
            got = {
                workload.component
                for workload, reasons in zip(coverage.workloads, found.against, strict=True)
                if not reasons
            }
            assert got == wanted

    check()


def test_a_node_selector_may_name_the_label_of_the_selection_or_of_an_exclusion(
    tmp_path: Path,
) -> None:
    auto = {"eks.amazonaws.com/compute-type": "auto"}
    case = tmp_path / "values.yaml"
    case.write_text(
        f"""\
zabbix: {{nodeSelector: {{os: bottlerocket}}}}
fluentBit:
  cri: {{nodeSelector: {{os: bottlerocket}}}}
  docker: {{nodeSelector: {{os: amazon-linux, {"".join(auto)}: auto}}}}
"""
    )
    linux = {"kubernetes.io/os": "linux"}
    bottlerocket = {"fluent-bit-cri", "zabbix-agent"}
    assert here(case, {**linux, **auto, "os": "bottlerocket"}) == bottlerocket
    assert here(case, {**linux, **auto, "os": "amazon-linux"}) == {"fluent-bit-docker"}
    for other in ({"os": "amazon-linux"}, auto, {**FARGATE, "os": "amazon-linux"}):
        assert here(case, {**linux, **other}) == set()
