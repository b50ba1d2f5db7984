"""User data for nodes of your own: an Auto Scaling group, Terraform, a launch template with an image."""

from collections.abc import Iterator

from node_observability.nodegroup.assembly import Settings, with_node
from node_observability.nodegroup.description import NodeGroup
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets import common

# In the description, by the setting.
_CLUSTER = {
    "apiServer": "api-server",
    "certificate": "cluster-certificate",
    "name": "cluster-name",
    "dnsIp": "cluster-dns-ip",
}


def losses(group: NodeGroup) -> Iterator[Problem]:
    """Yield what is missing: nobody else tells such a node where its cluster is."""
    yield from common.missing(group, "a node of your own", "apiServer", "certificate")
    yield from common.kubelet_labels(group)


def placed(group: NodeGroup, settings: Settings) -> Settings:
    """Return the settings as the node gets them: with cluster, labels and taints."""
    cluster = {
        setting: group.cluster[name] for name, setting in _CLUSTER.items() if name in group.cluster
    }
    kubernetes = {**cluster, **common.kubernetes_of(settings)}
    rest = {name: value for name, value in settings.items() if name not in ("motd", "kubernetes")}
    motd = {"motd": settings["motd"]} if "motd" in settings else {}
    return with_node({**motd, "kubernetes": kubernetes, **rest}, group)


def render(groups: list[tuple[NodeGroup, Settings]]) -> str:
    """Return the TOML of one node group."""
    ((group, settings),) = groups
    preamble = [
        f"Bottlerocket user data of the node group {group.name}, made by node-observability.",
        "Every pod that reaches the instance metadata can read this, secrets included.",
    ]
    return templates.user_data(placed(group, settings), preamble=preamble)
