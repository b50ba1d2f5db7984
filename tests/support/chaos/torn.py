"""Exporters that stop in the middle of a line, at a limit on the size of their files."""

import subprocess

from tests.support.chaos.oracle import KINDS, Oracle
from tests.support.chaos.runs import Case, end
from tests.support.tools import need

__all__ = ["ended", "places", "torn"]

FIRST_BYTE = 132_000
"""Above the size of the checkpoint, which the limit must leave alone."""


def places(oracle: Oracle) -> list[int]:
    """Return places in the file at and around the ends of a line of each kind, and inside it."""
    found: set[int] = set()
    start = number = 0
    while start < FIRST_BYTE:
        start += len(oracle.lines[number])
        number += 1
    for line in oracle.lines[number : number + len(KINDS)]:
        stop = start + len(line)
        found |= {start, start + 1, start + 26, (start + stop) // 2, stop - 3, stop - 2, stop - 1}
        start = stop
    return sorted(found)


def torn(case: Case, limit_bytes: int) -> "subprocess.Popen[bytes]":
    """Start it with the limit; return when the file has that size."""
    process = case.start((need("prlimit"), f"--fsize={limit_bytes}:"))
    try:
        case.wait_for(
            lambda: case.output.exists() and size(case) >= limit_bytes, f"{limit_bytes} bytes"
        )
    except BaseException:
        end(process)
        raise
    assert size(case) == limit_bytes
    assert (case.state / "checkpoint").stat().st_size < FIRST_BYTE, "raise FIRST_BYTE"
    return process


def size(case: Case) -> int:
    return case.output.stat().st_size


def ended(case: Case, process: "subprocess.Popen[bytes]") -> None:
    end(process)
    case.wait_for_end()
    case.look()
