"""User data for nodes of your own: an Auto Scaling group, Terraform, a launch template with an image."""

from collections.abc import Sequence

from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.node_group import NodeGroup


def render(groups: Sequence[NodeGroup]) -> str:
    """Return the TOML of one node group."""
    (group,) = groups
    preamble = [
        f"Bottlerocket user data of the node group {group.name}, made by node-observability.",
        "Every pod that reaches the instance metadata can read this, secrets included.",
    ]
    return templates.user_data(group.settings, preamble=preamble)
