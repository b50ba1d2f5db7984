"""Latency: from sending a message to journald until its line is in the output."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import report
from tests.bench.exporters import Exporter
from tests.bench.processes import Program
from tests.bench.tailer import stamped
from tests.support.journald import Journald, unavailable
from tests.support.paths import ROOT

__all__ = ["run"]

_RATES = (100, 5000)
_SENDING_S = 15.0
_TICK_S = 0.001
_READY_S = 3.0
_DRAIN_S = 3.0
_P99_MS = 500.0


def _exporter(journal: Path, directory: Path) -> Program:
    return Exporter(sys.executable, journal, directory)


def _journalctl(journal: Path, directory: Path) -> Program:
    command = ("journalctl", "-q", "-f", "-n", "1", "-o", "short", f"--directory={journal}")
    return Program(command, output=directory / "messages")


def _send(journald: Journald, rate: int) -> int:
    """Send at an even rate; return how many messages that were."""
    started_s = time.monotonic()
    sent = 0
    while (passed_s := time.monotonic() - started_s) < _SENDING_S:
        for _ in range(int(rate * passed_s) - sent):
            journald.send(stamped(), PRIORITY=6, SYSLOG_IDENTIFIER="bench", SYSLOG_FACILITY=3)
            sent += 1
        time.sleep(_TICK_S)
    return sent


def _measure(start: Callable[[Path, Path], Program], rate: int) -> tuple[int, list[float]]:
    """Return how many messages were sent, and the latencies in milliseconds, ordered."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        ages = directory / "ages"
        with Journald(directory) as journald:
            journald.send(b"the first message", PRIORITY=6, SYSLOG_IDENTIFIER="bench")
            journald.sync()
            tail = (sys.executable, "-m", "tests.bench.tailer", directory / "messages")
            with (
                start(journald.persistent, directory),
                Program(tail, output=ages, directory=ROOT),
            ):
                time.sleep(_READY_S)
                sent = _send(journald, rate)
                time.sleep(_DRAIN_S)
        return sent, sorted(int(age_ns) / 1e6 for age_ns in ages.read_text().split())


def run() -> None:
    """Measure two rates, and `journalctl -f` beside us as it gets the same notifications."""
    if problem := unavailable():
        report.say(f"left out: {problem}")
        return
    rows = []
    p99s_ms = []
    for rate in _RATES:
        for name, start in (("ours", _exporter), ("journalctl -f", _journalctl)):
            sent, ages_ms = _measure(start, rate)
            if len(ages_ms) != sent:
                report.say(f"{name}: {len(ages_ms)} of {sent} messages arrived")
            if not ages_ms:
                continue
            rows.append((f"{name}, {rate:,}/s", f"{sent:,}", *report.quantiles_text(ages_ms)))
            if name == "ours":
                p99s_ms.append((rate, report.percentile(ages_ms, 99)))
    report.table(("", "messages", "p50 ms", "p99 ms", "max ms"), rows)
    for rate, p99_ms in p99s_ms:
        report.budget(
            f"p99 at {rate:,}/s", f"< {_P99_MS:.0f} ms", f"{p99_ms:.0f} ms", met=p99_ms < _P99_MS
        )
