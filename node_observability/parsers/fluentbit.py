"""Runs a real ``fluent-bit`` over a file, where there is one, for its speed beside ours.

Guarantees that nothing leaves the machine: the input is a file, the output ``null``, the HTTP server off.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from node_observability.errors import ToolboxError
from node_observability.parsers.configuration.sections import Property, Section

__all__ = ["Speed", "binary", "measure", "version"]

_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds that one run took: by the clock, and of the processor."""

    wall_s: float
    cpu_s: float


def binary() -> str | None:
    """Return the path of ``fluent-bit``, None where it is not on the PATH."""
    return shutil.which("fluent-bit")


def version(program: str) -> str:
    """Return what it calls itself, ``Fluent Bit v5.1.1``.

    Raises:
        ToolboxError: it does not say.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user has on the PATH
            [program, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolboxError(f"{program} does not run: {error}") from None
    return done.stdout.splitlines()[0].strip()


def measure(program: str, parser: Section | None, file: Path) -> Speed:
    """Return what it takes to read the file with that parser, or without any.

    Raises:
        ToolboxError: it fails.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        lines = ["[SERVICE]", "    Log_Level error", "    Flush 0.2"]
        if parser is not None:
            (directory / "parsers.conf").write_text(_as_classic(parser.properties))
            lines.append(f"    Parsers_File {directory / 'parsers.conf'}")
        lines += [
            "[INPUT]",
            "    Name tail",
            f"    Path {file.absolute()}",
            "    Read_From_Head On",
        ]
        lines += ["    Exit_On_Eof On", "    Buffer_Max_Size 8M"]
        lines += [f"    Parser {parser.name}"] if parser is not None else []
        lines += ["[OUTPUT]", "    Name null", "    Match *", ""]
        config = directory / "fluent-bit.conf"
        config.write_text("\n".join(lines))
        return _timed([program, "-q", "-c", str(config)])


def _as_classic(properties: list[Property]) -> str:
    return "\n".join(["[PARSER]", *(f"    {item.key} {item.value}" for item in properties), ""])


def _timed(command: list[str]) -> Speed:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user has on the PATH
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=os.environ
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolboxError(f"{command[0]} does not run: {error}") from None
    wall_s = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise ToolboxError(f"{command[0]} ended with {done.returncode}: {last}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Speed(wall_s, cpu_s)
