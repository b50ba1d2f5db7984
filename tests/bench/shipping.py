"""Fluent Bit as the chart configures it: what it takes at steady rates, and while its output is away.

Left out: the kubernetes filter, which asks a cluster's API, and TLS to the output.
"""

import contextlib
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from tests.bench import report
from tests.bench.processes import Program
from tests.support.chart.programs import fluent_bit
from tests.support.exporter import free_port
from tests.support.servers import Handler, serving

__all__ = ["LineWriter", "run"]

_RATES_PER_S = (0, 1_000, 10_000)
_SETTLED_S = 5.0
_MEASURED_S = 20.0
_AWAY_S = 120.0  # until 64 chunks of 2 MB have come together
_TICK_S = 0.1
_MESSAGE = b"x" * 150
_VALUES = """
fluentBit:
  common:
    kubernetesMetadata: false
    output: {preset: http}
    variables: {NODEOBS_HTTP_HOST: 127.0.0.1}
"""


class _Taker(Handler):
    """An output that takes everything."""

    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        """Read it and answer that all is well."""
        self.body()
        self.answer()


class LineWriter:
    """Appends lines at a rate, from a thread; a context manager. ``written`` counts them."""

    def __init__(self, path: Path, line: bytes, rate_per_s: int) -> None:
        self.written = 0
        self._path, self._line, self._rate_per_s = path, line, rate_per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        started_s = time.monotonic()
        with self._path.open("ab", buffering=0) as file:
            while not self._stop.wait(_TICK_S):
                due = int(self._rate_per_s * (time.monotonic() - started_s))
                file.write(self._line * (due - self.written))
                self.written = due


def _measure(name: str, rate_per_s: int, *, away: bool) -> tuple[str, str, str]:
    lasts_s = _AWAY_S if away else _MEASURED_S
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        (directory / "logs").mkdir()
        (directory / "state").mkdir()
        values = directory / "values.yaml"
        values.write_text(_VALUES)
        stamp = (
            b"2026-11-04T22:13:20.123456789Z stdout F "
            if name == "cri"
            else b'{"stream":"stdout","time":"2026-11-04T22:13:20.123456789Z","log":"'
        )
        line = stamp + _MESSAGE + (b"\n" if name == "cri" else b'\\n"}\n')
        port = free_port()
        command, environment = fluent_bit(
            *(values, name, directory),
            NODEOBS_CONTAINER_LOGS=f"{directory}/logs/*.log",
            NODEOBS_HTTP_PORT=str(free_port()),
            NODEOBS_HTTP_LISTEN="127.0.0.1",
            NODEOBS_HTTP_TO_PORT=str(port),
            NODEOBS_HTTP_TLS="off",
        )
        (directory / "logs" / "pod_ns_app-0.log").touch()
        output = contextlib.nullcontext() if away else serving(_Taker, ("127.0.0.1", port))
        with (
            output,
            Program(command, output=directory / "out", environment=environment) as program,
            LineWriter(directory / "logs" / "pod_ns_app-0.log", line, rate_per_s),
        ):
            time.sleep(_SETTLED_S)
            cpu_s, started_s = program.cpu_s(), time.monotonic()
            pss_kib = 0
            while time.monotonic() - started_s < lasts_s:
                time.sleep(1)
                pss_kib = max(pss_kib, program.memory().pss_kib)
            percent = 100 * (program.cpu_s() - cpu_s) / (time.monotonic() - started_s)
            peak_kib = program.memory().peak_rss_kib
    return f"{percent:.1f}", f"{pss_kib / 1024:.0f}", f"{peak_kib / 1024:.0f}"


def run() -> None:
    """Measure both DaemonSets' configurations at each rate, and CRI with the output away."""
    if shutil.which("fluent-bit") is None:
        report.say("left out: no fluent-bit on the PATH")
        return
    rows = [
        (f"{name}, {rate:,} lines/s", *_measure(name, rate, away=False))
        for name in ("cri", "docker")
        for rate in _RATES_PER_S
    ]
    rate = _RATES_PER_S[-1]
    rows.append((f"cri, {rate:,} lines/s, output away", *_measure("cri", rate, away=True)))
    report.say(f"lines of {len(_MESSAGE)} bytes, {_MEASURED_S:.0f} s each, {_AWAY_S:.0f} s away:")
    report.table(("", "CPU % of one core", "peak PSS MiB", "peak RSS MiB"), rows)
