"""Runs a real ``fluent-bit`` over a file, if there is one on the PATH, for its speed beside the kit's.

Guarantees that nothing leaves the machine: the input is a file, the output ``null``, and no server listens.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from node_observability.errors import ToolboxError
from node_observability.parsers.configuration.sections import Section

__all__ = ["cpu_seconds", "find", "version"]

_TIMEOUT_S = 300
_MAIN = """\
[SERVICE]
    Log_Level error
    Flush 0.2
    Parsers_File {directory}/parsers.conf
[INPUT]
    Name tail
    Path {path}
    Read_From_Head On
    Exit_On_Eof On
    Buffer_Max_Size 8M
    Parser {parser}
[OUTPUT]
    Name null
    Match *
"""


def find() -> str | None:
    """Return the path of ``fluent-bit``, or None if it is not on the PATH."""
    return shutil.which("fluent-bit")


def version(program: str) -> str:
    """Return the program's name and version, such as ``Fluent Bit v5.1.1``.

    Raises:
        ToolboxError: it fails.
    """
    return _run(program, "--version").splitlines()[0].strip()


def cpu_seconds(program: str, parser: Section, file: Path) -> float:
    """Return the processor time that ``program`` takes to read the file with that parser.

    Raises:
        ToolboxError: it fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        lines = ["[PARSER]", *(f"    {item.key} {item.value}" for item in parser.properties), ""]
        (Path(directory) / "parsers.conf").write_text("\n".join(lines), "utf-8")
        main = Path(directory) / "fluent-bit.conf"
        text = _MAIN.format(directory=directory, path=file.absolute(), parser=parser.name)
        main.write_bytes(os.fsencode(text))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _run(program, "-q", "-c", str(main))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(program: str, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user has on the PATH
            [program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolboxError(f"{program} can't be run: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed no error"])[-1]
        raise ToolboxError(f"{program} failed with exit code {done.returncode}: {last}")
    return done.stdout
