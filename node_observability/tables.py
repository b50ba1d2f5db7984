"""Aligns the columns of tables for terminals."""

import sys
from collections.abc import Sequence

from node_observability.errors import printable

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]], max_width: int = sys.maxsize) -> list[str]:
    """Return a line per row; a cell wider than ``max_width`` characters pushes the rest of its line.

    Control characters in cells are escaped.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [min(max_width, max(map(len, column))) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
