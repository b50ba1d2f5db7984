"""eksctl's ClusterConfig: node groups of its own (``nodeGroups``) and managed ones."""

from collections.abc import Iterator
from typing import Any

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets import common

_FIRST = 0


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what eksctl can't make of a description for ``nodeGroups``."""
    yield from _losses(group)
    met: set[str] = set()
    for index, taint in enumerate(group.taints):
        if taint.key in met:
            text = (
                f"eksctl keeps one taint a key, and {taint.key} has one above; use eksctl-managed"
            )
            yield Problem(("taints", index), text)
        met.add(taint.key)


def losses_managed(group: NodeGroup) -> Iterator[Problem]:
    """Yield what eksctl can't make of a description for ``managedNodeGroups``."""
    yield from _losses(group)
    if "dnsIp" in group.cluster:
        text = "eksctl takes no DNS address for managed node groups: EKS fills it in; leave it out"
        yield Problem(("cluster", "dnsIp"), text)


def _losses(group: NodeGroup) -> Iterator[Problem]:
    yield from common.missing(group, "eksctl", "region")
    yield from common.required_types(group, "eksctl")
    yield from common.pinned(group, "eksctl", "leave it out, or upgrade with eksctl")
    yield from common.kubelet_labels(group)
    if "osGib" in group.volumes:
        yield Problem(("volumes", "osGib"), "eksctl sizes only the data volume; leave it out")
    if not group.session_manager:
        text = "eksctl always lets nodes use Session Manager; leave it out"
        yield Problem(("sessionManager",), text)


def render(groups: list[tuple[NodeGroup, Settings]]) -> str:
    """Return one ClusterConfig with the node groups as ``nodeGroups``."""
    return _document("nodeGroups", groups, [_own(group) for group, _ in groups])


def render_managed(groups: list[tuple[NodeGroup, Settings]]) -> str:
    """Return one ClusterConfig with the node groups as ``managedNodeGroups``."""
    return _document("managedNodeGroups", groups, [_managed(group) for group, _ in groups])


def _document(
    key: str, groups: list[tuple[NodeGroup, Settings]], fields: list[dict[str, Any]]
) -> str:
    cluster = groups[_FIRST][0].cluster
    return templates.document(
        "eksctl.yaml.j2",
        key=key,
        cluster=cluster,
        vpc=dict(cluster.get("vpc", {})),
        groups=[
            {
                "name": group.name,
                "fields": {**_family(group), **own, **_shared(group, settings)},
                "bottlerocket": _bottlerocket(settings),
            }
            for (group, settings), own in zip(groups, fields, strict=True)
        ],
    )


def _family(group: NodeGroup) -> dict[str, Any]:
    return {"amiFamily": "BottlerocketFips" if group.fips else "Bottlerocket"}


def _own(group: NodeGroup) -> dict[str, Any]:
    """Return how ``nodeGroups`` name instance types; several, or Spot, are a distribution."""
    types = list(group.instance_types)
    spot = group.capacity_type == "spot"
    fields: dict[str, Any] = {}
    if len(types) == 1 and not spot:
        fields["instanceType"] = types[0]
    else:
        fields["instancesDistribution"] = {
            "instanceTypes": types,
            **({"onDemandPercentageAboveBaseCapacity": 0} if spot else {}),
        }
    if "dnsIp" in group.cluster:
        fields["clusterDNS"] = group.cluster["dnsIp"]
    return fields


def _managed(group: NodeGroup) -> dict[str, Any]:
    types = list(group.instance_types)
    fields: dict[str, Any] = (
        {"instanceType": types[0]} if len(types) == 1 else {"instanceTypes": types}
    )
    if group.capacity_type == "spot":
        fields["spot"] = True
    return fields


def _shared(group: NodeGroup, settings: Settings) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "minSize": group.size.get("min"),
        "desiredCapacity": group.size.get("desired"),
        "maxSize": group.size.get("max"),
        # Of the data volume, eksctl's default for Bottlerocket. With volumeName beside it, eksctl would leave
        # the OS volume unencrypted (defaults.go, block_device_mapping.go).
        "volumeSize": group.volumes.get("dataGib"),
        "volumeEncrypted": common.encrypted(group) if group.volumes else None,
        "subnets": list(group.subnets) or None,
        "privateNetworking": group.private_networking,
        "ssh": {"allow": True, "publicKeyName": group.ssh_key_name} if group.ssh_key_name else None,
        # There are credentials in the user data: keeps pods from it, but for those on the host's network.
        "disablePodIMDS": True if common.has_secrets(settings) else None,
        "maxPodsPerNode": common.kubernetes_of(settings).get("max-pods"),
        "labels": dict(group.labels) or None,
        "taints": common.taints_of_kubernetes(group) or None,
        "tags": dict(group.tags) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _bottlerocket(settings: Settings) -> dict[str, Any]:
    """Return the section of eksctl's that holds settings.

    The admin container is switched on beside the settings: eksctl does that by itself for ``ssh``, and
    rejects managed node groups that say it in both places.
    """
    inside = placed(settings)
    enabled = settings.get("host-containers", {}).get("admin", {}).get("enabled")
    return {
        **({"enableAdminContainer": enabled} if enabled is not None else {}),
        **({"settings": inside} if inside else {}),
    }


def placed(settings: Settings) -> Settings:
    """Return the settings without what stands elsewhere in eksctl's file."""
    inside = common.without(settings, "max-pods")
    containers = dict(inside.get("host-containers", {}))
    if "enabled" in containers.get("admin", {}):
        admin = {name: value for name, value in containers["admin"].items() if name != "enabled"}
        containers = {**containers, "admin": admin} if admin else _others(containers)
        inside = {**inside, "host-containers": containers} if containers else _less(inside)
    return inside


def _others(containers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in containers.items() if name != "admin"}


def _less(inside: Settings) -> Settings:
    return {name: value for name, value in inside.items() if name != "host-containers"}
