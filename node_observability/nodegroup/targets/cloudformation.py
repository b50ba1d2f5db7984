"""A CloudFormation stack: a managed node group, its role, and a launch template where one is needed.

Without settings, volumes, tags or an SSH key there is no launch template. EKS fills in the cluster's address
and certificate either way, so the template fits any cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.formats.toml_reader import TomlDocument
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.settings import has_secrets
from node_observability.nodegroup.rules.targets import CLUSTER, LABELS_AND_TAINTS
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.targets import common

_ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "ARM_64"}
_CAPACITY: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT"}


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what a managed node group can't make of a description."""
    if group.bottlerocket_version != "latest":
        text = "EKS can't select a release by its number (ReleaseVersion has a commit too); leave it out"
        yield Problem(("bottlerocketVersion",), text)
    yield from common.reserved_labels(group, ("kubernetes.io", "k8s.io", "eks.amazonaws.com"))
    exports = group.cloud_formation.get("subnetExports")
    if not group.subnets and not exports:
        yield Problem(("subnets",), "needs subnets; write some, or cloudFormation.subnetExports")
    if group.subnets and exports:
        yield Problem(("subnets",), "cloudFormation.subnetExports is set too; keep one")
    if common.sizes(group)["max"] < 1:
        yield Problem(("size", "max"), "EKS needs at least 1")


def render(groups: Sequence[NodeGroup]) -> str:
    """Return the template of one node group."""
    (group,) = groups
    inside = placed(group)
    return templates.document(
        "cloudformation.yaml.j2",
        description=f"Bottlerocket nodes {group.name}, by node-observability",
        name=group.name,
        cluster=group.cluster["name"],
        ami_type=ami_type(group),
        capacity_type=_CAPACITY[group.capacity_type],
        instance_types=list(group.instance_types),
        exports=list(group.cloud_formation.get("subnetExports", ())),
        subnets=list(group.subnets),
        size=common.sizes(group),
        labels=dict(group.labels),
        taints=_taints(group),
        tags=dict(group.tags),
        tag_list=[{"Key": key, "Value": value} for key, value in group.tags.items()],
        session_manager=group.session_manager,
        ssh_key=group.ssh_key_name,
        volumes=_volumes(group),
        # One hop does not reach a pod's network; the templates of EKS have two.
        hop_limit=1 if has_secrets(inside) else 2,
        user_data=templates.user_data(inside) if inside else "",
    )


def placed(group: NodeGroup) -> Settings:
    """Return the settings that go into the launch template's user data."""
    return common.without(group.settings, *CLUSTER, *LABELS_AND_TAINTS)


def ami_type(group: NodeGroup) -> str:
    """Return EKS' name of the image's variant."""
    name = f"BOTTLEROCKET_{_ARCHITECTURES[group.architecture]}"
    return name + ("_NVIDIA" if group.nvidia else "") + ("_FIPS" if group.fips else "")


def merge_problems(document: TomlDocument) -> list[Problem]:
    """Return what EKS can't read in user data when it merges it with its own, by line.

    Source: EKS user guide, "Customize managed nodes with launch templates", which lists five forms.
    """
    header = "EKS can't merge a header with a quoted key; write the key below its table"
    quote = "EKS can't merge an escaped quote; write the string in single quotes"
    found = []
    for one in document.statements:
        if one.quoted_header:
            found.append(Problem(one.path, header, one.line))
        found += [Problem(one.path, quote, line) for line in dict.fromkeys(one.escaped_quotes)]
    found += [document.located(problem) for problem in value_problems(document.data)]
    return sorted(found, key=lambda one: one.line or 1)


def value_problems(value: object, path: Path = ()) -> Iterator[Problem]:
    """Yield the values that EKS can't merge, however they are written."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if '"' in key or "'" in key:
                yield Problem(
                    (*path, key), "EKS can't merge a key with a quote in it; leave it out"
                )
            yield from value_problems(inner, (*path, key))
    elif isinstance(value, list):
        if len({type(inner) for inner in value}) > 1:
            yield Problem(
                path, "EKS can't merge an array with values of several types; leave it out"
            )
        for index, inner in enumerate(value):
            yield from value_problems(inner, (*path, index))


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
    """Return both volumes if one is described, so that both are encrypted; sizes default to the image's."""
    if not group.volumes:
        return []
    devices = {common.OS_DEVICE: "osGib", common.DATA_DEVICE: "dataGib"}
    return [
        {
            "DeviceName": device,
            "Ebs": {
                **({"VolumeSize": group.volumes[name]} if name in group.volumes else {}),
                "VolumeType": "gp3",
                "Encrypted": common.encrypted(group),
            },
        }
        for device, name in devices.items()
    ]
