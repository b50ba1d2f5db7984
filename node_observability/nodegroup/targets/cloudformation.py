"""A CloudFormation stack: a managed node group, its role, and a launch template where one is needed.

Without settings, volumes or an SSH key there is no launch template, as the managed node group post has it:
EKS fills in the cluster's address and certificate either way, so the template fits any cluster.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from node_observability.nodegroup import documents
from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.problem import Problem
from node_observability.nodegroup.targets import common

_ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "ARM_64"}
_CAPACITY: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT"}
# Known not to survive EKS' merging of user data (EKS user guide, "Customize managed nodes").
_QUOTED_HEADER: Final = re.compile(r"^\s*\[[^\]\n]*[\"']", re.MULTILINE)
_ESCAPED_QUOTE: Final = re.compile(r"^[^#\n]*\\\"", re.MULTILINE)


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what a managed node group can't make of a description."""
    yield from common.pinned(
        group, "EKS", "it wants release and commit as ReleaseVersion; leave it out"
    )
    yield from common.reserved_labels(
        group, ("kubernetes.io", "k8s.io", "eks.amazonaws.com"), "EKS"
    )
    exports = group.cloudformation.get("subnetExports")
    if not group.subnets and not exports:
        yield Problem(("subnets",), "is missing: write subnets, or cloudFormation.subnetExports")
    if group.subnets and exports:
        yield Problem(("subnets",), "cloudFormation.subnetExports says the same; keep one")
    if common.sizes(group)["max"] < 1:
        yield Problem(("size", "max"), "EKS wants at least 1")


def render(groups: list[tuple[NodeGroup, Settings]]) -> str:
    """Return the template of one node group."""
    ((group, settings),) = groups
    inside = placed(group, settings)
    return documents.document(
        "cloudformation.yaml.j2",
        description=f"Bottlerocket nodes {group.name}, by node-observability",
        name=group.name,
        cluster=group.cluster["name"],
        ami_type=ami_type(group),
        capacity_type=_CAPACITY[group.capacity_type],
        instance_types=list(group.instance_types),
        exports=list(group.cloudformation.get("subnetExports", ())),
        subnets=list(group.subnets),
        size=common.sizes(group),
        labels=dict(group.labels),
        taints=_taints(group),
        tags=dict(group.tags),
        session_manager=group.session_manager,
        ssh_key=group.ssh_key_name,
        volumes=_volumes(group),
        # One hop ends before a pod's network; two is what EKS' own templates have.
        hop_limit=1 if common.has_secrets(inside) else 2,
        user_data=documents.user_data(inside) if inside else "",
    )


def placed(group: NodeGroup, settings: Settings) -> Settings:
    """Return the settings that go into the launch template's user data."""
    if "dnsIp" not in group.cluster:
        return settings
    kubernetes = {"cluster-dns-ip": group.cluster["dnsIp"], **common.kubernetes_of(settings)}
    return {**settings, "kubernetes": kubernetes}


def ami_type(group: NodeGroup) -> str:
    """Return EKS' name for the kind of image."""
    name = f"BOTTLEROCKET_{_ARCHITECTURES[group.architecture]}"
    return name + ("_NVIDIA" if group.nvidia else "") + ("_FIPS" if group.fips else "")


def form_problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines of user data, each with what EKS can't read in it when it merges user data."""
    for form, what in (
        (
            _QUOTED_HEADER,
            "EKS can't merge a header with a quoted key; write the key below its table",
        ),
        (_ESCAPED_QUOTE, "EKS can't merge an escaped quote; write the string in single quotes"),
    ):
        for match in form.finditer(text):
            yield text.count("\n", 0, match.end()) + 1, what


def _taints(group: NodeGroup) -> list[dict[str, str]]:
    return [
        {
            "Key": taint.key,
            **({"Value": taint.value} if taint.value else {}),
            "Effect": common.EFFECTS_OF_EKS[taint.effect],
        }
        for taint in group.taints
    ]


def _volumes(group: NodeGroup) -> list[dict[str, Any]]:
    devices = {common.OS_DEVICE: "osGib", common.DATA_DEVICE: "dataGib"}
    return [
        {
            "DeviceName": device,
            "Ebs": {
                "VolumeSize": group.volumes[name],
                "VolumeType": "gp3",
                "Encrypted": common.encrypted(group),
            },
        }
        for device, name in devices.items()
        if name in group.volumes
    ]
