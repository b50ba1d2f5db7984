"""A node group as the targets render it: what its description has, and the settings assembled from it."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup.assembly import Assembled, Settings


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """One node group. Fields have the names and values of the description's keys, or its defaults."""

    name: str
    cluster: Mapping[str, Any]
    assembled: Assembled
    instance_types: Sequence[str] = ()
    architecture: str = "x86_64"
    fips: bool = False
    nvidia: bool = False
    bottlerocket_version: str = "latest"
    capacity_type: str = "on-demand"
    size: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)
    subnets: Sequence[str] = ()
    private_networking: bool | None = None
    session_manager: bool = True
    ssh_key_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()
    update_operator: bool = False
    cloud_formation: Mapping[str, Any] = field(default_factory=dict)
    karpenter: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Bottlerocket's settings, the whole of them."""
        return self.assembled.settings

    @property
    def kubernetes(self) -> Settings:
        """The group ``settings.kubernetes``."""
        kubernetes: Settings = self.settings["kubernetes"]
        return kubernetes

    @property
    def labels(self) -> dict[str, str]:
        """The nodes' labels, the update operator's included."""
        return dict(self.kubernetes.get("node-labels", {}))


def node_group(description: Mapping[str, Any], assembled: Assembled) -> NodeGroup:
    """Return the node group of a description without problems."""
    named = {_snake_case(key): value for key, value in description.items()}
    fields = {one.name for one in dataclasses.fields(NodeGroup)}
    given = {name: value for name, value in named.items() if name in fields}
    given["taints"] = [Taint(**taint) for taint in description.get("taints", ())]
    return NodeGroup(**given, assembled=assembled)


def _snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
