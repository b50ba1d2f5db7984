"""Zabbix agent2 as the chart configures it: what it takes with a log.

The server is a stand-in that speaks the protocol of active checks and counts the lines it is sent
(https://www.zabbix.com/documentation/6.0/en/manual/appendix/items/activepassive).
"""

import contextlib
import dataclasses
import json
import shutil
import socketserver
import struct
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.processes import Program
from tests.bench.shipping import LineWriter
from tests.support.chart.programs import agent_file
from tests.support.exporter import free_port
from tests.support.servers import running
from tests.support.tools import need

__all__ = ["run"]

_HEADER = struct.Struct("<4sBII")
_COMPRESSED = 2
_SETTLED_S = 8.0
_MEASURED_S = 20.0
_MESSAGE = "x" * 150
_ITEMS = (
    *("agent.ping", "system.cpu.util", "system.cpu.load", "vm.memory.size[available]"),
    *("system.uptime", "vfs.fs.discovery", "net.if.discovery", "system.swap.size[,free]"),
)


@dataclasses.dataclass
class _Server:
    """The items that the agent gets, and the values that it sent."""

    log: str
    lines: Counter[str] = dataclasses.field(default_factory=Counter)
    errors: Counter[str] = dataclasses.field(default_factory=Counter)
    position: dict[str, int] = dataclasses.field(
        default_factory=lambda: {"lastlogsize": 0, "mtime": 0}
    )
    """Where the log's last value was; an agent that starts continues there."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["request"] == "active checks":
            keys = [
                (f"logrt[{self.log},,,500,all,,,rotate]", "1"),
                *((key, "60") for key in _ITEMS),
            ]
            data = [
                {
                    "key": key,
                    "key_orig": key,
                    "itemid": number,
                    "delay": delay,
                    **(self.position if number == 1 else {"lastlogsize": 0, "mtime": 0}),
                }
                for number, (key, delay) in enumerate(keys, 1)
            ]
            return {"response": "success", "config_revision": 1, "data": data}
        for value in request.get("data", []):
            if value["itemid"] != 1:
                continue
            if value.get("state"):
                self.errors[str(value.get("value"))] += 1
            elif "value" in value:
                self.lines[value["value"].split()[0]] += 1
                self.position = {key: value[key] for key in self.position}
        return {
            "response": "success",
            "info": "processed: 1; failed: 0; total: 1; seconds spent: 0",
        }


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, server: _Server) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stand_in = server


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            header = self.rfile.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return
            _, flags, size, _ = _HEADER.unpack(header)
            body = self.rfile.read(size)
            if flags & _COMPRESSED:
                body = zlib.decompress(body)
            assert isinstance(self.server, _Listener)
            reply = json.dumps(self.server.stand_in.answer(json.loads(body))).encode()
            self.wfile.write(_HEADER.pack(b"ZBXD", 1, len(reply), 0) + reply)


def _configuration(directory: Path, port: int, buffer: Path) -> Path:
    values = directory / "values.yaml"
    values.write_text(f"zabbix: {{server: {{address: 127.0.0.1, port: {port}}}}}")
    path = agent_file(values, directory)
    text = path.read_text().replace(f"{directory}/agent2.db", f"{buffer}/agent2.db")
    # Debian's file of plugins aside, nothing else of the pod's is needed.
    path.write_text(text)
    return path


def _measure(rate_per_s: int) -> tuple[str, str, str]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/dev/shm") as temporary:
        directory = Path(temporary)
        port = free_port()
        log = directory / "messages"
        log.touch()
        server = _Server(f'"{directory}/^messages([.][1-9])?$"')
        line = f"2026-11-04T22:13:20.123456+00:00 node app[1]: {_MESSAGE}\n".encode()
        with (
            running(_Listener(port, server)),
            Program(
                [need("zabbix_agent2"), "-f", "-c", _configuration(directory, port, directory)],
                output=directory / "log",
                environment={"NODE_NAME": "n"},
            ) as program,
            LineWriter(log, line, rate_per_s),
        ):
            time.sleep(_SETTLED_S)
            cpu_s, started_s = program.cpu_s(), time.monotonic()
            pss_kib = 0
            while time.monotonic() - started_s < _MEASURED_S:
                time.sleep(1)
                pss_kib = max(pss_kib, program.memory().pss_kib)
            percent = 100 * (program.cpu_s() - cpu_s) / (time.monotonic() - started_s)
            peak_kib = program.memory().peak_rss_kib
        assert not rate_per_s or server.lines, (directory / "log").read_text()[-2000:]
    return f"{percent:.1f}", f"{pss_kib / 1024:.0f}", f"{peak_kib / 1024:.0f}"


def run() -> None:
    """Measure at each rate."""
    if shutil.which("zabbix_agent2") is None:
        report.say("left out: no zabbix_agent2; run: apt-get install zabbix-agent2")
        return
    rows = [(f"{rate:,} lines/s", *_measure(rate)) for rate in (0, 20, 200, 1_000)]
    report.say(f"lines of {len(_MESSAGE) + 46} bytes, {_MEASURED_S:.0f} s each:")
    report.table(("", "CPU % of one core", "peak PSS MiB", "peak RSS MiB"), rows)
