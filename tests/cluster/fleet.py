"""More nodes than a machine can run: kwok simulates the kubelets, the control plane is real.

The API server, the scheduler and the DaemonSet controller decide where pods run and when they are replaced.
kwok reports nodes and pods as ready; no container runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.cluster.api import Manifest, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import BIN, Program

__all__ = ["KINDS", "Fleet", "Kind"]

_STAGES = Path(__file__).with_name("kwok.yaml")
_TAINT = {"key": "os", "value": "bottlerocket", "effect": "NoSchedule"}
_BOTTLEROCKET = "Bottlerocket OS 1.50.0 (aws-k8s-1.35)"


@dataclass(frozen=True)
class Kind:
    """A number of equal nodes."""

    name: str
    count: int
    image: str
    architecture: str = "amd64"
    system: str = "linux"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()


KINDS = (
    Kind("br-amd64", 500, _BOTTLEROCKET, labels={"os": "bottlerocket"}, taints=[_TAINT]),
    Kind(
        *("br-arm64", 200, _BOTTLEROCKET, "arm64"),
        labels={"os": "bottlerocket"},
        taints=[_TAINT, {"key": "dedicated", "value": "batch", "effect": "NoExecute"}],
    ),
    Kind("br-unlabelled", 50, _BOTTLEROCKET),
    Kind("al2023-amd64", 250, "Amazon Linux 2023.9.20261101"),
    Kind(
        *("al2023-arm64", 100, "Amazon Linux 2023.9.20261101", "arm64"),
        taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}],
    ),
    Kind(
        *("fargate", 50, "Amazon Linux 2"),
        labels={"eks.amazonaws.com/compute-type": "fargate"},
        taints=[
            {"key": "eks.amazonaws.com/compute-type", "value": "fargate", "effect": "NoSchedule"}
        ],
    ),
    Kind("windows", 50, "Windows Server 2022 Datacenter", system="windows"),
)


def _nodes(kind: Kind) -> Iterator[Manifest]:
    for number in range(kind.count):
        name = f"{kind.name}-{number:04}"
        labels = {
            "kubernetes.io/os": kind.system,
            "kubernetes.io/arch": kind.architecture,
            "kubernetes.io/hostname": name,
            **kind.labels,
        }
        room = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "80Gi", "pods": "58"}
        info = {
            "architecture": kind.architecture,
            "operatingSystem": kind.system,
            "osImage": kind.image,
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": "v1.35.4",
            "kubeProxyVersion": "",
            "kernelVersion": "6.12.53",
            **dict.fromkeys(("machineID", "systemUUID", "bootID"), ""),
        }
        yield {
            "metadata": {"name": name, "labels": labels},
            "spec": {"taints": [dict(taint) for taint in kind.taints]},
            "status": {"capacity": room, "allocatable": room, "nodeInfo": info},
        }


class Fleet:
    """The nodes of ``KINDS``; a context manager that waits until they are ready."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._kwok = Program(
            "kwok",
            [
                *(BIN / "kwok", "--kubeconfig", plane.kubeconfig, "--manage-all-nodes"),
                # With leases, instead of a status of each node every few seconds.
                *("--config", _STAGES, "--node-lease-duration-seconds", "240"),
                *("--cidr", "198.18.0.0/16", "--v", "WARN"),
            ],
        )
        self.names = [node["metadata"]["name"] for kind in KINDS for node in _nodes(kind)]

    def __enter__(self) -> Self:
        self._kwok.start()
        try:
            for kind in KINDS:
                for node in _nodes(kind):
                    self._plane.api.create("/api/v1/nodes", node)
            self._kwok.ready(
                lambda: all(map(is_ready, self._plane.api.list("/api/v1/nodes"))),
                f"{len(self.names)} ready nodes",
                180,
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._kwok.stop()

    def label(self, name: str, key: str, value: str | None) -> None:
        """Set a label of a node; None removes it."""
        self._plane.api.patch(f"/api/v1/nodes/{name}", {"metadata": {"labels": {key: value}}})

    def evidence(self) -> str:
        """Return the end of kwok's log."""
        return self._kwok.tail()
