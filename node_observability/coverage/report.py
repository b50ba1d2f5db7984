"""Formats a coverage: a table for people, JSON for programs."""

import json
from collections.abc import Sequence

from node_observability.coverage.findings import Coverage, Row
from node_observability.errors import printable
from node_observability.tables import aligned

__all__ = ["json_text", "summary", "table"]

_MAX_WIDTH = 60


def _cell(reasons: Sequence[str]) -> str:
    return "; ".join(reasons) if reasons else "yes"


def _note(row: Row) -> str:
    if row.left_out:
        return f"left out: {row.left_out}"
    return "; ".join(
        [f"ERROR {text}" for text in row.errors] + [f"WARNING {text}" for text in row.warnings]
    )


def _short_names(coverage: Coverage) -> list[str]:
    return [(workload.component or workload.name).upper() for workload in coverage.workloads]


def table(coverage: Coverage, *, problems_only: bool = False) -> list[str]:
    """Return the lines of the table: what each node gets, why a DaemonSet is missing, and what is wrong."""
    head = ["NODE", "SYSTEM", "RUNTIME", *_short_names(coverage), "NOTE"]
    rows = [
        [row.node.name, row.node.os_image, row.node.runtime, *map(_cell, row.against), _note(row)]
        for row in coverage.rows
        if not problems_only or row.errors or row.warnings
    ]
    return aligned([head, *rows], _MAX_WIDTH) if rows else []


def summary(coverage: Coverage) -> str:
    """Return one line with the number of nodes, of nodes per DaemonSet, and of errors and warnings."""
    counts = ", ".join(f"{printable(name)} on {count}" for name, count in coverage.counts().items())
    left_out = sum(bool(row.left_out) for row in coverage.rows)
    return (
        f"{len(coverage.rows)} nodes: {counts}; {left_out} left out,"
        f" {coverage.errors} errors, {coverage.warnings} warnings"
    )


def json_text(coverage: Coverage) -> str:
    """Return the coverage as JSON: one object per node."""
    names = [workload.name for workload in coverage.workloads]
    return json.dumps(
        {
            "counts": coverage.counts(),
            "errors": coverage.errors,
            "warnings": coverage.warnings,
            "nodes": [
                {
                    "name": row.node.name,
                    "osImage": row.node.os_image,
                    "containerRuntimeVersion": row.node.runtime,
                    "daemonSets": [
                        name
                        for name, reasons in zip(names, row.against, strict=True)
                        if not reasons
                    ],
                    "against": {
                        name: list(reasons)
                        for name, reasons in zip(names, row.against, strict=True)
                        if reasons
                    },
                    "leftOut": row.left_out,
                    "errors": list(row.errors),
                    "warnings": list(row.warnings),
                }
                for row in coverage.rows
            ],
        },
        indent=1,
    )
