"""A node: containerd and kubelet with directories and namespaces for mounts and network of their own.

Its programs see their own /var/log, /run and /var/lib, and an address on the bridge of the control plane. So
two nodes on one machine share nothing but the network.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.cluster.api import is_ready
from tests.cluster.control_plane import BRIDGE, HOST, SERVER, ControlPlane
from tests.cluster.images import PAUSE, Archive
from tests.cluster.processes import BIN, ClusterError, Program, base, cgroup, logs, run
from tests.support.waiting import wait_for

__all__ = ["Node"]

# Directories that exist on every machine, so that none has to be created. /srv is a disk of the node, like
# /local on Bottlerocket: the template ignores / and /var, which are parts of other file systems there.
_OWN = ("var/log", "run", "var/lib", "srv")
_SYSTEMS = ("containerd", "kubelet", "cni", "journal", "pods", "containers")
_UNLIMITED = ("memory.available", "nodefs.available", "imagefs.available")
_SOCKET = "/run/containerd/containerd.sock"
_CTR = ("ctr", "--address", _SOCKET, "--namespace", "k8s.io")

# The kubelet would set these for the whole machine, unless they already have these values.
_KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

# Mounts must be shared so that kubelet can pass them on to containers, but stay inside the namespace.
_ENTER = """
mount --make-rshared /
for path in $2; do mount --bind "$1/$path" "/$path"; done
for path in $3; do mount --bind "$1/proc/$path" "/proc/sys/$path"; done
ip link set lo up
echo ready
exec sleep infinity
"""

_CONTAINERD = """
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # In a sandbox nothing may lower it (CAP_SYS_RESOURCE).
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def _pids(procs: Path) -> list[int]:
    """Return the process ids in a cgroup; none if it does not exist any more."""
    try:
        return [int(pid) for pid in procs.read_text().split()]
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise
        return []


