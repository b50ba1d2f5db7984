"""A whole Zabbix on loopback: PostgreSQL, the server and the frontend's API.

Everything is below ``base``, on free ports, without an init system. The same code runs the packages of this
machine (6.0 on Debian 12) and those in another root (7.0 from Debian 13).
"""

import os
import pwd
import random
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.exporter import free_port
from tests.support.zabbix.processes import Daemon, StackError

__all__ = ["PSK_IDENTITY", "Stack", "unavailable"]

PSK_IDENTITY = "node-observability"
_ADMIN = {"username": "Admin", "password": "zabbix"}

# One process of each kind. The server reads its configuration every second.
_SERVER = """
AllowRoot=1
LogType=console
PidFile=/mnt/server.pid
SocketDir=/mnt
ListenIP={listen}
ListenPort={port}
DBHost=127.0.0.1
DBPort={db_port}
DBName=postgres
DBUser=zabbix
CacheUpdateFrequency={reload_s}
HousekeepingFrequency=0
StartPollers=1
StartPollersUnreachable=1
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartTrappers=3
StartPreprocessors=1
StartDBSyncers=1
StartLLDProcessors=1
StartTimers=1
StartAlerters=1
StartEscalators=1
StartReportWriters=0
TrendCacheSize=4M
"""

_FRONTEND = """<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '127.0.0.1', 'PORT' => '{db_port}', 'DATABASE' => 'postgres',
  'USER' => 'zabbix', 'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'KEY_FILE' => '',
  'CERT_FILE' => '', 'CA_FILE' => '', 'VERIFY_HOST' => false, 'CIPHER_LIST' => '', 'VAULT' => '',
  'VAULT_URL' => '', 'VAULT_DB_PATH' => '', 'VAULT_TOKEN' => '', 'DOUBLE_IEEE754' => true];
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{port}';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""

# Only the data that every server needs: with the 300 templates, the server would need a whole second to read
# its configuration each second. Nothing refers to the rest; as a replica the database does not check that.
_TABLES = (
    *("config", "config_autoreg_tls", "expressions", "globalmacro", "graph_theme", "hstgrp"),
    *("module", "regexps", "role", "role_rule", "ugset", "ugset_group", "user_ugset", "users"),
    *("users_groups", "usrgrp"),
)
_IMPORT = """
{ zcat "$1"; zcat "$2" | awk -v tables="$3" '
    BEGIN { split(tables, names, " "); for (i in names) wanted[names[i]] = 1 }
    /^INSERT INTO [a-z_]+ [(]/ { keep = $3 in wanted }
    /^(START TRANSACTION|COMMIT);$/ { keep = 1 }
    keep'; } | psql -qX -v ON_ERROR_STOP=1 -o /dev/null
"""


def unavailable(root: Path = Path("/")) -> str:
    """Return what is missing to run a stack here, or an empty string."""
    if os.geteuid() != 0:
        return "mount namespaces need root"
    wanted = [
        root / "usr/sbin/zabbix_server",
        root / "usr/sbin/zabbix_agent2",
        root / "usr/share/zabbix-server-pgsql/schema.sql.gz",
        root / "usr/share/zabbix/api_jsonrpc.php",
        root / "usr/bin/php",
    ]
    missing = [str(path) for path in wanted if not path.exists()]
    if not _postgresql():
        missing.append("postgresql")
    return f"not installed: {', '.join(missing)}" if missing else ""


def _postgresql() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _server_port() -> int:
    """Return a free port up to 32767, the server's limit; the kernel would choose a higher one."""
    for _ in range(100):
        port = random.randrange(20000, 32768)  # noqa: S311 - not a secret
        if not _listens(port):
            return port
    raise StackError("no free port between 20000 and 32767")


def _listens(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


class Stack:
    """Database, server and API, which started in ``started_s``. ``psk`` is for its agents.

    The server listens on ``address`` and on loopback, the API on ``address`` only.
    """

    def __init__(
        self, base: Path, root: Path = Path("/"), *, reload_s: int = 1, address: str = "127.0.0.1"
    ) -> None:
        self.base = base
        self.root = root
        self.psk = secrets.token_hex(32)
        self.db_port, self.port, self.web_port = free_port(), _server_port(), free_port()
        self.url = f"http://{address}:{self.web_port}"
        self.started_s = 0.0
        self._token = ""
        self._reload_s = reload_s
        self._address = address
        self._listen = ",".join(dict.fromkeys(("127.0.0.1", address)))
        self._bin = _postgresql() or Path("/usr/bin")
        for name in ("server", "web"):
            (base / name).mkdir(parents=True)
        self._database = self._make_database()
        self.server = self._make_server()
        self._frontend = self._make_frontend()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.end()

    def start(self) -> None:
        """Create the database, start everything, and wait until the server listens and the API answers."""
        begun_s = time.monotonic()
        self._initialise()
        self.server.start()
        self._frontend.start()
        self._frontend.ready(lambda: _listens(self.web_port, self._address), "the API to listen")
        self.server.ready(lambda: _listens(self.port), "the server to listen")
        self.call("hostgroup.get", {"limit": 1})
        self.started_s = time.monotonic() - begun_s

    def end(self) -> None:
        """End everything."""
        for daemon in (self._frontend, self.server, self._database):
            daemon.kill()

    def restart_server(self) -> None:
        """Start the server after ``server.stop()``."""
        self.server.start()
        self.server.ready(lambda: _listens(self.port), "the server to listen")

    def stop_frontend(self) -> None:
        """Stop the API."""
        self._frontend.kill()

    def start_frontend(self) -> None:
        """Start the API after ``stop_frontend``."""
        self._frontend.start()
        self._frontend.ready(lambda: _listens(self.web_port, self._address), "the API to listen")

    def call(self, method: str, params: object) -> Any:  # noqa: ANN401 - JSON
        """Call the API as administrator, without the code under test; return the result."""
        if not self._token:
            self._token = str(self._post("user.login", _ADMIN))
        return self._post(method, params, self._token)

    def token(self, username: str = "Admin", name: str = "") -> str:
        """Return a new API token of a user."""
        (user,) = self.call("user.get", {"filter": {"username": username}, "output": ["userid"]})
        made = self.call(
            "token.create", {"name": name or secrets.token_hex(8), "userid": user["userid"]}
        )
        return str(self.call("token.generate", made["tokenids"])[0]["token"])

    def _post(self, method: str, params: object, token: str = "") -> Any:  # noqa: ANN401 - JSON
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        if token:
            body["auth"] = token
        reply = requests.post(f"{self.url}/api_jsonrpc.php", json=body, timeout=60).json()
        if "error" in reply:
            raise StackError(f"{method}: {reply['error']}")
        return reply["result"]

    def _unprivileged(self) -> tuple[str, ...]:
        """Return options for a user namespace: PostgreSQL refuses to run as root."""
        owner = pwd.getpwnam("postgres")
        return ("--user", f"--map-user={owner.pw_uid}", f"--map-group={owner.pw_gid}")

    def _make_database(self) -> Daemon:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.db_port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            # In its own directory, because files in /dev/shm outlive a killed database.
            "dynamic_shared_memory_type": "mmap",
        }
        options = [text for name in settings for text in ("-c", f"{name}={settings[name]}")]
        return Daemon(
            [str(self._bin / "postgres"), "-D", str(self.base / "db"), *options],
            self.base / "db.log",
            unshare=self._unprivileged(),
        )

    def _initialise(self) -> None:
        subprocess.run(
            [
                *("unshare", *self._unprivileged(), str(self._bin / "initdb")),
                *("-D", str(self.base / "db"), "-A", "trust", "-U", "zabbix"),
                *("-N", "--no-locale", "-E", "UTF8"),
            ],
            check=True,
            capture_output=True,
        )
        self._database.start()
        self._database.ready(lambda: _listens(self.db_port), "the database to listen")
        scripts = self.root / "usr/share/zabbix-server-pgsql"
        done = subprocess.run(
            [
                *("sh", "-euc", _IMPORT, "sh"),
                *(str(scripts / f"{name}.sql.gz") for name in ("schema", "data")),
                " ".join(_TABLES),
            ],
            env={
                **os.environ,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.db_port),
                "PGUSER": "zabbix",
                "PGDATABASE": "postgres",
                "PGOPTIONS": "-c session_replication_role=replica",
            },
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode or "ERROR" in done.stderr:
            raise StackError(f"the schema was not imported: {done.stderr[-1000:]}")

    def _make_server(self) -> Daemon:
        (self.base / "server/server.conf").write_text(
            _SERVER.format(
                port=self.port,
                db_port=self.db_port,
                reload_s=self._reload_s,
                listen=self._listen,
            )
        )
        return Daemon(
            ["/usr/sbin/zabbix_server", "-f", "-c", "/mnt/server.conf"],
            self.base / "server.log",
            root=self.root,
            mounts={self.base / "server": "/mnt"},
        )

    def _make_frontend(self) -> Daemon:
        text = _FRONTEND.replace("{db_port}", str(self.db_port)).replace("{port}", str(self.port))
        (self.base / "web/zabbix.conf.php").write_text(text)
        limits = {"memory_limit": "512M", "max_execution_time": "300", "post_max_size": "32M"}
        options = [text for name in limits for text in ("-d", f"{name}={limits[name]}")]
        return Daemon(
            [
                *("/usr/bin/php", *options, "-S", f"{self._address}:{self.web_port}"),
                *("-t", "/usr/share/zabbix"),
            ],
            self.base / "web.log",
            root=self.root,
            mounts={self.base / "web": "/etc/zabbix"},  # where Debian's frontend looks
            environment={"PHP_CLI_SERVER_WORKERS": "3"},
        )
