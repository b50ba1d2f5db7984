"""Karpenter's EC2NodeClass and NodePool."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from node_observability.kubernetes_names import LABEL
from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.kubelet import without_threshold
from node_observability.nodegroup.rules.targets import (
    CLUSTER,
    KARPENTER_KUBELET,
    LABELS_AND_TAINTS,
)
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets import common

_ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64"}
_DISCOVERY: Final = "karpenter.sh/discovery"
_DEFAULT_OS_GIB: Final = 4


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what Karpenter can't make of a description."""
    if not LABEL.fullmatch(group.name):
        yield Problem(("name",), "takes only lower-case letters, digits and '-'")
    if group.fips:
        text = "has no alias for FIPS images; leave it out, and select them with amiSelectorTerms"
        yield Problem(("fips",), text)
    if group.update_operator:
        text = "replaces nodes, while the operator updates them in place; leave it out"
        yield Problem(("updateOperator",), text)
    if group.ssh_key_name:
        text = "gives nodes no EC2 key; use adminContainer.authorizedKeys"
        yield Problem(("sshKeyName",), text)
    if not group.session_manager:
        text = "leaves this to the role in karpenter.role; leave it out"
        yield Problem(("sessionManager",), text)
    for signal in without_threshold(group.kubernetes):
        path = ("settings", "kubernetes", "eviction-soft-grace-period", signal)
        text = "rejects an EC2NodeClass with a grace period and no eviction-soft; write both"
        yield group.assembled.described(Problem(path, text))
    yield from common.reserved_labels(
        group,
        ("kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws"),
        ("node.kubernetes.io", "node-restriction.kubernetes.io", "kops.k8s.io"),
    )


def render(groups: Sequence[NodeGroup]) -> str:
    """Return both resources of one node group."""
    (group,) = groups
    inside = placed(group)
    own = group.karpenter
    return templates.document(
        "karpenter.yaml.j2",
        name=group.name,
        alias=_alias(group),
        role=own.get("role", f"KarpenterNodeRole-{group.cluster['name']}"),
        subnet_terms=[{"id": subnet} for subnet in group.subnets]
        or [{"tags": own.get("subnetTags", {_DISCOVERY: group.cluster["name"]})}],
        security_group_terms=[
            {"tags": own.get("securityGroupTags", {_DISCOVERY: group.cluster["name"]})}
        ],
        associate_public_ip=None
        if group.private_networking is None
        else not group.private_networking,
        volumes=_volumes(group),
        kubelet=_kubelet(group),
        tags=dict(group.tags),
        user_data=templates.user_data(inside) if inside else "",
        labels=dict(group.labels),
        taints=common.taints_of_kubernetes(group),
        requirements=_requirements(group),
        consolidate_after=own.get("consolidateAfter"),
    )


def placed(group: NodeGroup) -> Settings:
    """Return the settings that go into the user data."""
    elsewhere = (*CLUSTER, "cluster-dns-ip", *LABELS_AND_TAINTS, *KARPENTER_KUBELET)
    return common.without(group.settings, *elsewhere)


def _alias(group: NodeGroup) -> str:
    version = group.bottlerocket_version
    return f"bottlerocket@{version}" if version == "latest" else f"bottlerocket@v{version}"


def _kubelet(group: NodeGroup) -> dict[str, Any]:
    kubelet = {
        name: _percent_as_number(group.kubernetes[key])
        for key, name in KARPENTER_KUBELET.items()
        if key in group.kubernetes
    }
    if "dnsIp" in group.cluster:
        kubelet["clusterDNS"] = [group.cluster["dnsIp"]]
    return kubelet


def _percent_as_number(value: object) -> object:
    """Return a string of digits as a number: Bottlerocket takes both, the kubelet only numbers."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _volumes(group: NodeGroup) -> list[dict[str, Any]]:
    if not group.volumes:
        return []
    devices = {
        common.OS_DEVICE: group.volumes.get("osGib", _DEFAULT_OS_GIB),
        common.DATA_DEVICE: group.volumes.get("dataGib", common.DEFAULT_DATA_GIB),
    }
    return [
        {
            "deviceName": device,
            "ebs": {
                "volumeSize": f"{gib}Gi",
                "volumeType": "gp3",
                "encrypted": common.encrypted(group),
            },
        }
        for device, gib in devices.items()
    ]


def _requirements(group: NodeGroup) -> list[dict[str, Any]]:
    wanted: dict[str, list[str]] = {
        "kubernetes.io/os": ["linux"],
        "kubernetes.io/arch": [_ARCHITECTURES[group.architecture]],
        "karpenter.sh/capacity-type": [group.capacity_type],
    }
    if group.instance_types:
        wanted["node.kubernetes.io/instance-type"] = list(group.instance_types)
    return [{"key": key, "operator": "In", "values": values} for key, values in wanted.items()]
