"""What several targets share: sizes, volumes, EKS' names, reserved labels. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.schema import kubernetes_values
from node_observability.nodegroup.schema.problem import Problem

OS_DEVICE: Final = "/dev/xvda"
# Containers, images, logs and the journal are on the second volume.
DATA_DEVICE: Final = "/dev/xvdb"
DEFAULT_DATA_GIB: Final = 20
EFFECTS_OF_EKS: Final = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}


def sizes(group: NodeGroup) -> dict[str, int]:
    """Return all three sizes; what was not described follows from what was, else one node."""
    given = group.size
    least = given.get("min", given.get("desired", given.get("max", 1)))
    desired = given.get("desired", least)
    return {"min": least, "desired": desired, "max": given.get("max", max(desired, 1))}


def has_secrets(settings: Settings) -> bool:
    """Whether user data would show secrets to pods that reach the instance metadata."""
    return any(True for _ in settings_rules.secrets(settings))


def encrypted(group: NodeGroup) -> bool:
    """Whether volumes are encrypted: unless it was switched off."""
    return bool(group.volumes.get("encrypted", True))


def taints_of_kubernetes(group: NodeGroup) -> list[dict[str, str]]:
    """Return the taints as a Node's spec has them, which eksctl and Karpenter took over."""
    return [
        {
            "key": taint.key,
            **({"value": taint.value} if taint.value else {}),
            "effect": taint.effect,
        }
        for taint in group.taints
    ]


def reserved_labels(
    group: NodeGroup, domains: Iterable[str], who: str, allowed: Iterable[str] = ()
) -> Iterator[Problem]:
    """Yield the labels whose prefix a target keeps for itself."""
    for key in group.labels:
        prefix = key.rpartition("/")[0]
        if kubernetes_values.is_below(key, domains) and prefix not in allowed:
            yield Problem(("labels", key), f"{who} rejects labels below {prefix}")


def kubelet_labels(group: NodeGroup) -> Iterator[Problem]:
    """Yield the labels that a kubelet may not set, where it is the kubelet that sets them."""
    for key in group.labels:
        if not kubernetes_values.is_for_the_kubelet(key):
            text = "the kubelet may not set labels of Kubernetes' own domains, and does not start with it"
            yield Problem(("labels", key), text)


def without(settings: Settings, *keys: str) -> Settings:
    """Return settings without some of ``settings.kubernetes``, and without an empty table."""
    kubernetes = {
        name: value for name, value in settings.get("kubernetes", {}).items() if name not in keys
    }
    rest = {name: value for name, value in settings.items() if name != "kubernetes"}
    return {**({"kubernetes": kubernetes} if kubernetes else {}), **rest} if kubernetes else rest


def missing(group: NodeGroup, who: str, *keys: str) -> Iterator[Problem]:
    """Yield the keys of ``cluster`` without which a target's file is not complete."""
    for key in keys:
        if key not in group.cluster:
            yield Problem(("cluster", key), f"is missing: {who} wants it")


def required_types(group: NodeGroup, who: str) -> Iterator[Problem]:
    """Yield that there is no instance type, for targets that choose none themselves."""
    if not group.instance_types:
        yield Problem(("instanceTypes",), f"is missing: {who} wants one at least")


def pinned(group: NodeGroup, who: str, instead: str) -> Iterator[Problem]:
    """Yield that a release can't be asked for by its number alone."""
    if group.bottlerocket_version != "latest":
        yield Problem(("bottlerocketVersion",), f"{who} takes no release number; {instead}")


def kubernetes_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``settings.kubernetes``, or nothing."""
    return dict(settings.get("kubernetes", {}))
