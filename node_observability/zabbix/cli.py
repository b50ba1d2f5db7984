"""``node-observability zabbix render | diff | apply | prune | check``: the flags of each command."""

import argparse
from collections.abc import Callable
from typing import Final

from node_observability.inputs.files import file_name
from node_observability.zabbix.commands import apply, check, flags, node_flags, prune, render
from node_observability.zabbix.commands.session import add_connection

__all__ = ["configure", "run"]

_RUN: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "render": render.run,
    "diff": apply.diff,
    "apply": apply.run,
    "prune": prune.run,
    "check": check.run,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    commands = parser.add_subparsers(dest="zabbix_command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
        )

    _configure_render(add("render", "write the template, and a page that lists its parts"))
    _configure_diff(add("diff", "show what apply would change; exit 3 if there is a difference"))
    _configure_apply(
        add(
            "apply",
            "import the template and set up auto-registration; a second run changes nothing",
        )
    )
    _configure_prune(
        add(
            "prune", "disable hosts whose node is gone and whose agent is silent; delete them later"
        )
    )
    _configure_check(
        add("check", "check that each node is registered, alive and logging; exit 1 if one is not")
    )


def run(options: argparse.Namespace) -> int:
    """Run the command that was named; return its exit code."""
    return _RUN[options.zabbix_command](options)


def _configure_render(parser: argparse.ArgumentParser) -> None:
    flags.add_template(parser)
    parser.add_argument(
        "--output",
        type=file_name,
        metavar="FILE",
        help="write the template here (default: -, standard output, unless --readme is given)",
    )
    parser.add_argument(
        "--readme",
        type=file_name,
        metavar="FILE",
        help="write a Markdown page of its parts here; - is standard output",
    )


def _configure_diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_desired(parser)


def _configure_apply(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check",
        action="store_true",
        help="show the changes but make none; exit 3 if there is a difference",
    )
    _add_desired(parser)


def _add_desired(parser: argparse.ArgumentParser) -> None:
    add_connection(parser)
    flags.add_template(parser)
    flags.add_cluster(parser)
    flags.add_psk(parser)
    parser.add_argument(
        "--global-macro",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a global macro (repeatable)",
    )


def _configure_prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the changes but make none")
    parser.add_argument(
        "--all-gone",
        action="store_true",
        help="proceed even if no host is in the list of nodes, as after scaling a cluster to zero",
    )
    _add_time(
        parser, "--grace", "30m", "silence of the agent after which a host is disabled; at most 24h"
    )
    _add_time(parser, "--delete-after", "7d", "time from disabling a host to deleting it")
    _add_nodes_of_cluster(parser)


def _configure_check(parser: argparse.ArgumentParser) -> None:
    _add_time(parser, "--max-agent-age", "5m", "longest time since the agent's last ping")
    _add_time(parser, "--max-log-age", "1h", "longest time since the last line of the host log")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_nodes_of_cluster(parser, selector="os=bottlerocket")


def _add_time(parser: argparse.ArgumentParser, flag: str, default: str, text: str) -> None:
    help_text = f"{text} (default: {default})"
    parser.add_argument(
        flag, type=flags.duration_s, default=default, metavar="TIME", help=help_text
    )


def _add_nodes_of_cluster(parser: argparse.ArgumentParser, selector: str = "") -> None:
    add_connection(parser)
    flags.add_cluster(parser)
    node_flags.add_nodes(parser, selector=selector)
