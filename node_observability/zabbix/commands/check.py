"""``check``: prints whether the server watches each node."""

import argparse
import dataclasses
import json
import os
import time

from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.zabbix.commands import flags, node_flags
from node_observability.zabbix.commands.session import session
from node_observability.zabbix.hosts import inventory
from node_observability.zabbix.hosts.status import node_statuses, table

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print a row per node; return 1 if something is wrong with one of them."""
    cluster = flags.cluster_of(options)
    nodes = node_flags.nodes_of(options, os.environ)
    with session(options) as api:
        hosts = inventory.hosts(api, cluster.group)
    found = node_statuses(
        hosts,
        nodes,
        now_s=int(time.time()),
        agent_age_s=options.max_agent_age,
        log_age_s=options.max_log_age,
    )
    if options.json:
        print(json.dumps([{**dataclasses.asdict(one), "ok": one.ok} for one in found], indent=2))
    else:
        print(table(found))
        print(f"{sum(one.ok for one in found)} of {len(found)} nodes OK")
    return SUCCESS if all(one.ok for one in found) else FINDINGS
