"""A small file system of its own for output or state: it can be full, and read-only."""

import subprocess
from pathlib import Path
from typing import Self

from tests.support.chaos.runs import end
from tests.support.tools import need, skip_outside_ci

_HOLD = 'mount -t tmpfs -o "size=$2" tmpfs "$1"; echo mounted; exec sleep 3600'


class Disk:
    """A tmpfs on ``directory``, in a mount namespace that lasts as long as this context.

    ``prefix`` runs a command in there; ``outside`` is a path that leads in there from here.
    """

    def __init__(self, directory: Path, size: str) -> None:
        self.directory = directory
        self._size = size
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        if subprocess.run((need("unshare"), "--mount", "true"), check=False).returncode:
            skip_outside_ci("no permission to make a mount namespace")
        self._holder = subprocess.Popen(
            (
                *(need("setpriv"), "--pdeathsig=KILL", "unshare", "--mount", "sh", "-euc", _HOLD),
                *("sh", str(self.directory), self._size),
            ),
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        with self._holder.stdout as stdout:
            assert stdout.readline() == b"mounted\n"
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._holder is not None:
            end(self._holder)

    @property
    def _pid(self) -> str:
        assert self._holder is not None
        return str(self._holder.pid)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command in there: the process stays the same one."""
        return (need("nsenter"), "--target", self._pid, "--mount", f"--wd={Path.cwd()}")

    def outside(self, path: Path) -> Path:
        """Return a path that leads to the file from here."""
        return Path(f"/proc/{self._pid}/root{path}")

    def remount(self, options: str) -> None:
        """Change the size or make it read-only."""
        command = (*self.prefix, "mount", "-o", f"remount,{options}", str(self.directory))
        subprocess.run(command, check=True)
