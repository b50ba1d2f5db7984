"""The command line: ``node-observability COMMAND …``.

Exit codes: 0 done, 1 failed or found something, 2 wrong use (every problem is one line on standard
error). A command's module is imported when the command is named: none pays for another's libraries.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from node_observability.errors import ToolboxError

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


def parser(command: str | None = None, commands: Commands = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser; only ``command``, where it is one of ours, knows its own flags."""
    top = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Tools around node-observability: node groups, parsers, Zabbix, placement.",
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
    arguments = list(sys.argv[1:] if argv is None else argv)
    named = next((text for text in arguments if not text.startswith("-")), None)
    top = parser(named, commands)
    options = top.parse_args(arguments)
    if options.version:
        print(f"{_PROGRAM} {metadata.version(_PROGRAM)}")
        return 0
    modules = {name: module for name, module, _ in commands}
    if options.command is None:
        top.print_help(sys.stderr)
        return 2
    try:
        code: int = importlib.import_module(modules[options.command]).run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; nothing more may be flushed into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ToolboxError as error:
        sys.stdout.flush()
        for problem in error.problems:
            print(f"{_PROGRAM} {options.command}: {problem}", file=sys.stderr)
        return error.exit_code
    return code
