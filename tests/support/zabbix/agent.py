"""The agent of a node, in mount namespaces of its own."""

import contextlib
import dataclasses
import os
import shutil
import sqlite3
import tempfile
import weakref
from pathlib import Path
from typing import Self

from tests.support.zabbix.processes import Daemon
from tests.support.zabbix.stack import PSK_IDENTITY, Stack

__all__ = ["Agent", "AgentSettings"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """The settings of the chart that tests change."""

    metadata: str
    buffer_size: int = 65535
    persistent_buffer: bool = True
    server_port: int = 0  # 0 is the server's own
    extra: str = ""


class Agent:
    """agent2 as it runs in the pod: user 1997, no capabilities, active checks only.

    It sees ``logs`` at /var/log, and the node's root file system at /mnt/root, with another one mounted at
    /local in it.
    """

    def __init__(
        self,
        stack: Stack,
        base: Path,
        hostname: str,
        logs: Path,
        settings: AgentSettings,
        root: Path | None = None,
    ) -> None:
        self.hostname = hostname
        own = base / "etc"
        local = base / "local"
        # In memory: agent2 syncs each value to disk, and discards lines of log items at its start anyway.
        self.buffer = Path(tempfile.mkdtemp(prefix="agent2-", dir="/dev/shm"))
        weakref.finalize(self, shutil.rmtree, self.buffer, ignore_errors=True)
        for path in (own, base / "tmp", logs, local, base / "host/root/local"):
            path.mkdir(parents=True, exist_ok=True)
        (own / "psk").write_text(stack.psk)
        lines = [
            "LogType=console",
            "PidFile=/tmp/agent.pid",
            "ControlSocket=/tmp/agent.sock",
            f"ServerActive=127.0.0.1:{settings.server_port or stack.port}",
            f"Hostname={hostname}",
            f"HostMetadata={settings.metadata}",
            "RefreshActiveChecks=60",
            "BufferSend=1",
            "Timeout=20",
            f"BufferSize={settings.buffer_size}",
            "TLSConnect=psk",
            f"TLSPSKIdentity={PSK_IDENTITY}",
            "TLSPSKFile=/etc/zabbix/psk",
            settings.extra,
        ]
        if settings.persistent_buffer:
            lines += ["EnablePersistentBuffer=1", "PersistentBufferPeriod=3h"]
            lines += ["PersistentBufferFile=/var/lib/zabbix/agent2.db"]
        (own / "agent2.conf").write_text("\n".join(lines) + "\n")
        for path in (own / "psk", self.buffer, base / "tmp"):
            os.chown(path, 1997, 1995)
        self.daemon = Daemon(
            [
                *("setpriv", "--reuid=1997", "--regid=1995", "--clear-groups", "--no-new-privs"),
                *("--inh-caps=-all", "--bounding-set=-all", "--pdeathsig=KILL"),
                *("/usr/sbin/zabbix_agent2", "-f", "-c", "/etc/zabbix/agent2.conf"),
            ],
            base / "agent.log",
            root=root or stack.root,
            mounts={
                base / "host": "/mnt",
                local: "/mnt/root/local",
                logs: "/var/log",
                own: "/etc/zabbix",
                self.buffer: "/var/lib/zabbix",
                base / "tmp": "/tmp",  # noqa: S108 - in its own mount namespace
            },
        )

    def unsent(self) -> list[str]:
        """Return the lines in the persistent buffer, which no server has acknowledged."""
        # From a copy: the agent exits if it finds its database locked.
        with tempfile.TemporaryDirectory() as name:
            copy = Path(name) / "agent2.db"
            shutil.copytree(self.buffer, copy.parent, dirs_exist_ok=True)
            with contextlib.closing(sqlite3.connect(copy)) as database:
                tables = database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'log_%'"
                )
                queries = [f"SELECT value FROM {table}" for (table,) in tables]  # noqa: S608
                return [value for query in queries for (value,) in database.execute(query)]

    def __enter__(self) -> Self:
        self.daemon.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.daemon.kill()
