"""What several targets share: sizes, volumes, taints, missing keys, reserved labels. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from node_observability.nodegroup.assembly import Settings
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules import labels_and_taints
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
    """Return all three sizes; those that are not given follow from the others, or are one node."""
    given = group.size
    least = given.get("min", given.get("desired", given.get("max", 1)))
    desired = given.get("desired", least)
    return {"min": least, "desired": desired, "max": given.get("max", max(desired, 1))}


def encrypted(group: NodeGroup) -> bool:
    """Whether volumes are encrypted, which is the default."""
    return bool(group.volumes.get("encrypted", True))


def taints_of_kubernetes(group: NodeGroup) -> list[dict[str, str]]:
    """Return the taints as a Node's spec has them, and eksctl and Karpenter too."""
    return [
        {
            "key": taint.key,
            **({"value": taint.value} if taint.value else {}),
            "effect": taint.effect,
        }
        for taint in group.taints
    ]


def reserved_labels(
    group: NodeGroup, domains: Iterable[str], allowed: Iterable[str] = ()
) -> Iterator[Problem]:
    """Yield the labels whose prefix a target reserves."""
    for key in group.labels:
        prefix = key.rpartition("/")[0]
        if labels_and_taints.is_below(key, domains) and prefix not in allowed:
            text = f"rejects labels with the prefix {prefix}; choose another"
            yield Problem(("labels", key), text)


def forbidden_labels(group: NodeGroup) -> Iterator[Problem]:
    """Yield the labels that a kubelet may not set, for targets that let the kubelet set them."""
    yield from map(group.assembled.described, labels_and_taints.forbidden_labels(group.kubernetes))


def without(settings: Settings, *keys: str) -> Settings:
    """Return settings without these keys of ``settings.kubernetes``, and without an empty table."""
    kubernetes = {key: value for key, value in settings["kubernetes"].items() if key not in keys}
    rest = {name: group for name, group in settings.items() if name != "kubernetes"}
    return {"kubernetes": kubernetes, **rest} if kubernetes else rest
