"""Two parsers, a configuration, cases and the command, for the tests of the parser kit."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.sections import Configuration
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.model.definitions import Definitions, build
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import TimeFormat

# Writes a file of the test's directory by name and text; returns its path.
Write = Callable[[str, str], Path]

CRI_REGEX = "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<log>.*)$"
CRI_TIME = "%Y-%m-%dT%H:%M:%S.%L%z"
CONFIGURATION = r"""
[PARSER]
    Name              p
    Format            regex
    Regex             ^(?<time>[^ ]+) (?<log>.*)$
    Time_Format       %Y-%m-%dT%H:%M:%S.%L%z
    Skip_Empty_Values Off
[PARSER]
    Name              j
    Format            json
"""
CASES = """\
# kept
parser: p
writer: me
cases:
- name: right
  line: 2016-10-06T09:17:09.5+09:00 hello
  expected:
    time: 2016-10-06T09:17:09.5+09:00
    fields: {log: hello}
- name: bytes
  line: !bytes "2016-10-06T00:17:09.5Z \\xff"
  expected:
    time: 2016-10-06 00:17:09.5+00:00
    fields: {log: !bytes "\\xff"}
- name: joined
  line: !join [2016-10-06T00:17:09.5Z , [" ", 1], [x, 300], !bytes "\\xff"]
  expected:
    time: 2016-10-06T00:17:09.5Z
    fields: {log: !join [[x, 300], !bytes "\\xff"]}
- name: no match
  line: x
  expected: unmatched
- name: no match, with a return
  line: "x\\r"
  expected: unmatched
- name: now
  line: yesterday hello
  expected: {time: now, fields: {log: hello}}
"""


def cri(
    *, time_keep: bool = False, time_strict: bool = True, skip_empty_values: bool = False
) -> Parser:
    """Return a parser for lines of containerd."""
    return Parser(
        name="cri",
        pattern=Pattern(CRI_REGEX),
        time_format=TimeFormat(CRI_TIME),
        time_keep=time_keep,
        time_strict=time_strict,
        skip_empty_values=skip_empty_values,
    )


def docker() -> Parser:
    """Return a parser for lines of dockerd."""
    return Parser(name="docker", time_format=TimeFormat("%Y-%m-%dT%H:%M:%S.%L"))


def configuration_of(path: Path) -> Configuration:
    """Return the one configuration of a file or a directory."""
    (found,) = load(str(path))
    return found


def definitions_of(path: Path) -> Definitions:
    """Return the parsers of the one configuration of a file or a directory."""
    return build(configuration_of(path), {})


def parser_names_of(source: str | Path, stdin: str = "", **environment: str) -> list[list[str]]:
    """Return the names of the parsers of each configuration of a source."""
    found = load(str(source), io.BytesIO(stdin.encode()))
    return [sorted(build(configuration, environment).parsers) for configuration in found]


def problem_of(source: str | Path, stdin: str = "") -> str:
    """Return the one thing that is wrong with a source."""
    with pytest.raises(UsageError) as caught:
        parser_names_of(source, stdin)
    (problem,) = caught.value.problems
    return problem


class Command:
    """One run of ``node-observability parsers`` in a directory, with nothing else on the PATH."""

    def __init__(self, directory: Path, *arguments: str, stdin: bytes = b"", ci: str = "") -> None:
        program = Path(sys.executable).with_name("node-observability")
        done = subprocess.run(
            [program, "parsers", *arguments],
            cwd=directory,
            input=stdin,
            capture_output=True,
            check=False,
            env={**os.environ, "CI": ci, "PATH": str(directory)},
        )
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
