"""A node: containerd and kubelet in namespaces for mounts and network, with directories of its own.

To its programs the node's /var/log, /run and /var/lib are theirs alone, and its network
has an address on the bridge of the control plane. So two nodes on this machine don't meet but by the network.
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
from tests.cluster.processes import BIN, Program, base, cgroup, logs, run
from tests.support.waiting import wait_for

__all__ = ["Node"]

# Directories that every machine has, so that none is made on it. /srv is a disk of the node's, as /local is
# on Bottlerocket: the template leaves out / and /var, which are parts of others there.
_OWN = ("var/log", "run", "var/lib", "srv")
_SYSTEMS = ("containerd", "kubelet", "cni", "journal", "pods", "containers")
_SOCKET = "/run/containerd/containerd.sock"

# The kubelet would set these for the whole machine; it leaves them alone where they are as it wants them.
_KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

# Mounts must be shared for what kubelet passes on to containers, and reach nobody outside.
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
  # A machine that is itself a sandbox may not let anybody lower it (CAP_SYS_RESOURCE).
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def _pids(procs: Path) -> list[int]:
    """Return the processes of a cgroup; none when it has gone."""
    try:
        return [int(pid) for pid in procs.read_text().split()]
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise
        return []


class Node:
    """One node; start it as a context manager. ``number`` makes its addresses, from 1."""

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
                *(
                    "unshare",
                    "--mount",
                    "--net",
                    "--propagation=private",
                    "sh",
                    "-euc",
                    _ENTER,
                    "sh",
                ),
                *(self.root, " ".join(_OWN), " ".join(_KERNEL)),
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
        """Make the namespaces, start containerd and then the kubelet."""
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
        """Give containerd images."""
        for archive in archives:
            self.run(
                "ctr",
                "--address",
                _SOCKET,
                "--namespace",
                "k8s.io",
                "images",
                "import",
                archive.path,
            )

    def join(self) -> float:
        """Start the kubelet; return the seconds until the node is ready."""
        self.kubelet.start()
        return self.kubelet.ready(self.is_ready, "to be a ready node", 90)

    def is_ready(self) -> bool:
        """Whether the API has it so."""
        path = f"/api/v1/nodes/{self.name}"
        return self._plane.api.exists(path) and is_ready(self._plane.api.get(path))

    def run(self, *command: str | Path) -> str:
        """Run a command on the node; return what it printed."""
        return run(*self._inside(), *command)

    def containers(self) -> dict[str, int]:
        """Return the process ids of containers by the names of their pods' containers."""
        ids = self.run(
            "ctr", "--address", _SOCKET, "--namespace", "k8s.io", "tasks", "list"
        ).splitlines()
        found = {}
        for line in ids[1:]:
            identity, pid, status = line.split()
            if status == "RUNNING":
                told = self.run(
                    *(
                        "ctr",
                        "--address",
                        _SOCKET,
                        "--namespace",
                        "k8s.io",
                        "containers",
                        "info",
                        identity,
                    )
                )
                labels: dict[str, Any] = json.loads(told)["Labels"]
                if name := labels.get("io.kubernetes.container.name"):
                    found[name] = int(pid)
        return found

    def files(self) -> set[str]:
        """Return what others than container runtime, kubelet and journald keep in the node's directories."""
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
        """End containers, programs and namespaces; another node of this name finds nothing of it."""
        self.kubelet.stop()
        self._end_containers()
        self.containerd.stop()
        self._holder.stop(signal.SIGKILL)
        # The kernel does it too, but when it comes to it: another node of this name may be there before.
        run("ip", "link", "delete", self._interface, codes=(0, 1))
        if (self.logs / "pods").exists():
            shutil.copytree(self.logs / "pods", logs() / f"{self.name}-pods", dirs_exist_ok=True)
        shutil.rmtree(self.root)

    def _end_containers(self) -> None:
        """Kill what runs in the node's cgroup: shims end when their container has."""
        top = self._top()

        def members() -> list[int]:
            found = []
            for directory, _, files in os.walk(top):  # which passes over those that go meanwhile
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
        """Return the node's cgroup, below one of the controllers where each has its own."""
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
        network = {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "ptp",
                    "ipam": {
                        "type": "host-local",
                        "subnet": self._pods,
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                }
            ],
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
                own.mkdir(exist_ok=True)  # of a node that was here before
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
            # The machine's disk is not the node's to watch.
            "evictionHard": {
                "memory.available": "0%",
                "nodefs.available": "0%",
                "imagefs.available": "0%",
            },
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