class Node:
    """One node; a context manager. Its addresses are made from ``number``, which counts from 1."""

    def __init__(
        self,
        plane: ControlPlane,
        number: int,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self.name = name
        self.root = base() / "nodes" / name
        self.address = f"192.0.2.{10 + number}"
        self._pods = f"198.18.{number}.0/24"
        self._plane = plane
        self._labels = dict(labels or {})
        self._taints = [dict(taint) for taint in taints]
        self._interface = f"{BRIDGE}-{number}"
        for path in _OWN:
            (self.root / path).mkdir(parents=True)
        self._holder = Program(
            f"{name}-namespaces",
            [
                *("unshare", "--mount", "--net", "--propagation=private", "sh", "-euc", _ENTER),
                *("sh", self.root, " ".join(_OWN), " ".join(_KERNEL)),
            ],
        )
        self.containerd = Program(f"{name}-containerd", ["containerd"])
        self.kubelet = Program(f"{name}-kubelet", [BIN / "kubelet"])

    @property
    def logs(self) -> Path:
        """The node's /var/log."""
        return self.root / "var/log"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        """Create the namespaces, start containerd, and prepare the kubelet."""
        for path, value in _KERNEL.items():
            file = self.root / "proc" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
        self._holder.start()
        self._holder.ready(lambda: "ready" in self._holder.tail(), "its namespaces", 10)
        self._connect()
        self.containerd = self._program("containerd", "containerd", "--config", self._containerd())
        self.containerd.start()
        self.containerd.ready((self.root / _SOCKET.lstrip("/")).exists, "its socket")
        self.kubelet = self._program("kubelet", BIN / "kubelet", *self._kubelet())

    def load(self, *archives: Archive) -> None:
        """Import images into containerd."""
        for archive in archives:
            self.run(*_CTR, "images", "import", archive.path)

    def join(self) -> float:
        """Start the kubelet; return the seconds until the node is ready."""
        self.kubelet.start()
        return self.kubelet.ready(self.is_ready, "to be a ready node", 90)

    def is_ready(self) -> bool:
        """Whether the API lists the node as ready."""
        path = f"/api/v1/nodes/{self.name}"
        return self._plane.api.exists(path) and is_ready(self._plane.api.get(path))

    def run(self, *command: str | Path) -> str:
        """Run a command on the node; return what it printed."""
        return run(*self._inside(), *command)

    def containers(self) -> dict[str, int]:
        """Return the process ids of the running containers by their names.

        Raises:
            ClusterError: two have the same name.
        """
        found: dict[str, int] = {}
        for line in self.run(*_CTR, "tasks", "list").splitlines()[1:]:
            identity, pid, status = line.split()
            if status == "RUNNING":
                about = json.loads(self.run(*_CTR, "containers", "info", identity))
                labels: dict[str, Any] = about["Labels"]
                if name := labels.get("io.kubernetes.container.name"):
                    if name in found:
                        raise ClusterError(f"{self.name} runs two containers named {name}")
                    found[name] = int(pid)
        return found

    def files(self) -> set[str]:
        """Return what is in the node's directories, except for containerd, kubelet and journald."""
        found: set[str] = set()
        for parent in ("var/log", "var/lib", "srv"):
            for path in (self.root / parent).iterdir():
                if path.name not in _SYSTEMS:
                    inside = list(path.glob("*"))
                    found |= {str(one.relative_to(self.root)) for one in inside or [path]}
        return found

    def traces(self, pods: Collection[str]) -> set[str]:
        """Return the mounts, directories and cgroups of pods, given by their uids."""
        found = [
            line.split()[4]
            for line in Path(f"/proc/{self._holder.pid}/mountinfo").read_text().splitlines()
        ]
        found += [str(path) for path in (self.root / "var/lib/kubelet/pods").glob("*")]
        found += [str(path) for path in (self.logs / "pods").glob("*")]
        found += [str(path) for path in self._top().rglob("pod*")]
        return {path for path in found if any(uid in path for uid in pods)}

    def evidence(self) -> str:
        """Return the ends of its logs."""
        return "\n".join(one.tail() for one in (self.containerd, self.kubelet))

    def __exit__(self, *_exception: object) -> None:
        """End containers, programs and namespaces; leave nothing for another node of this name."""
        self.kubelet.stop()
        self._end_containers()
        self.containerd.stop()
        self._holder.stop(signal.SIGKILL)
        # The kernel does this too, but maybe later than another node of this name starts.
        run("ip", "link", "delete", self._interface, codes=(0, 1))
        if (self.logs / "pods").exists():
            shutil.copytree(self.logs / "pods", logs() / f"{self.name}-pods", dirs_exist_ok=True)
        shutil.rmtree(self.root)

    def _end_containers(self) -> None:
        """Kill what runs in the node's cgroup; shims exit after their container."""
        top = self._top()

        def members() -> list[int]:
            found = []
            for directory, _, files in os.walk(top):  # skips directories that vanish
                if "cgroup.procs" in files:
                    found += _pids(Path(directory) / "cgroup.procs")
            return found

        def none() -> bool:
            for pid in members():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not members()

        wait_for(none, f"the containers of {self.name} to end", 20, every_s=0.2)

    def _top(self) -> Path:
        """Return the node's cgroup; with cgroup v1 the one of a single controller."""
        top = Path("/sys/fs/cgroup/pids") / self._cgroup().lstrip("/")
        return top if top.parent.exists() else Path("/sys/fs/cgroup") / self._cgroup().lstrip("/")

    def _inside(self) -> tuple[str, ...]:
        return ("nsenter", "--target", str(self._holder.pid), "--mount", "--net", "--")

    def _program(self, name: str, *command: str | Path) -> Program:
        return Program(f"{self.name}-{name}", command, inside=self._inside())

    def _cgroup(self) -> str:
        return f"/{cgroup()}/{self.name}"

    def _connect(self) -> None:
        run(
            *("ip", "link", "add", self._interface, "type", "veth", "peer", "name", "eth0"),
            *("netns", str(self._holder.pid)),
        )
        run("ip", "link", "set", self._interface, "master", BRIDGE, "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "route", "add", "default", "via", HOST)
        run("ip", "route", "add", self._pods, "via", self.address)

    def _containerd(self) -> Path:
        routes = [{"dst": "0.0.0.0/0"}]
        addresses = {"type": "host-local", "subnet": self._pods, "routes": routes}
        network = {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [{"type": "ptp", "ipam": addresses}],
        }
        (self.root / "cni").mkdir()
        (self.root / "cni/pods.conflist").write_text(json.dumps(network))
        path = self.root / "containerd.toml"
        path.write_text(_CONTAINERD.format(socket=_SOCKET, pause=PAUSE, directory=self.root))
        return path

    def _kubelet(self) -> list[str]:
        authority = self._plane.authority
        user = f"system:node:{self.name}"
        kubeconfig = authority.kubeconfig(SERVER, user, "system:nodes")
        certificate, key = authority.issue(
            *(user, f"IP:{self.address}", f"DNS:{self.name}"),
            group="system:nodes",
            file=f"{self.name}-serving",
        )
        # Each controller must have the cgroup before the kubelet starts.
        controllers = [Path("/sys/fs/cgroup")]
        if not (controllers[0] / "cgroup.controllers").exists():
            controllers = list(controllers[0].iterdir())
        for controller in controllers:
            if (controller / cgroup()).exists():
                own = controller / self._cgroup().lstrip("/")
                own.mkdir(exist_ok=True)  # an earlier node may have made it
                for name in ("cpuset.cpus", "cpuset.mems"):
                    if (own / name).exists() and not (own / name).read_text().strip():
                        (own / name).write_text((own.parent / name).read_text())
        settings = {
            "kind": "KubeletConfiguration",
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": self._cgroup(),
            "containerRuntimeEndpoint": f"unix://{_SOCKET}",
            "protectKernelDefaults": True,
            "makeIPTablesUtilChains": False,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(authority.certificate)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(certificate),
            "tlsPrivateKeyFile": str(key),
            "clusterDNS": [HOST],
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "volumePluginDir": str(self.root / "volume-plugins"),
            "registerWithTaints": self._taints,
            # The node must not react to the machine's disk.
            "evictionHard": dict.fromkeys(_UNLIMITED, "0%"),
            "imageGCHighThresholdPercent": 100,
            "nodeStatusUpdateFrequency": "5s",
        }
        path = self.root / "kubelet.json"
        path.write_text(json.dumps(settings))
        labels = ",".join(f"{key}={value}" for key, value in self._labels.items())
        return [
            f"--config={path}",
            f"--kubeconfig={kubeconfig}",
            f"--hostname-override={self.name}",
            f"--node-ip={self.address}",
            *([f"--node-labels={labels}"] if labels else []),
        ]
