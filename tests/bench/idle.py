"""Idle: what an exporter takes while the journal is silent."""

import sys
import tempfile
import time
from pathlib import Path

from tests.bench import report
from tests.bench.exporters import Exporter
from tests.support.journald import Journald, unavailable

__all__ = ["run"]

_SETTLED_S = 6.0
_IDLE_S = 30.0
_SCRAPE_S = 5.0
_CPU_PERCENT = 0.3
_PSS_MIB = 45.0


def _measure(exporter: Exporter, scrape_s: float) -> tuple[float, float]:
    """Return CPU in percent of one core, and PSS in MiB at the end."""
    started_s = time.monotonic()
    cpu_s = exporter.cpu_s()
    while (passed_s := time.monotonic() - started_s) < _IDLE_S:
        time.sleep(min(scrape_s, _IDLE_S - passed_s))
        if scrape_s < _IDLE_S:
            exporter.metric("entries_read_total")
    percent = 100 * (exporter.cpu_s() - cpu_s) / (time.monotonic() - started_s)
    return percent, exporter.memory().pss_kib / 1024


def run() -> None:
    """Measure with nobody asking for metrics, and with a scrape every few seconds."""
    if problem := unavailable():
        report.say(f"left out: {problem}")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        with Journald(directory) as journald:
            journald.send(b"the only message", PRIORITY=6, SYSLOG_IDENTIFIER="bench")
            journald.sync()
            with Exporter(sys.executable, journald.persistent, directory) as exporter:
                time.sleep(_SETTLED_S)
                processes = len(exporter.tree())
                quiet = _measure(exporter, _IDLE_S)
                scraped = _measure(exporter, _SCRAPE_S)
    report.say(f"{processes} processes, {_IDLE_S:.0f} s each:")
    rows = [
        ("silent", f"{quiet[0]:.2f}", f"{quiet[1]:.1f}"),
        (f"scraped every {_SCRAPE_S:.0f} s", f"{scraped[0]:.2f}", f"{scraped[1]:.1f}"),
    ]
    report.table(("", "CPU % of one core", "PSS MiB"), rows)
    cpu = max(quiet[0], scraped[0])
    pss = max(quiet[1], scraped[1])
    report.budget("CPU when idle", f"< {_CPU_PERCENT} %", f"{cpu:.2f} %", met=cpu < _CPU_PERCENT)
    report.budget("PSS when idle", f"< {_PSS_MIB} MiB", f"{pss:.1f} MiB", met=pss < _PSS_MIB)
