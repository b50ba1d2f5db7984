"""``diff`` and ``apply``: show how a server differs from the desired state, and change it."""

import argparse
import dataclasses
import json
import os

from node_observability.errors import UsageError, printable
from node_observability.exit_codes import DIFFERENCE, SUCCESS
from node_observability.zabbix.commands import flags
from node_observability.zabbix.commands.session import session
from node_observability.zabbix.server.apply import Server, apply
from node_observability.zabbix.server.desired import Change, DesiredState
from node_observability.zabbix.template.render import macros

__all__ = ["diff", "run"]


def diff(options: argparse.Namespace) -> int:
    """Print the differences, change nothing; return 3 if there are any."""
    desired = _desired(options)
    with session(options) as api:
        changes = Server(api, desired).changes()
    if options.json:
        print(json.dumps([dataclasses.asdict(change) for change in changes], indent=2))
    else:
        _print(*changes)
    return DIFFERENCE if changes else SUCCESS


def run(options: argparse.Namespace) -> int:
    """Make the changes and print each; with ``--check`` return 3 if there would be any."""
    desired = _desired(options)
    with session(options) as api:
        server = Server(api, desired)
        if options.check:
            changes = server.changes()
            _print(*changes)
            return DIFFERENCE if changes else SUCCESS
        if not apply(server, _print):
            print("nothing to change")
    return SUCCESS


def _desired(options: argparse.Namespace) -> DesiredState:
    patterns = flags.patterns_of(options)
    template = flags.template_of(options, patterns)
    global_macros = flags.pairs("--global-macro", options.global_macro)
    of_template = {macro.name for macro in macros(patterns)}
    problems = [
        f"--global-macro {name}: the template has this macro, and its value wins; use --macro"
        for name in global_macros
        if name in of_template
    ]
    if problems:
        raise UsageError(*problems)
    return DesiredState(
        template=template,
        cluster=flags.cluster_of(options),
        psk=flags.psk_of(options, os.environ),
        psk_only=options.psk_only,
        global_macros=global_macros,
    )


def _print(*changes: Change) -> None:
    for change in changes:
        print(printable(f"{change.verb} {change.kind} `{change.name}`"), flush=True)
        for line in change.details:
            print(f"  {printable(line)}")
