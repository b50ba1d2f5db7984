"""``node-observability zabbix render | diff | apply | prune | check``."""

import argparse
import contextlib
import dataclasses
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from node_observability.errors import ToolboxError, UsageError
from node_observability.exit_codes import DIFFERENCE, FINDINGS, SUCCESS
from node_observability.zabbix.commands import flags, node_flags
from node_observability.zabbix.hosts import check as checking
from node_observability.zabbix.hosts import inventory, prune
from node_observability.zabbix.server import apply as applying
from node_observability.zabbix.server.api import Api, connect
from node_observability.zabbix.server.desired import Change
from node_observability.zabbix.template import documentation
from node_observability.zabbix.template import render as rendering

__all__ = ["configure", "run"]

_MAX_GRACE_S = 86400
"""The API tells when an item had its last value only for a day (more, where a server is set so)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands."""
    commands = parser.add_subparsers(dest="zabbix_command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
        )

    rendered = add("render", "write the template (and its README)")
    flags.add_template(rendered)
    rendered.add_argument(
        "--output", type=Path, metavar="FILE", help="file of the template (default: print it)"
    )
    rendered.add_argument(
        "--readme", type=Path, metavar="FILE", help="file for the list of its parts"
    )

    differing = add(
        "diff", "print how the server differs from what apply would make; exit 3 if it does"
    )
    differing.add_argument("--json", action="store_true", help="print JSON")
    applied = add(
        "apply", "import the template and let a cluster's nodes register; twice changes nothing"
    )
    applied.add_argument(
        "--check", action="store_true", help="change nothing; exit 3 on a difference"
    )
    for command in (differing, applied):
        flags.add_connection(command)
        flags.add_template(command)
        flags.add_cluster(command)
        flags.add_psk(command)
        command.add_argument(
            "--global-macro",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="global macro (repeatable)",
        )

    pruned = add(
        "prune", "disable, later delete hosts whose node is gone and whose agent is silent"
    )
    pruned.add_argument("--dry-run", action="store_true", help="change nothing")
    pruned.add_argument(
        "--all-gone",
        action="store_true",
        help="go on though not one host is a node of the list, as after scaling a cluster to none",
    )
    pruned.add_argument(
        "--grace",
        type=flags.duration_s,
        default=1800,
        metavar="TIME",
        help="silence before disabling, 24h at most (default: 30m)",
    )
    pruned.add_argument(
        "--delete-after",
        type=flags.duration_s,
        default=7 * 86400,
        metavar="TIME",
        help="time from disabling to deleting (default: 7d)",
    )
    checked = add(
        "check",
        "print whether each node is registered, alive, linked and logging; exit 1 if one is not",
    )
    checked.add_argument(
        "--max-agent-age",
        type=flags.duration_s,
        default=300,
        metavar="TIME",
        help="age of the agent's last ping (default: 5m)",
    )
    checked.add_argument(
        "--max-log-age",
        type=flags.duration_s,
        default=3600,
        metavar="TIME",
        help="age of the last line (default: 1h)",
    )
    checked.add_argument("--json", action="store_true", help="print JSON")
    for command, selector in ((pruned, ""), (checked, "os=bottlerocket")):
        flags.add_connection(command)
        flags.add_cluster(command)
        node_flags.add_nodes(command, selector=selector)


def run(options: argparse.Namespace) -> int:
    """Run the command that was named."""
    commands = {"render": _render, "diff": _diff, "apply": _apply, "prune": _prune, "check": _check}
    return commands[options.zabbix_command](options)


def _render(options: argparse.Namespace) -> int:
    text = flags.template_of(options)
    if options.readme is not None:
        _write(options.readme, documentation.render(text, flags.patterns_of(options)))
    if options.output is not None:
        _write(options.output, text)
    elif options.readme is None:
        print(text, end="")
    return SUCCESS


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from error


@contextlib.contextmanager
def _session(options: argparse.Namespace) -> Iterator[Api]:
    api = connect(flags.connection_of(options, os.environ))
    try:
        yield api
    except BaseException:
        # Its problem is the one to tell.
        with contextlib.suppress(ToolboxError):
            api.logout()
        raise
    api.logout()


def _wanted(options: argparse.Namespace) -> applying.Wanted:
    template = flags.template_of(options)
    global_macros = flags.pairs("--global-macro", options.global_macro)
    own = {macro.name for macro in rendering.macros(flags.patterns_of(options))}
    problems = [
        f"--global-macro {name}: the template has this macro, and its value wins; use --macro"
        for name in global_macros
        if name in own
    ]
    if problems:
        raise UsageError(*problems)
    return applying.Wanted(
        template=template,
        cluster=flags.cluster_of(options),
        psk=flags.psk_of(options, os.environ),
        psk_only=options.psk_only,
        global_macros=global_macros,
    )


def _diff(options: argparse.Namespace) -> int:
    wanted = _wanted(options)
    with _session(options) as api:
        changes = applying.Server(api, wanted).changes()
    if options.json:
        print(json.dumps([dataclasses.asdict(change) for change in changes], indent=2))
    else:
        for change in changes:
            _tell(change)
    return DIFFERENCE if changes else SUCCESS


def _apply(options: argparse.Namespace) -> int:
    wanted = _wanted(options)
    with _session(options) as api:
        server = applying.Server(api, wanted)
        if options.check:
            changes = server.changes()
            for change in changes:
                _tell(change)
            return DIFFERENCE if changes else SUCCESS
        if not applying.apply(server, _tell):
            print("nothing to change")
    return SUCCESS


def _tell(change: Change) -> None:
    print(f"{change.verb} {change.kind} `{change.name}`", flush=True)
    for line in change.details:
        print(f"  {line}")


def _prune(options: argparse.Namespace) -> int:
    cluster = flags.cluster_of(options)
    if options.grace > _MAX_GRACE_S:
        raise UsageError("--grace must be 24h at most: of a longer silence the API does not tell")
    with _session(options) as api:
        # The hosts first: a node that joins in between can only be missing from the hosts.
        found = inventory.hosts(api, cluster.group)
        names = node_flags.nodes_of(options, os.environ)
        now_s = int(time.time())
        steps = prune.plan(
            found,
            names,
            now_s=now_s,
            grace_s=options.grace,
            delete_after_s=options.delete_after,
            all_gone=options.all_gone,
        )
        if options.dry_run:
            for step in steps:
                if step.verdict in prune.CHANGES:
                    print(f"would {step.verdict.value}: {step.host.name}")
        else:
            prune.carry_out(
                api,
                steps,
                now_s=now_s,
                tell=lambda step: print(f"{step.verdict.value}: {step.host.name}"),
            )
    counts = Counter(step.verdict for step in steps)
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in prune.Verdict if counts[verdict]]
    print(f"{len(names)} nodes, {len(found)} hosts: {'; '.join(parts) or 'nothing'}")
    return SUCCESS


def _check(options: argparse.Namespace) -> int:
    cluster = flags.cluster_of(options)
    names = node_flags.nodes_of(options, os.environ)
    with _session(options) as api:
        found = inventory.hosts(api, cluster.group)
    rows = checking.rows(
        found,
        names,
        now_s=int(time.time()),
        agent_age_s=options.max_agent_age,
        log_age_s=options.max_log_age,
    )
    if options.json:
        print(json.dumps([{**dataclasses.asdict(row), "ok": row.ok} for row in rows], indent=2))
    else:
        print(checking.table(rows))
        print(f"{sum(row.ok for row in rows)} of {len(rows)} nodes are well")
    return SUCCESS if all(row.ok for row in rows) else FINDINGS
