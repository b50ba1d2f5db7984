"""The image in a runc container, with the settings that the chart gives it on a node.

As under containerd the root file system is an overlay, so whatever the container changes in it is in
``changed``. The network is the host's, of which only the loopback address is used.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.exporter import free_port
from tests.support.servers import fetch
from tests.support.tools import need
from tests.support.waiting import wait_for
from tools.image_rootfs import Image

_DEADLINE_S = 30.0
_JOURNAL = "/host/var/log/journal"
_OUTPUT = "/var/log"
_STATE = "/var/lib/journal-exporter"
# The mount namespace takes the overlay with it, whatever way the test ends.
_ENTER = 'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"; shift 4; exec "$@"'


class Container:
    """One container; start it as a context manager. ``base/journal`` is the node's /var/log/journal."""

    def __init__(
        self,
        image: Image,
        base: Path,
        *,
        user: int = 0,
        groups: Sequence[int] = (),
        read_only: bool = True,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.journal, self.log, self.state = (base / name for name in ("journal", "log", "state"))
        self.port = free_port()
        self._upper, self._runtime = base / "upper", base / "runc"
        self._errors = base / "stderr"
        self._name = f"image-test-{os.getpid()}-{self.port}"
        self._image = image
        self._process: subprocess.Popen[bytes] | None = None
        for path in (self.log, self.state):
            path.mkdir()
            os.chown(path, user, user)
        mountpoint = base / "rootfs"
        for path in (mountpoint, self._upper, base / "work", self._runtime):
            path.mkdir()
        variables = [
            *image.environment,
            f"JOURNAL_EXPORTER_METRICS_ADDRESS=127.0.0.1:{self.port}",
            "JOURNAL_EXPORTER_START=head",
            "JOURNAL_EXPORTER_MAX_PRIORITY=debug",
            "JOURNAL_EXPORTER_EXCLUDE_FACILITY=none",
            *(f"{name}={value}" for name, value in (environment or {}).items()),
        ]
        specification = {
            "ociVersion": "1.0.2",
            "root": {"path": str(mountpoint), "readonly": read_only},
            "process": {
                "user": {"uid": user, "gid": user, "additionalGids": list(groups)},
                "args": list(arguments) or image.process,
                "env": variables,
                "cwd": image.config["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "mounts": [
                _mount("/proc", "proc", "proc"),
                _mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "size=64k"),
                _mount(_JOURNAL, "bind", str(self.journal), "rbind", "ro"),
                _mount(_OUTPUT, "bind", str(self.log), "rbind", "rw"),
                _mount(_STATE, "bind", str(self.state), "rbind", "rw"),
            ],
            "linux": {
                "namespaces": [{"type": name} for name in ("pid", "ipc", "uts", "mount")],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            },
        }
        (base / "config.json").write_text(json.dumps(specification))
        overlay = (image.rootfs, self._upper, base / "work", mountpoint)
        self._runc = (need("runc"), "--root", str(self._runtime))
        self._command = [
            *(need("unshare"), "--mount", "--propagation=private", "sh", "-euc", _ENTER, "sh"),
            *map(str, overlay),
            *(*self._runc, "run", "--no-new-keyring", "--bundle", str(base), self._name),
        ]

    def __enter__(self) -> Self:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(self._command, stdout=errors, stderr=errors)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None and self._process.poll() is None:
            subprocess.run([*self._runc, "delete", "--force", self._name], check=False)
            self._process.wait(_DEADLINE_S)

    def wait(self) -> int:
        """Return the exit code of the process in the container, when it has ended."""
        assert self._process is not None
        return self._process.wait(_DEADLINE_S)

    def stop(self) -> tuple[int, float]:
        """End it as a node would; return the exit code and the seconds it took."""
        begun_s = time.monotonic()
        stop_signal = self._image.config["StopSignal"].removeprefix("SIG")
        subprocess.run([*self._runc, "kill", self._name, stop_signal], check=True)
        return self.wait(), time.monotonic() - begun_s

    def execute(self, *command: str) -> str:
        """Run a command beside the exporter; return what it prints."""
        done = subprocess.run(
            [*self._runc, "exec", self._name, *command], check=False, capture_output=True, text=True
        )
        assert not done.returncode, done.stderr
        return done.stdout

    def process_ids(self) -> list[int]:
        """Return the processes of the container, as the host numbers them."""
        done = subprocess.run(
            [*self._runc, "state", self._name], check=True, capture_output=True, text=True
        )
        first = int(json.loads(done.stdout)["pid"])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def changed(self) -> list[str]:
        """Return the files that differ from the image; runc itself makes directories for mounts."""
        own = {"proc", "dev", *Path(_JOURNAL[1:]).parents, Path(_JOURNAL[1:])}
        paths = (path.relative_to(self._upper) for path in self._upper.rglob("*"))
        return sorted(str(path) for path in paths if path not in own)

    def log_text(self) -> str:
        """Return what the container said."""
        return self._errors.read_text()

    def lines(self) -> list[bytes]:
        """Return the lines of the output."""
        output = self.log / "messages"
        return output.read_bytes().splitlines() if output.exists() else []

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body; status 0 while nothing answers."""
        return fetch(self.port, path)

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        """Return when it has happened; fail when it does not, or the container ends first."""
        assert self._process is not None
        wait_for(happened, what, evidence=self.log_text, process=self._process)


StartContainer = Callable[..., Container]
"""Starts a container that ends with the test; takes the arguments of ``Container`` by name."""


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}
