"""Aligns the columns of tables for terminals."""

import sys
from collections.abc import Sequence

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]], max_width: int = sys.maxsize) -> list[str]:
    """Return a line per row; a cell wider than ``max_width`` characters pushes the rest of its line."""
    widths = [min(max_width, max(map(len, column))) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
