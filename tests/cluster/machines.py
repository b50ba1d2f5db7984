"""The two nodes that the chart distinguishes, with its images, and the journal of one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cluster import images
from tests.cluster.control_plane import ControlPlane
from tests.cluster.node import Node
from tests.support.helm import objects
from tests.support.journald import Journald

__all__ = ["BOTTLEROCKET", "OTHER", "Machines", "image_names", "machines"]

BOTTLEROCKET, OTHER = "bottlerocket-1", "amazon-linux-1"
_TAINT = {"key": "os", "value": "bottlerocket", "effect": "NoSchedule"}


@dataclass(frozen=True)
class Machines:
    """Both nodes, the journald of the first, and the images by name."""

    bottlerocket: Node
    other: Node
    journald: Journald
    archives: dict[str, images.Archive]


def image_names(manifest: str) -> dict[str, str]:
    """Return the name of each container's image in a manifest."""
    specs = [
        one["spec"].get("jobTemplate", one)["spec"]["template"]["spec"]
        for one in objects(manifest)
        if one["kind"] in ("DaemonSet", "Job", "CronJob")
    ]
    return {one["name"]: one["image"] for spec in specs for one in spec["containers"]}


@contextmanager
def machines(plane: ControlPlane, manifest: str) -> Iterator[Machines]:
    """Run both nodes until they are ready, with the images that a manifest of the chart names."""
    names = image_names(manifest)
    archives = {
        "zabbix-agent2": images.agent(names["zabbix-agent2"]),
        "journal-exporter": images.exporter(names["journal-exporter"]),
        "fluent-bit": images.fluent_bit(names["fluent-bit"]),
        "pause": images.pause(),
    }
    if "toolbox" in names:
        archives["toolbox"] = images.toolbox(names["toolbox"])
    bottlerocket = Node(plane, 1, BOTTLEROCKET, labels={"os": "bottlerocket"}, taints=[_TAINT])
    other = Node(plane, 2, OTHER)
    with Journald(bottlerocket.root) as journald, bottlerocket, other:
        for node in (bottlerocket, other):
            # All images, because the pod of `helm test` may run on any node.
            node.load(*archives.values())
            node.join()
        yield Machines(bottlerocket, other, journald, archives)
