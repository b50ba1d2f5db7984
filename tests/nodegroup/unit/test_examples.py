"""The examples of the documentation, rendered for every target that can carry them."""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from node_observability.nodegroup import check_user_data
from node_observability.nodegroup.formats import toml_reader
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.labels_and_taints import labels_and_taints
from node_observability.nodegroup.rules.targets import CLUSTER, LABELS_AND_TAINTS
from node_observability.nodegroup.targets.cloudformation import merge_problems
from tests.support import nodegroups

CASES = [(name, target) for name in nodegroups.NAMES for target in nodegroups.targets_of(name)]
SUFFIX = {"user-data": "toml"}


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms, read as their long ones."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, object]:
    assert isinstance(node, yaml.ScalarNode)
    text = loader.construct_scalar(node)
    return {"Ref": text} if tag == "Ref" else {f"Fn::{tag}": text}


_Loader.add_multi_constructor("!", _short_form)


def _kubelet(group: NodeGroup) -> dict[str, Any]:
    """Return the kubelet's settings, without those of the cluster, labels and taints."""
    others = (*CLUSTER, *LABELS_AND_TAINTS)
    return {key: value for key, value in group.kubernetes.items() if key not in others}


def _template(text: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    return loaded


def test_every_example_has_a_target_and_every_target_an_example() -> None:
    assert {name for name, _ in CASES} == set(nodegroups.NAMES)
    assert {target for _, target in CASES} == {
        "user-data",
        "eksctl",
        "eksctl-managed",
        "cloudformation",
        "karpenter",
    }


@pytest.mark.parametrize(("name", "target"), CASES)
def test_an_example_renders_as_its_golden(
    name: str, target: str, golden: Callable[[str, str], None]
) -> None:
    text = nodegroups.rendered(target, nodegroups.example(name))
    golden(f"nodegroup/examples/{name}.{target}.{SUFFIX.get(target, 'yaml')}", text)


def test_both_groups_of_the_eksctl_post_render_as_one_file(
    golden: Callable[[str, str], None],
) -> None:
    groups = [nodegroups.example("eksctl-public"), nodegroups.example("eksctl-public-ssh")]
    text = nodegroups.rendered("eksctl", *groups)
    golden("nodegroup/examples/eksctl-post.yaml", text)
    assert [group["name"] for group in yaml.safe_load(text)["nodeGroups"]] == [
        "ng1-public",
        "ng2-public-ssh",
    ]


@pytest.mark.parametrize("name", [name for name, target in CASES if target == "user-data"])
def test_user_data_reads_back_as_the_description_says(name: str) -> None:
    group = nodegroups.example(name)
    text = nodegroups.rendered("user-data", group)
    report = check_user_data.check(text.encode())
    assert report.errors == ()
    labels, taints = labels_and_taints(report.settings)
    assert labels == dict(group.labels)
    assert taints == list(group.taints)
    assert tomllib.loads(text)["settings"] == group.settings
    assert group.kubernetes["cluster-name"] == group.cluster["name"]


@pytest.mark.parametrize(
    ("name", "target", "key"),
    [
        (name, target, key)
        for name, target in CASES
        for of, key in (("eksctl", "nodeGroups"), ("eksctl-managed", "managedNodeGroups"))
        if target == of
    ],
)
def test_eksctl_reads_back_as_the_description_says(name: str, target: str, key: str) -> None:
    group = nodegroups.example(name)
    document = yaml.safe_load(nodegroups.rendered(target, group))
    assert document["metadata"]["name"] == group.cluster["name"]
    (node_group,) = document[key]
    assert node_group.get("labels", {}) == dict(group.labels)
    assert node_group.get("taints", []) == [
        {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in group.taints
    ]
    settings = node_group.get("bottlerocket", {}).get("settings", {})
    assert not {"node-labels", "node-taints", "max-pods"} & set(settings.get("kubernetes", {}))
    # eksctl rejects managed groups that switch the admin container on in both places.
    assert "enabled" not in settings.get("host-containers", {}).get("admin", {})


@pytest.mark.parametrize("name", [name for name, target in CASES if target == "cloudformation"])
def test_cloudformation_reads_back_as_the_description_says(name: str) -> None:
    group = nodegroups.example(name)
    template = _template(nodegroups.rendered("cloudformation", group))
    properties = template["Resources"]["NodeGroup"]["Properties"]
    assert properties["Labels"] == dict(group.labels)
    assert properties["Taints"] == [
        {"Key": taint.key, "Value": taint.value, "Effect": "NO_SCHEDULE"} for taint in group.taints
    ]
    assert properties["InstanceTypes"] == list(group.instance_types)
    policies = template["Resources"]["NodeRole"]["Properties"]["ManagedPolicyArns"]
    assert len(policies) == 4
    data = template["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    if "UserData" in data:
        text = data["UserData"]["Fn::Base64"]
        assert tomllib.loads(text)["settings"] == {**group.settings, "kubernetes": _kubelet(group)}
        assert not merge_problems(toml_reader.read(text))


@pytest.mark.parametrize("name", [name for name, target in CASES if target == "karpenter"])
def test_karpenter_reads_back_as_the_description_says(name: str) -> None:
    group = nodegroups.example(name)
    node_class, node_pool = yaml.safe_load_all(nodegroups.rendered("karpenter", group))
    template = node_pool["spec"]["template"]
    assert template["metadata"]["labels"] == dict(group.labels)
    assert [
        (taint["key"], taint.get("value", ""), taint["effect"])
        for taint in template["spec"].get("taints", [])
    ] == [(taint.key, taint.value, taint.effect) for taint in group.taints]
    assert template["spec"]["nodeClassRef"]["name"] == node_class["metadata"]["name"]
    # Every kubelet setting is on exactly one side.
    spec = node_class["spec"]
    inside = tomllib.loads(spec.get("userData", ""))
    passed = inside.get("settings", {}).get("kubernetes", {})
    assert len(spec.get("kubelet", {})) + len(passed) == len(_kubelet(group))
    assert "max-pods" not in passed


def test_the_managed_group_has_a_launch_template_for_its_tags_alone() -> None:
    template = _template(nodegroups.rendered("cloudformation", nodegroups.example("managed")))
    data = template["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    tags = [{"Key": "nodegroup-type", "Value": "Bottlerocket"}]
    assert data["TagSpecifications"] == [
        {"ResourceType": "instance", "Tags": tags},
        {"ResourceType": "volume", "Tags": tags},
    ]
    assert set(data) == {"MetadataOptions", "TagSpecifications"}
    assert template["Resources"]["NodeGroup"]["Properties"]["Subnets"] == [
        {"Fn::ImportValue": {"Fn::Sub": "${ExportPrefix}-private-subnet-a"}},
        {"Fn::ImportValue": {"Fn::Sub": "${ExportPrefix}-private-subnet-c"}},
    ]


def test_a_group_without_settings_volumes_tags_and_key_has_no_launch_template() -> None:
    group = nodegroups.described(subnets=["subnet-01234567"])
    template = _template(nodegroups.rendered("cloudformation", group))
    assert set(template["Resources"]) == {"NodeGroup", "NodeRole"}


@pytest.mark.parametrize(
    ("volumes", "encrypted"), [({"dataGib": 50}, True), ({"osGib": 4, "encrypted": False}, False)]
)
def test_both_volumes_of_a_stack_are_encrypted_alike(
    volumes: dict[str, object], *, encrypted: bool
) -> None:
    group = nodegroups.described(subnets=["subnet-01234567"], volumes=volumes)
    template = _template(nodegroups.rendered("cloudformation", group))
    data = template["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    found = {one["DeviceName"]: one["Ebs"] for one in data["BlockDeviceMappings"]}
    assert set(found) == {"/dev/xvda", "/dev/xvdb"}
    assert [one["Encrypted"] for one in found.values()] == [encrypted, encrypted]
    assert found["/dev/xvda"].get("VolumeSize") == volumes.get("osGib")
    assert found["/dev/xvdb"].get("VolumeSize") == volumes.get("dataGib")
