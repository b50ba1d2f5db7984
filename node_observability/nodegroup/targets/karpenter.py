"""Karpenter's EC2NodeClass and NodePool."""

from collections.abc import Iterator
from typing import Any, Final

from node_observability.kubernetes_names import LABEL
from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.rules import kubelet as kubelet_rules
from node_observability.nodegroup.rules.targets import KARPENTER_KUBELET
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets import common

_ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64"}
_DISCOVERY: Final = "karpenter.sh/discovery"
_DEFAULT_OS_GIB: Final = 4


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what Karpenter can't make of a description."""
    if not LABEL.fullmatch(group.name):
        yield Problem(("name",), "Karpenter wants lower-case letters, digits and '-' only")
    if group.fips:
        yield Problem(
            ("fips",), "Karpenter's alias has no FIPS images; select them by amiSelectorTerms"
        )
    if group.update_operator:
        text = "not with Karpenter: it replaces nodes, and the operator updates them in place; leave it out"
        yield Problem(("updateOperator",), text)
    if group.ssh_key_name:
        yield Problem(
            ("sshKeyName",), "Karpenter gives nodes no key; use adminContainer.authorizedKeys"
        )
    if not group.session_manager:
        yield Problem(("sessionManager",), "it is a matter of karpenter.role here; leave it out")
    for signal in kubelet_rules.ungrounded(group.kubelet):
        text = "has no eviction-soft, and Karpenter rejects its EC2NodeClass"
        yield Problem(("kubelet", "eviction-soft-grace-period", signal), text)
    yield from common.reserved_labels(
        group,
        ("kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws"),
        "Karpenter",
        ("node.kubernetes.io", "node-restriction.kubernetes.io", "kops.k8s.io"),
    )


def render(groups: list[tuple[NodeGroup, Settings]]) -> str:
    """Return both resources of one node group."""
    ((group, settings),) = groups
    inside = placed(settings)
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
        kubelet=_kubelet(group, settings),
        tags=dict(group.tags),
        user_data=templates.user_data(inside) if inside else "",
        labels=dict(group.labels),
        taints=common.taints_of_kubernetes(group),
        requirements=_requirements(group),
        consolidate_after=own.get("consolidateAfter"),
    )


def placed(settings: Settings) -> Settings:
    """Return the settings that go into the user data."""
    return common.without(settings, *KARPENTER_KUBELET)


def _alias(group: NodeGroup) -> str:
    version = group.bottlerocket_version
    return f"bottlerocket@{version}" if version == "latest" else f"bottlerocket@v{version}"


def _kubelet(group: NodeGroup, settings: Settings) -> dict[str, Any]:
    kubernetes = common.kubernetes_of(settings)
    kubelet = {
        name: _as_kubelet(kubernetes[key])
        for key, name in KARPENTER_KUBELET.items()
        if key in kubernetes
    }
    if "dnsIp" in group.cluster:
        kubelet["clusterDNS"] = [group.cluster["dnsIp"]]
    return kubelet


def _as_kubelet(value: object) -> object:
    """Return percentages as numbers: Bottlerocket takes strings of digits too, the kubelet does not."""
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
