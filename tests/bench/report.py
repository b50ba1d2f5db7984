"""Prints tables and budgets in Markdown, so that they can go into the README as they are."""

import sys
from collections.abc import Sequence
from statistics import median

__all__ = ["budget", "percentile", "quantiles_text", "ratio_text", "say", "table"]


def say(text: str, end: str = "\n") -> None:
    """Print at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: its first column is text, the others are numbers."""
    widths = [max(3, *map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [""]
    for row in (header, rule, *rows):
        cells = [
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    say("\n".join([*lines, ""]))


def budget(what: str, target: str, measured: str, *, met: bool) -> None:
    """Print one line that says whether a target was met."""
    say(f"- {what}: target {target}, measured {measured}: {'met' if met else '**not met**'}")


def ratio_text(ratios: Sequence[float]) -> str:
    """Return the median of some ratios, and between which values they lie."""
    return f"{median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})"


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the ordered values do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def quantiles_text(ordered: Sequence[float]) -> tuple[str, str, str]:
    """Return median, 99th percentile and maximum of ordered milliseconds."""
    return (
        f"{percentile(ordered, 50):.0f}",
        f"{percentile(ordered, 99):.0f}",
        f"{ordered[-1]:.0f}",
    )
