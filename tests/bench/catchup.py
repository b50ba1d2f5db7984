"""Catch-up: how fast the whole of a journal gets into a file, beside others that do the same."""

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench import journals, report
from tests.bench.contenders import Contender, all_contenders
from tests.bench.processes import Usage

__all__ = ["run"]

_CHUNK_BYTES = 1 << 20
_LOOK_S = 0.05
_STUCK_S = 60.0
_OVER_JOURNALCTL = 1.5
_OVER_RSYSLOG = 5.0
_PSS_MIB = 45.0
_CONTINUED = re.compile(rb"^[ \t]", re.MULTILINE)
"""How journalctl begins the second and later lines of a message."""


class LineCount:
    """Counts the lines of a file while it grows."""

    def __init__(self, path: Path) -> None:
        """Begin at the head of a file that need not exist yet."""
        self._path = path
        self._position = 0
        self.lines = 0
        self.grown_s = self._looked_s = time.monotonic()

    def look(self) -> int:
        """Read what was added, at most every 50 ms; return the count so far."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S or not self._path.exists():
            return self.lines
        self._looked_s = now_s
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._position)
            while chunk := file.read(_CHUNK_BYTES):
                self._position += len(chunk)
                self.lines += chunk.count(b"\n")
                self.grown_s = now_s
        return self.lines

    def is_over(self, wanted: int) -> bool:
        """Return whether all lines are there, or none came for a minute."""
        return self.look() >= wanted or time.monotonic() - self.grown_s > _STUCK_S


def _entries(paths: list[Path]) -> int:
    """Count lines, without those that continue a message."""
    data = (path.read_bytes() for path in paths)
    return sum(text.count(b"\n") - len(_CONTINUED.findall(text)) for text in data)


def _one(contender: Contender, journal: Path, wanted: int) -> Usage:
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        with contender.start(journal, directory) as program:
            if contender.stays:
                count = LineCount(directory / "messages")
                usage = program.wait(lambda: count.is_over(wanted))
            else:
                usage = program.wait()
        if program.code:
            report.say(f"{contender.name} ended with {program.code}")
        found = _entries(contender.outputs(directory))
        if found != wanted:
            report.say(f"{contender.name} wrote {found} entries instead of {wanted}")
        return usage


def _ratios(
    rounds: list[dict[str, Usage]], ours: str, other: str, what: Callable[[Usage], float]
) -> list[float]:
    return [
        what(usages[other]) / what(usages[ours])
        for usages in rounds
        if ours in usages and other in usages
    ]


def _print_ratios(rounds: list[dict[str, Usage]]) -> None:
    """Print how much more the others took than ours, which noise changes least, round by round."""
    rows = []
    for ours in (name for name in rounds[0] if name.startswith("ours")):
        for other in (name for name in rounds[0] if not name.startswith("ours")):
            wall = _ratios(rounds, ours, other, lambda usage: usage.wall_s)
            cpu = _ratios(rounds, ours, other, lambda usage: usage.cpu_s)
            rows.append((f"{other} / {ours}", report.ratio_text(wall), report.ratio_text(cpu)))
    report.table(("median of the rounds' ratios (least..most)", "wall", "CPU"), rows)


def _print(rounds: list[dict[str, Usage]], wanted: int) -> None:
    rows = []
    for name in rounds[0]:
        usages = [usages[name] for usages in rounds]
        wall_s = median(usage.wall_s for usage in usages)
        rows.append(
            (
                name,
                f"{wanted / wall_s:,.0f}",
                f"{wall_s:.2f}",
                f"{median(usage.cpu_s for usage in usages):.2f}",
                f"{max(usage.peak_rss_mib for usage in usages):.1f}",
                f"{max(usage.peak_pss_mib for usage in usages):.1f}",
            )
        )
    report.table(
        ("", "entries/s", "wall s", "CPU s", "peak RSS MiB", "peak PSS MiB"),
        rows,
    )


def _judge(rounds: list[dict[str, Usage]]) -> None:
    for ours in (name for name in rounds[0] if name.startswith("ours")):
        for other, target in (
            ("journalctl -o short", _OVER_JOURNALCTL),
            ("rsyslog imjournal", _OVER_RSYSLOG),
        ):
            if ratios := _ratios(rounds, ours, other, lambda usage: usage.wall_s):
                report.budget(
                    f"{ours}, times as fast as {other}",
                    f">= {target}",
                    report.ratio_text(ratios),
                    met=median(ratios) >= target,
                )
        peak_mib = max(usages[ours].peak_pss_mib for usages in rounds)
        report.budget(
            f"{ours}, PSS of all processes",
            f"< {_PSS_MIB:.0f} MiB",
            f"{peak_mib:.1f} MiB",
            met=peak_mib < _PSS_MIB,
        )


def run(*, rounds: int, entries: int) -> None:
    """Measure both formats of the journal, all contenders in turn in every round."""
    contenders, missing = all_contenders()
    for sentence in missing:
        report.say(f"left out: {sentence}")
    for compressed in (False, True):
        journal = journals.reference(compressed=compressed, entries=entries)
        size_bytes, wanted = journals.warm(journal)
        results: list[dict[str, Usage]] = []
        for _ in range(rounds):
            results.append({c.name: _one(c, journal, wanted) for c in contenders})
            report.say(".", end="")
        form = "compressed" if compressed else "Bottlerocket's format"
        report.say(
            f"\n{wanted:,} entries, {form}, {size_bytes >> 20} MiB of journal, {rounds} rounds:"
        )
        _print(results, wanted)
        _print_ratios(results)
        _judge(results)
