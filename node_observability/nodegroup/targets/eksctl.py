"""eksctl's ClusterConfig: node groups of its own (``nodeGroups``) and managed ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.settings import has_secrets
from node_observability.nodegroup.rules.targets import CLUSTER, LABELS_AND_TAINTS
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets import common


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what eksctl can't make of a description for ``nodeGroups``."""
    yield from losses_managed(group)
    keys = [taint.key for taint in group.taints]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            text = f"keeps one taint per key, and {key} has one above; use eksctl-managed"
            yield Problem(("taints", index), text)


def losses_managed(group: NodeGroup) -> Iterator[Problem]:
    """Yield what eksctl can't make of a description for ``managedNodeGroups``."""
    if "region" not in group.cluster:
        yield Problem(("cluster", "region"), "needs a region; write one")
    if not group.instance_types:
        yield Problem(("instanceTypes",), "needs an instance type; write at least one")
    if group.bottlerocket_version != "latest":
        text = "can't select a release by its number; leave it out, or upgrade with eksctl"
        yield Problem(("bottlerocketVersion",), text)
    yield from common.forbidden_labels(group)
    if "osGib" in group.volumes:
        yield Problem(("volumes", "osGib"), "sizes only the data volume; leave it out")
    if not group.session_manager:
        text = "always lets nodes use Session Manager; leave it out"
        yield Problem(("sessionManager",), text)


def render(groups: Sequence[NodeGroup]) -> str:
    """Return one ClusterConfig with the node groups as ``nodeGroups``."""
    return _document("nodeGroups", [(group, _own(group)) for group in groups])


def render_managed(groups: Sequence[NodeGroup]) -> str:
    """Return one ClusterConfig with the node groups as ``managedNodeGroups``."""
    return _document("managedNodeGroups", [(group, _managed(group)) for group in groups])


def _document(key: str, groups: Sequence[tuple[NodeGroup, dict[str, Any]]]) -> str:
    cluster = groups[0][0].cluster
    return templates.document(
        "eksctl.yaml.j2",
        key=key,
        cluster=cluster,
        vpc=dict(cluster.get("vpc", {})),
        groups=[
            {
                "name": group.name,
                "fields": {**_family(group), **own, **_shared(group)},
                "bottlerocket": _bottlerocket(group),
            }
            for group, own in groups
        ],
    )


def _family(group: NodeGroup) -> dict[str, Any]:
    return {"amiFamily": "BottlerocketFips" if group.fips else "Bottlerocket"}


def _own(group: NodeGroup) -> dict[str, Any]:
    """Return the fields of ``nodeGroups``: several instance types, or Spot, are a distribution."""
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


def _shared(group: NodeGroup) -> dict[str, Any]:
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
        # Keeps pods from credentials in the user data, except pods on the host's network.
        "disablePodIMDS": True if has_secrets(group.settings) else None,
        "maxPodsPerNode": group.kubernetes.get("max-pods"),
        "labels": group.labels or None,
        "taints": common.taints_of_kubernetes(group) or None,
        "tags": dict(group.tags) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _bottlerocket(group: NodeGroup) -> dict[str, Any]:
    """Return the section ``bottlerocket``, which holds the settings.

    The admin container is switched on beside the settings: for ``ssh``, eksctl does that itself, and it
    rejects managed node groups that do it in both places.
    """
    inside = placed(group)
    enabled = group.settings.get("host-containers", {}).get("admin", {}).get("enabled")
    return {
        **({"enableAdminContainer": enabled} if enabled is not None else {}),
        **({"settings": inside} if inside else {}),
    }


def placed(group: NodeGroup) -> Settings:
    """Return the settings that eksctl's file has as such."""
    return placed_managed(group, "cluster-dns-ip")


def placed_managed(group: NodeGroup, *elsewhere: str) -> Settings:
    """Return the settings that eksctl's file for managed node groups has as such."""
    keys = (*CLUSTER, *LABELS_AND_TAINTS, "max-pods", *elsewhere)
    settings = common.without(group.settings, *keys)
    containers = dict(settings.get("host-containers", {}))
    if "admin" in containers:
        admin = {key: value for key, value in containers["admin"].items() if key != "enabled"}
        containers |= {"admin": admin}
        if not admin:
            del containers["admin"]
        settings["host-containers"] = containers
        if not containers:
            del settings["host-containers"]
    return settings
