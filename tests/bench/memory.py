"""Memory: an exporter that catches up with a million entries and rotates on the way."""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench import journals, report
from tests.bench.exporters import Exporter

__all__ = ["run"]

_ENTRIES = 1_000_000
_MAX_BYTES = "16Mi"
_SAMPLE_S = 0.1
_DEADLINE_S = 600.0
_PSS_MIB = 45.0
_GROWTH_MIB = 1.0


def _samples(exporter: Exporter, entries: int) -> list[float]:
    """Return PSS in MiB, ten times a second from the first entry to the last."""
    samples = []
    deadline_s = time.monotonic() + _DEADLINE_S
    while (read := exporter.metric("entries_read_total")) < entries:
        if read > 0:
            samples.append(exporter.memory().pss_kib / 1024)
        if time.monotonic() > deadline_s:
            report.say(f"given up at {read:,.0f} entries")
            break
        time.sleep(_SAMPLE_S)
    return samples


def run() -> None:
    """Measure the sum over all processes: how high it goes, and whether it grows."""
    journal = journals.reference(compressed=False, entries=_ENTRIES)
    _, entries = journals.warm(journal)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        flags = ("--rotation-settle-s=0", f"--max-bytes={_MAX_BYTES}")
        started_s = time.monotonic()
        with Exporter(sys.executable, journal, Path(temporary), *flags) as exporter:
            samples = _samples(exporter, entries)
            wall_s = time.monotonic() - started_s
            time.sleep(_SAMPLE_S)
            samples.append(exporter.memory().pss_kib / 1024)
            rotations = exporter.metric("rotations_total")
    quarter = max(1, len(samples) // 4)
    # The first quarter fills the caches.
    second, last = median(samples[quarter : 2 * quarter]), median(samples[-quarter:])
    peak = max(samples)
    report.say(
        f"{entries:,} entries in {wall_s:.0f} s with {rotations:.0f} rotations,"
        f" {len(samples)} samples:"
    )
    report.table(
        ("PSS of all processes", "second quarter MiB", "last quarter MiB", "peak MiB"),
        [("median", f"{second:.1f}", f"{last:.1f}", f"{peak:.1f}")],
    )
    report.budget("PSS, peak", f"< {_PSS_MIB} MiB", f"{peak:.1f} MiB", met=peak < _PSS_MIB)
    growth = last - second
    report.budget(
        "PSS, last quarter less second",
        f"< {_GROWTH_MIB} MiB",
        f"{growth:+.1f} MiB",
        met=growth < _GROWTH_MIB,
    )
