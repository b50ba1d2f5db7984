"""The chart as a release on a cluster: helm installs, upgrades and uninstalls it, the API shows it."""

import base64
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.api import Manifest, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import BIN, ClusterError
from tests.support.helm import CHART, NAMESPACE, RELEASE
from tests.support.waiting import wait_for

__all__ = ["AGENT", "CRI", "DOCKER", "VALUES", "Release"]

VALUES = Path(__file__).with_name("values.yaml")
AGENT, CRI, DOCKER = (
    f"{RELEASE}-{part}" for part in ("zabbix-agent", "fluent-bit-cri", "fluent-bit-docker")
)
_DAEMON_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
# The controller manager creates these in each namespace, moments later.
_NAMESPACES_OWN = ("configmap/kube-root-ca.crt", "serviceaccount/default")
_GONE_S = 240
"""1,800 pods were gone after 76 s."""
_PASSING = ("events", "componentstatuses")


class Release:
    """One release; each helm command that renders gets ``flags``."""

    def __init__(self, plane: ControlPlane, *flags: str) -> None:
        self._plane = plane
        self._flags = flags

    def prepare(self, psk: str = "") -> None:
        """Create the namespace, which allows hostPath volumes, and the agents' Secret."""
        label = {"pod-security.kubernetes.io/enforce": "privileged"}
        self._plane.api.create(
            "/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": label}}
        )
        if psk:
            secret = {
                "metadata": {"name": "zabbix-agent-psk"},
                "data": {"psk": base64.b64encode(psk.encode()).decode()},
            }
            self._plane.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)

    def manifest(self) -> str:
        """Return the rendered chart."""
        return self._helm("template", RELEASE, str(CHART), *self._flags)

    def install(self, *flags: str) -> float:
        """Install it; return the seconds until helm was done, which does not wait for pods."""
        return self._timed("install", RELEASE, str(CHART), *self._flags, *flags)

    def upgrade(self, *flags: str) -> float:
        """Upgrade it; return the seconds until helm was done."""
        return self._timed("upgrade", RELEASE, str(CHART), *self._flags, *flags)

    def test(self) -> str:
        """Run ``helm test``; return what it printed."""
        return self._helm("test", RELEASE, "--timeout", "90s")

    def uninstall(self) -> float:
        """Uninstall it; return the seconds until no pod of a DaemonSet was left."""
        begun_s = time.monotonic()
        self._helm("uninstall", RELEASE)

        def gone() -> bool:
            owners = [pod["metadata"]["ownerReferences"][0]["kind"] for pod in self.pods()]
            return "DaemonSet" not in owners

        wait_for(gone, "the pods to be gone", _GONE_S, evidence=self._plane.evidence, every_s=0.2)
        return time.monotonic() - begun_s

    def daemon_set(self, name: str) -> Manifest:
        """Return a DaemonSet as the API has it."""
        return self._plane.api.get(f"{_DAEMON_SETS}/{name}")

    def pods(self, daemon_set: str = "") -> list[Manifest]:
        """Return the pods of a DaemonSet, or of all, including those that are terminating."""
        return [
            pod
            for pod in self._plane.api.list(_PODS)
            if "ownerReferences" in pod["metadata"]
            if not daemon_set or pod["metadata"]["ownerReferences"][0]["name"] == daemon_set
        ]

    def placement(self) -> dict[str, set[str]]:
        """Return the nodes of each DaemonSet's pods."""
        found: dict[str, set[str]] = {}
        for pod in self.pods():
            owner = pod["metadata"]["ownerReferences"][0]["name"]
            if node := pod["spec"].get("nodeName"):
                found.setdefault(owner, set()).add(node)
        return found

    def wait_ready(self, counts: Mapping[str, int], timeout_s: float = 180) -> float:
        """Return the seconds until each DaemonSet has this number of ready pods, all up to date."""
        return wait_for(
            lambda: self.is_rolled_out(counts),
            f"ready pods {dict(counts)}",
            timeout_s,
            evidence=self._plane.evidence,
            every_s=0.2,
        )

    def is_rolled_out(self, counts: Mapping[str, int]) -> bool:
        """Whether each DaemonSet has this number of ready pods, all up to date."""
        return all(self._is_rolled_out(name, count) for name, count in counts.items())

    def _is_rolled_out(self, name: str, count: int) -> bool:
        found = self.daemon_set(name)
        status = found["status"]
        return bool(
            status.get("observedGeneration") == found["metadata"]["generation"]
            and status["desiredNumberScheduled"] == count
            and status.get("numberReady", 0) == count
            and status.get("updatedNumberScheduled", 0) == count
            and status["numberMisscheduled"] == 0
        )

    def ready_pod(self, daemon_set: str, other_than: str = "", timeout_s: float = 120) -> Manifest:
        """Return the one pod of a DaemonSet when it is ready; not the one with the uid ``other_than``."""
        found: list[Manifest] = []

        def one() -> bool:
            found[:] = [
                pod
                for pod in self.pods(daemon_set)
                if is_ready(pod)
                and pod["metadata"]["uid"] != other_than
                and "deletionTimestamp" not in pod["metadata"]
            ]
            return len(found) == 1

        wait_for(
            one,
            f"a ready pod of {daemon_set}",
            timeout_s,
            evidence=self._plane.evidence,
            every_s=0.2,
        )
        return found[0]

    def delete_pod(self, pod: Manifest) -> None:
        """Delete a pod as ``kubectl delete pod`` does."""
        self._plane.api.delete(f"{_PODS}/{pod['metadata']['name']}")

    def execute(self, pod: Manifest, container: str, *command: str) -> str:
        """Run a command in a container; return what it printed."""
        name = pod["metadata"]["name"]
        return self._plane.kubectl(
            *("exec", name, "--namespace", NAMESPACE, "--container", container, "--", *command)
        )

    def logs(self, pod: Manifest, container: str, *flags: str) -> str:
        """Return the output of a container."""
        return self._plane.kubectl(
            *("logs", pod["metadata"]["name"], "--namespace", NAMESPACE),
            *("--container", container, *flags),
        )

    def objects(self) -> set[str]:
        """Return the names of all objects in the namespace or in none, except for short-lived kinds."""
        found = set(_NAMESPACES_OWN)
        for namespaced in ("true", "false"):
            kinds = self._plane.kubectl(
                *("api-resources", "--verbs=list", f"--namespaced={namespaced}", "--output=name")
            ).split()
            wanted = ",".join(kind for kind in kinds if kind.partition(".")[0] not in _PASSING)
            found |= set(
                self._plane.kubectl(
                    *("get", wanted, "--namespace", NAMESPACE, "--output", "name")
                ).split()
            )
        return found

    def evidence(self) -> str:
        """Return the last output of each container, or why there is none."""

        def output(pod: Manifest, container: str, *flags: str) -> str:
            try:
                return self.logs(pod, container, "--tail", "30", *flags)
            except ClusterError as error:  # such as: it still waits for its image
                return str(error)

        return "\n".join(
            f"--- {pod['metadata']['name']} {one['name']} ---\n{output(pod, one['name'])}"
            + (
                f"before its restart:\n{output(pod, one['name'], '-p')}"
                if one["restartCount"]
                else ""
            )
            for pod in self.pods()
            for one in pod["status"].get("containerStatuses", [])
        )

    def coverage(self, *flags: str) -> str:
        """Return what ``node-observability coverage`` prints for this cluster; findings are allowed."""
        program = Path(sys.executable).with_name("node-observability")
        words = (str(program), "coverage", "--namespace", NAMESPACE, *flags)
        return self._plane.command(*words, codes=(0, 1))

    def _timed(self, *words: str) -> float:
        begun_s = time.monotonic()
        self._helm(*words)
        return time.monotonic() - begun_s

    def _helm(self, *words: str) -> str:
        return self._plane.command(str(BIN / "helm"), *words, "--namespace", NAMESPACE)
