"""The command line: ``node-observability COMMAND …``.

Guarantees the exit codes of ``exit_codes``, and one line on standard error for every problem. A command's
module is imported when the command is named, so that none pays for the libraries of another.
"""

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from node_observability.errors import ToolboxError, printable
from node_observability.exit_codes import ERROR, INTERRUPTED, SUCCESS, TABLE

_PROGRAM = "node-observability"
_MAX_CHARACTERS = 800
"""Of an error: it may quote a line of a megabyte."""
# The name, the module with ``configure(parser)`` and ``run(options) -> int``, and the help.
Commands = tuple[tuple[str, str, str], ...]
COMMANDS: Commands = (
    (
        "coverage",
        "node_observability.coverage.cli",
        "show which DaemonSets each node gets, and why others are missing",
    ),
    (
        "debug",
        "node_observability.debug.cli",
        "debug a node or a pod with kubectl debug and profiles for Bottlerocket",
    ),
    (
        "nodegroup",
        "node_observability.nodegroup.cli",
        "render and check node groups: labels, taints, kubelet settings, registries",
    ),
    (
        "parsers",
        "node_observability.parsers.cli",
        "test, check, explain, measure and convert Fluent Bit parsers",
    ),
    (
        "zabbix",
        "node_observability.zabbix.cli",
        "set up a Zabbix server for the nodes, check them, and remove hosts that are gone",
    ),
)


class _Parser(argparse.ArgumentParser):
    """A parser that fails if its help can't be written; argparse ignores that."""

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401 - as argparse has it
        """Print the help; raise OSError if it can't be written."""
        print(self.format_help(), end="", file=file or sys.stdout)


def parser(command: str | None = None, commands: Commands = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser; only the given command gets its own flags."""
    top = _Parser(
        prog=_PROGRAM,
        description="Tools for operators of node-observability.",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, module, text in commands:
        own = subparsers.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == command:
            importlib.import_module(module).configure(own)
    return top


def main(argv: Sequence[str] | None = None, commands: Commands = COMMANDS) -> int:
    """Run the command line; return the exit code."""
    _open_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((text for text in arguments if not text.startswith("-")), None)
    try:
        code = _run(parser(command, commands), arguments, commands)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _report("interrupted")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package == __package__:
            raise
        _report(f"{package} is not installed; install `{_PROGRAM}[toolbox]`")
        return ERROR
    except BrokenPipeError:
        # The reader has seen enough.
        _discard_output()
        return ERROR
    except OSError as error:
        # An error with a file name is not about standard output, and the command should have handled it.
        if error.filename is not None:
            raise
        _report(f"standard output: {error.strerror}")
        _discard_output()
        return ERROR
    return code


def _run(top: argparse.ArgumentParser, arguments: list[str], commands: Commands) -> int:
    try:
        options = top.parse_args(arguments)
    except SystemExit:
        # After --help: a failure to write at exit would be a traceback.
        sys.stdout.flush()
        raise
    if options.version:
        print(f"{_PROGRAM} {metadata.version(_PROGRAM)}")
        return SUCCESS
    modules = {name: module for name, module, _ in commands}
    if options.command is None:
        top.print_help(sys.stderr)
        return ERROR
    try:
        code: int = importlib.import_module(modules[options.command]).run(options)
    except ToolboxError as error:
        sys.stdout.flush()
        for problem in error.problems:
            _report(_shortened(printable(problem)), f"{_PROGRAM} {options.command}")
        return ERROR
    return code


def _shortened(text: str) -> str:
    """Return an error without its middle if it is long: the place is at its start, the fix at its end."""
    half = _MAX_CHARACTERS // 2
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:half]} … {text[-half:]}"


def _report(text: str, program: str = _PROGRAM) -> None:
    """Print a problem; where standard error can't be written, only the exit code is left."""
    with contextlib.suppress(OSError):
        print(f"{program}: {text}", file=sys.stderr)


def _open_streams() -> None:
    """Replace closed streams, which are None: output must fail, and problems must not become output.

    What the locale can't show is escaped, as Python does it on standard error.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Discard what is still buffered: Python would try to write it at exit, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
