"""A real systemd-journald for tests and benches, beside the machine's own and without an init.

The daemon runs in a mount namespace of its own, in which the /etc, /run and /var/log it sees are
directories below `Journald.root`. So its journals are root/var/log/journal/<machine id> and
root/run/log/journal/<machine id>, for a reader outside as well, and any number of daemons can
run at a time. If root/boot_id exists, the daemon sees it as the kernel's boot id. The mounts
end with the process, and the process ends with this one.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Literal, Self

from tests.support.sockets import bound, connected, is_ready, send_entry
from tests.support.waiting import WaitError, wait_for
from tools.journal_writer import BOTTLEROCKET, encode_field

_PATH = os.pathsep.join(("/usr/lib/systemd", "/lib/systemd", "/usr/sbin:/usr/bin:/sbin:/bin"))
_DEADLINE_S = 20.0
_SYNC_SIGNAL = signal.SIGRTMIN + 1

# With Audit=no, journald would turn the audit off for the whole machine.
_SETTINGS = """[Journal]
Storage={storage}
SplitMode={split_mode}
Compress={compress}
Seal=no
RateLimitIntervalSec=0
RateLimitBurst=0
ReadKMsg=no
Audit=
SystemKeepFree=0
RuntimeKeepFree=0
"""

# /etc comes last, as it is where mount(8) looks for its configuration. The network namespace
# keeps the messages of the kernel's audit out. A daemon that outlives a killed test run would
# stay for ever, hence setpriv.
_ENTER = """
mount --no-mtab --bind "$1/var/log" /var/log
mount --no-mtab --bind "$1/run" /run
[ ! -e "$1/boot_id" ] || mount --no-mtab --bind "$1/boot_id" /proc/sys/kernel/random/boot_id
mount --no-mtab --bind "$1/etc" /etc
shift
exec "$@"
"""
_UNSHARE = ("unshare", "--mount", "--net", "--propagation=private", "sh", "-euc", _ENTER, "sh")


class JournaldError(RuntimeError):
    """journald did not do what was requested."""


def unavailable() -> str:
    """Return why no `Journald` can run here, for a skip mark, or an empty string."""
    if shutil.which("systemd-journald", path=_PATH) is None:
        return "systemd-journald is not installed"
    command = ("unshare", "--mount", "--net", "true")
    if subprocess.run(command, check=False, capture_output=True).returncode:
        return "no permission to make a mount namespace"
    return ""


class Journald:
    """One daemon; start it with `start` or as a context manager.

    `storage="persistent"` writes to /var from the start. "auto" begins in /run like a booting
    host, and `flush` moves to /var; its root/run/log is a link into /dev/shm that ends with this
    object. The sizes are journald's, such as "24M". `environment` defaults to Bottlerocket's,
    without which (`{}`) the files have today's format. A daemon started from the main thread
    does not survive a killed test run. Fields such as _SYSTEMD_UNIT are journald's to set.
    """

    def __init__(
        self,
        root: Path,
        *,
        storage: Literal["persistent", "auto", "volatile"] = "persistent",
        max_use: str | None = None,
        max_file_size: str | None = None,
        split_mode: str = "none",
        compress: bool = False,
        environment: Mapping[str, str] = BOTTLEROCKET,
    ) -> None:
        self.root = root.resolve()
        self._environment = dict(environment)
        self._storage = storage
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._log: IO[bytes] | None = None
        for directory in ("etc/systemd", "run/systemd/journal", "var/log/journal"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        identity = self.root / "etc/machine-id"
        if not identity.exists():
            identity.write_text(f"{uuid.uuid4().hex}\n")
        self.machine_id = identity.read_text().strip()
        self.persistent = self.root / "var/log/journal" / self.machine_id
        self.runtime = self.root / "run/log/journal" / self.machine_id
        self._state = self.root / "run/systemd/journal"
        if storage == "persistent":
            (self._state / "flushed").touch()
        else:
            (self._state / "flushed").unlink(missing_ok=True)
            self._use_memory(self.root / "run/log")
        settings = _SETTINGS.format(storage=storage, split_mode=split_mode, compress=compress)
        for name, limit in (("MaxUse", max_use), ("MaxFileSize", max_file_size)):
            if limit is not None:
                settings += f"System{name}={limit}\nRuntime{name}={limit}\n"
        (self.root / "etc/systemd/journald.conf").write_text(settings)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        if self._process is None:
            raise JournaldError("journald is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the daemon, again too, and wait until it takes messages."""
        if self._process is not None:
            raise JournaldError("journald is running already")
        daemon = shutil.which("systemd-journald", path=_PATH) or "systemd-journald"
        for path in self._state.iterdir():
            if path.is_socket():
                path.unlink()
        self._log = (self.root / "journald.log").open("ab")
        with bound(self.root / "run", "notify") as ready:
            self._process = subprocess.Popen(
                [*_UNSHARE, str(self.root), *_die_with_us(), daemon],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env={
                    "PATH": _PATH,
                    "NOTIFY_SOCKET": "/run/notify",
                    "SYSTEMD_LOG_TARGET": "console",
                    **self._environment,
                },
            )
            self._wait("it was ready", lambda: is_ready(ready))
        self._socket = connected(self._state, "socket", _DEADLINE_S)

    def stop(self) -> None:
        """Let the daemon write what it was sent, and end it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the daemon as a crash would: its journals stay as they are."""
        self._end(signal.SIGKILL)

    def send(self, message: bytes, **fields: bytes | str | int) -> None:
        """Log a message through the native protocol; any bytes and any size will do."""
        self.send_many([message], **fields)

    def send_many(self, messages: Iterable[bytes], **fields: bytes | str | int) -> int:
        """Log messages with the same other fields, as fast as journald takes them."""
        if self._socket is None:
            raise JournaldError("journald is not running")
        others = b"".join(
            encode_field(name, value if isinstance(value, bytes) else str(value).encode())
            for name, value in fields.items()
        )
        sent = 0
        for sent, message in enumerate(messages, 1):  # noqa: B007 - it is returned
            send_entry(self._socket, encode_field("MESSAGE", message) + others)
        return sent

    def send_fields(self, fields: Iterable[tuple[str, bytes]], uid: int | None = None) -> None:
        """Log one entry with its fields in this order, which is the order in which they are stored.

        With a ``uid`` the message is that user's.
        """
        if self._socket is None:
            raise JournaldError("journald is not running")
        entry = b"".join(encode_field(name, value) for name, value in fields)
        send_entry(self._socket, entry, uid)

    def sync(self) -> None:
        """Return when everything sent so far is in the files and on disk."""
        self._command(_SYNC_SIGNAL, "synced")

    def rotate(self) -> None:
        """Archive the current files, and delete old ones as the limits say."""
        self._command(signal.SIGUSR2, "rotated")

    def flush(self) -> None:
        """Move what is in /run to /var, which is where journald writes from then on."""
        if self._storage == "volatile":
            raise JournaldError("a volatile journal stays in /run")
        files = (self._state / "flushed", self.persistent / "system.journal")
        os.kill(self.pid, signal.SIGUSR1)
        self.sync()  # which journald does later
        self._wait("the flushed files", lambda: all(path.exists() for path in files))

    def _use_memory(self, directory: Path) -> None:
        """Put a directory in a tmpfs: from a disk, journald refuses to remove what it flushed."""
        if directory.exists():
            return  # an earlier object's, which must still be there
        memory = tempfile.mkdtemp(prefix="journald-", dir="/dev/shm")
        weakref.finalize(self, shutil.rmtree, memory, ignore_errors=True)
        directory.unlink(missing_ok=True)
        directory.symlink_to(memory)

    def _command(self, number: int, evidence: str) -> None:
        """Send a signal and wait for the file in which journald notes when it obeyed."""
        path = self._state / evidence
        path.unlink(missing_ok=True)
        os.kill(self.pid, number)
        self._wait(f"it wrote {path}", path.exists)

    def _wait(self, what: str, happened: Callable[[], bool]) -> None:
        log = self.root / "journald.log"
        try:
            wait_for(
                happened,
                what,
                _DEADLINE_S,
                every_s=0.002,
                evidence=lambda: log.read_text(errors="replace")[-2000:],
                process=self._process,
            )
        except WaitError:
            self._end(signal.SIGKILL)
            raise

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for resource in (self._socket, self._log):
            if resource is not None:
                resource.close()
        self._process = self._socket = self._log = None


def _die_with_us() -> tuple[str, ...]:
    """Return the wrapper for it; to the kernel "us" is the thread that starts the process."""
    if threading.current_thread() is threading.main_thread():
        return ("setpriv", "--pdeathsig=KILL")
    return ()
