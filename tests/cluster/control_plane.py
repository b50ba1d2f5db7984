"""etcd, API server, controller manager and scheduler, as kubeadm starts them, in the network of ``enter``.

Without kube-proxy: the only Service that nodes and pods use, ``kubernetes``, has its address on the bridge,
where the API server listens. Without a cluster DNS: ``names`` answers what pods look up.
"""

import os
import shutil
from collections.abc import Collection
from typing import Self

from tests.cluster.api import Api
from tests.cluster.names import NameServer
from tests.cluster.processes import BIN, ClusterError, Program, base, run
from tests.support.certificates import Authority

__all__ = ["BRIDGE", "HOST", "SERVER", "ControlPlane"]

# Networks for documentation and benchmarks (RFC 5737, RFC 2544), which no machine uses.
BRIDGE = "cluster"
HOST = "192.0.2.1"
SERVER = f"https://{HOST}:443"
_SERVICES = "198.19.0.0/24"
_SERVICE = "198.19.0.1"
_START_S = 240
"""It takes 7 s on an idle machine, and more than a minute next to a build."""


class ControlPlane:
    """A context manager; one at a time, each with an empty database."""

    def __init__(self) -> None:
        self._directory = base() / "control-plane"
        self.authority = Authority(self._directory / "pki")
        self.kubeconfig = self.authority.kubeconfig(SERVER, "admin", "system:masters")
        files = (self.kubeconfig.with_suffix(".crt"), self.kubeconfig.with_suffix(".key"))
        self.api = Api(SERVER, self.authority.certificate, files)
        self.started_s: dict[str, float] = {}
        self._names = NameServer(HOST, {"kubernetes.default.svc": _SERVICE})
        self._programs: list[Program] = []

    def __enter__(self) -> Self:
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        for address in (f"{HOST}/24", f"{_SERVICE}/32"):
            run("ip", "address", "add", address, "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        self._names.start()
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        for program in reversed(self._programs):
            program.stop()
        self._names.stop()
        run("ip", "link", "delete", BRIDGE)
        shutil.rmtree(self._directory)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl; return what it printed."""
        return self.command("kubectl", *arguments)

    def restart(self, name: str) -> None:
        """Stop one of its programs and start it again, without waiting for it."""
        (program,) = [program for program in self._programs if program.name == name]
        program.stop()
        program.start()

    def environment(self) -> dict[str, str]:
        """Return the environment in which ``kubectl`` and ``helm`` use this cluster."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self._directory / "kube-cache"),
            "PATH": path,
        }

    def command(self, *words: str, codes: Collection[int] = (0,)) -> str:
        """Run a command in that environment; return what it printed.

        Raises:
            ClusterError: it ended with another exit code.
        """
        return run(*words, environment=self.environment(), codes=codes)

    def evidence(self) -> str:
        """Return nodes, pods, events and the ends of the logs, for a failure."""
        texts = []
        for words in (
            ("get", "nodes,pods,daemonsets", "--all-namespaces", "--output", "wide"),
            ("get", "events", "--all-namespaces", "--sort-by", ".lastTimestamp"),
        ):
            try:
                texts.append(self.kubectl(*words)[-6000:])
            except ClusterError as error:
                texts.append(str(error))
        return "\n".join([*texts, *(program.tail()[-1500:] for program in self._programs)])

    def _start_all(self) -> None:
        self._start(
            "etcd",
            *("--data-dir", str(self._directory / "etcd"), "--log-level", "warn"),
            # It need not survive a power cut.
            "--unsafe-no-fsync",
        )
        api_server = self._start("kube-apiserver", *self._api_server_flags())
        self._ready(api_server, "/readyz")
        manager = self.authority.kubeconfig(SERVER, "system:kube-controller-manager")
        pki = self.authority.directory
        controllers = self._start(
            "kube-controller-manager",
            *(f"--kubeconfig={manager}", f"--authentication-kubeconfig={manager}"),
            f"--authorization-kubeconfig={manager}",
            f"--root-ca-file={self.authority.certificate}",
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            *("--use-service-account-credentials=true", "--leader-elect=false"),
            # A node that is silent for a minute is only slow here: the fleet shares two cores.
            "--node-monitor-grace-period=300s",
            # The pods of a thousand nodes are created as fast as the machine can.
            *("--kube-api-qps=500", "--kube-api-burst=1000", "--concurrent-daemonset-syncs=4"),
        )
        scheduler = self.authority.kubeconfig(SERVER, "system:kube-scheduler")
        self._start(
            "kube-scheduler",
            *(f"--kubeconfig={scheduler}", f"--authentication-kubeconfig={scheduler}"),
            *(f"--authorization-kubeconfig={scheduler}", "--leader-elect=false"),
            *("--kube-api-qps=500", "--kube-api-burst=1000"),
        )
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self.started_s["kube-controller-manager"] = controllers.ready(
            lambda: self.api.exists(account), "to make service accounts", _START_S
        )

    def _api_server_flags(self) -> list[str]:
        names = [f"DNS:kubernetes.default.svc{domain}" for domain in ("", ".cluster.local")]
        names += ["DNS:kubernetes", "DNS:localhost", f"IP:{HOST}", f"IP:{_SERVICE}", "IP:127.0.0.1"]
        serving, serving_key = self.authority.issue("kube-apiserver", *names)
        client, client_key = self.authority.issue(
            "kube-apiserver-kubelet-client", group="system:masters"
        )
        accounts, accounts_key = self.authority.issue("service-accounts")
        return [
            "--etcd-servers=http://127.0.0.1:2379",
            *("--secure-port=443", f"--advertise-address={HOST}"),
            f"--service-cluster-ip-range={_SERVICES}",
            *(f"--tls-cert-file={serving}", f"--tls-private-key-file={serving_key}"),
            f"--client-ca-file={self.authority.certificate}",
            f"--requestheader-client-ca-file={self.authority.certificate}",
            "--requestheader-allowed-names=front-proxy-client",
            f"--kubelet-certificate-authority={self.authority.certificate}",
            *(f"--kubelet-client-certificate={client}", f"--kubelet-client-key={client_key}"),
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            # A thousand nodes send requests at once.
            *("--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000"),
        ]

    def _start(self, name: str, *flags: str) -> Program:
        program = Program(name, [BIN / name, *flags])
        self._programs.append(program)
        program.start()
        return program

    def _ready(self, program: Program, path: str) -> None:
        self.started_s[program.name] = program.ready(
            lambda: self.api.answers(path), f"to answer {path}", _START_S
        )
