"""Measures where the time of a catch-up goes: python -m tests.bench.costs [--compressed] [--profile].

Each step is a loop over the same journal. It does what the step before does, and one thing more. The line
below it is libsystemd's reader with the same work. The figures are CPU time, the lowest of several runs,
since other programs only add to it.
"""

import argparse
import cProfile
import gc
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from systemd._reader import _Reader

from journal_exporter.clock import PipeStop, SystemClock
from journal_exporter.config import load
from journal_exporter.journal.batch import Batch
from journal_exporter.journal.opening import open_journal
from journal_exporter.lines.filters import EntryFilter
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.process import worker
from tests.bench import journals, report

__all__ = ["main"]

_ENTRIES = 100_000
_RUNS = 9
_PROFILE_LINES = 25
_BOOT_ID = "0" * 32
_NO_FILTER = EntryFilter(
    max_priority=7, exclude_facilities=frozenset(), include_units=(), exclude_units=()
)


def _opened(journal: Path) -> _Reader:
    reader = _Reader(flags=0, path=str(journal))
    reader.data_threshold = 0
    reader.seek_head()
    return reader


def _step_on(journal: Path) -> None:
    with closing(_opened(journal)) as reader:
        advance = reader._next
        while advance():
            pass


def _step_and_fields(journal: Path) -> None:
    with closing(_opened(journal)) as reader:
        advance, get_time, get_all = reader._next, reader._get_realtime, reader._get_all
        while advance():
            get_time()
            get_all()


def _batches(journal: Path, use: Callable[[Batch], object]) -> None:
    with closing(open_journal(directories=[journal], with_units=False)) as source:
        source.start("head")
        while (batch := source.read()).entries:
            use(batch)
            source.process()


def _read(journal: Path) -> None:
    _batches(journal, lambda batch: batch)


def _read_and_format(journal: Path) -> None:
    _batches(journal, Formatter("rfc3339", _NO_FILTER).blob)


def _everything(journal: Path) -> None:
    """Do all that a worker does, in this process."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        (directory / "state").mkdir()
        flags: dict[str, object] = {
            "once": True,
            "start": "head",
            "journal_directory": str(journal),
            "output": str(directory / "messages"),
            "state_directory": str(directory / "state"),
            "max_priority": "debug",
            "exclude_facility": ["none"],
        }
        stop, holder_fd = PipeStop.pipe()
        settings = load(flags, {}).settings
        worker.run(settings, SharedMetrics(), clock=SystemClock(), stop=stop, boot_id=_BOOT_ID)
        os.close(holder_fd)
        os.close(stop.fd)


_OURS = (
    ("read", _read),
    ("format", _read_and_format),
    ("resume, write, checkpoint, sync", _everything),
)
_OTHERS = (
    ("libsystemd: `_next`", _step_on),
    ("libsystemd: `_next`, `_get_realtime`, `_get_all`", _step_and_fields),
)


def _cpu_us(step: Callable[[Path], None], journal: Path, entries: int) -> float:
    gc.collect()
    started_s = time.process_time()
    step(journal)
    return (time.process_time() - started_s) / entries * 1e6


def _print_steps(journal: Path, entries: int) -> None:
    """Take the steps in turn in every run, so that noise meets all of them."""
    steps = [step for _, step in (*_OURS, *_OTHERS)]
    runs = [[_cpu_us(step, journal, entries) for step in steps] for _ in range(_RUNS)]
    least_us = list(map(min, zip(*runs, strict=True)))
    totals_us, others_us = least_us[: len(_OURS)], least_us[len(_OURS) :]
    rows = [
        (name, f"{total - before:.2f}", f"{100 * (total - before) / totals_us[-1]:.0f}")
        for (name, _), before, total in zip(_OURS, [0.0, *totals_us], totals_us, strict=False)
    ]
    rows.append(("all", f"{totals_us[-1]:.2f}", "100"))
    report.table(("ours", "µs an entry", "%"), rows)
    beside = [(name, f"{us:.2f}") for (name, _), us in zip(_OTHERS, others_us, strict=True)]
    report.table(("beside it", "µs an entry"), beside)


def main() -> int:
    """Print the table, or what cProfile says of a whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.costs", description=__doc__)
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--profile", action="store_true", help="cProfile, which adds to each call")
    options = parser.parse_args()
    journal = journals.reference(compressed=options.compressed, entries=_ENTRIES)
    _, entries = journals.warm(journal)
    gc.disable()
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(_everything, journal)
        pstats.Stats(profile).sort_stats("tottime").print_stats(_PROFILE_LINES)
    else:
        report.say(f"{entries:,} entries, Python {sys.version.split()[0]}, least of {_RUNS} runs:")
        _print_steps(journal, entries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
