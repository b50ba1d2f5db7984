"""The command line: ``node-observability COMMAND …``.

Guarantees the exit codes of ``exit_codes``, and one line on standard error for every problem. A command's
module is imported when the command is named, so that none pays for the libraries of another.
"""

import argparse
import errno
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
# The command, the module that has its ``configure(parser)`` and ``run(options) -> int``, what it is for.
Commands = tuple[tuple[str, str, str], ...]
COMMANDS: Commands = (
    (
        "coverage",
        "node_observability.coverage.cli",
        "show which node gets which DaemonSet, and why not",
    ),
    (
        "debug",
        "node_observability.debug.cli",
        "debug a node or a pod with kubectl debug, and profiles that fit Bottlerocket",
    ),
    (
        "nodegroup",
        "node_observability.nodegroup.cli",
        "make and check node groups: label, taint, kubelet settings, registries, admin container",
    ),
    ("parsers", "node_observability.parsers.cli", "test Fluent Bit parsers against real log lines"),
    (
        "zabbix",
        "node_observability.zabbix.cli",
        "a Zabbix server's template, auto-registration, clean-up",
    ),
)


class _Parser(argparse.ArgumentParser):
    """argparse, but for help that can't be written: it passes over that in silence."""

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401 - as argparse has it
        """Print the help, and fail as any other output does."""
        print(self.format_help(), end="", file=file or sys.stdout)


def parser(command: str | None = None, commands: Commands = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser; only ``command``, where it is one of ours, knows its own flags."""
    top = _Parser(
        prog=_PROGRAM,
        description="Tools around node-observability: node groups, parsers, Zabbix, placement.",
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
    named = next((text for text in arguments if not text.startswith("-")), None)
    try:
        code = _run(parser(named, commands), arguments, commands)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{_PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if str(error.name).startswith(__package__):
            raise
        print(
            f"{_PROGRAM}: {error.name} is not installed; install `{_PROGRAM}[toolbox]`",
            file=sys.stderr,
        )
        return ERROR
    except BrokenPipeError:
        # The reader has seen enough.
        _discard_output()
        return ERROR
    except OSError as error:
        # An error with a file name is not about standard output, and the command should have handled it.
        if error.filename is not None:
            raise
        print(f"{_PROGRAM}: standard output: {error.strerror}", file=sys.stderr)
        _discard_output()
        return ERROR
    return code


def _run(top: argparse.ArgumentParser, arguments: list[str], commands: Commands) -> int:
    try:
        options = top.parse_args(arguments)
    except SystemExit:
        # After --help: a failure at exit would be a traceback.
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
            print(f"{_PROGRAM} {options.command}: {printable(problem)}", file=sys.stderr)
        return ERROR
    return code


class _Closed(io.TextIOBase):
    """Standard output where the caller has closed it: Python has None there, and loses what is printed."""

    def write(self, text: str, /) -> int:
        """Fail, as the system does."""
        del text
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _open_streams() -> None:
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        # print takes None for standard output, where problems must not go.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - until the end


def _discard_output() -> None:
    """Let what is still buffered go nowhere: it would be tried again, and fail again, at exit."""
    if not isinstance(sys.stdout, _Closed):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
