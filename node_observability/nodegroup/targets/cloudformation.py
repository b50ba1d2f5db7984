"""A CloudFormation stack: a managed node group, its role, and a launch template where one is needed.

Without settings, volumes, tags or an SSH key there is no launch template, as the managed node group post has
it: EKS fills in the cluster's address and certificate either way, so the template fits any cluster.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.formats import templates, toml_reader
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.targets import common

_ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "ARM_64"}
_CAPACITY: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT"}


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
    return templates.document(
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
        tag_list=[{"Key": key, "Value": value} for key, value in group.tags.items()],
        session_manager=group.session_manager,
        ssh_key=group.ssh_key_name,
        volumes=_volumes(group),
        # One hop ends before a pod's network; two is what EKS' own templates have.
        hop_limit=1 if common.has_secrets(inside) else 2,
        user_data=templates.user_data(inside) if inside else "",
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


def form_problems(document: toml_reader.Document) -> list[tuple[int, str]]:
    """Return lines of user data, each with what EKS can't read in it when it merges user data.

    Source: EKS user guide, "Customize managed nodes with launch templates", which lists five forms.
    """
    header = "EKS can't merge a header with a quoted key; write the key below its table"
    quote = "EKS can't merge an escaped quote; write the string in single quotes"
    found = [(one.line, header) for one in document.statements if one.quoted_header]
    found += [(line, quote) for one in document.statements for line in one.escaped_quotes]
    found += [(document.line(path) or 1, text) for path, text in tree_problems(document.data)]
    return sorted(set(found))


def tree_problems(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the values that EKS can't merge however they are written."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if '"' in key or "'" in key:
                yield (*path, key), "EKS can't merge a key with a quote in it; leave it out"
            yield from tree_problems(inner, (*path, key))
    elif isinstance(value, list):
        if len({type(inner) for inner in value}) > 1:
            yield path, "EKS can't merge an array of values of several types; leave it out"
        for index, inner in enumerate(value):
            yield from tree_problems(inner, (*path, index))


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
    """Return both volumes where one is described, so that both are encrypted; EC2 knows the image's sizes."""
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
