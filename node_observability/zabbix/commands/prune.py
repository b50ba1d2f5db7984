"""``prune``: disables, and later deletes, hosts whose node is gone."""

import argparse
import os
import time
from collections import Counter

from node_observability.errors import UsageError, printable
from node_observability.exit_codes import SUCCESS
from node_observability.zabbix.commands import flags, node_flags
from node_observability.zabbix.commands.session import session
from node_observability.zabbix.hosts import inventory
from node_observability.zabbix.hosts.prune import CHANGES, Verdict, carry_out, plan

__all__ = ["run"]

_MAX_GRACE_S = 86400
"""The API reports when an item had its last value only for one day, by the server's default."""


def run(options: argparse.Namespace) -> int:
    """Print each change, and a summary of all hosts; with ``--dry-run`` change nothing."""
    cluster = flags.cluster_of(options)
    if options.grace > _MAX_GRACE_S:
        raise UsageError("--grace must be at most 24h: the API does not report a longer silence")
    with session(options) as api:
        # The hosts first: a node that joins in between can only be missing from the hosts.
        hosts = inventory.hosts(api, cluster.group)
        nodes = node_flags.nodes_of(options, os.environ)
        now_s = int(time.time())
        steps = plan(
            hosts,
            nodes,
            now_s=now_s,
            grace_s=options.grace,
            delete_after_s=options.delete_after,
            all_gone=options.all_gone,
        )
        if options.dry_run:
            for step in steps:
                if step.verdict in CHANGES:
                    print(f"would {step.verdict.value}: {printable(step.host.name)}")
        else:
            carry_out(
                api,
                steps,
                now_s=now_s,
                report=lambda step: print(f"{step.verdict.value}: {printable(step.host.name)}"),
            )
    counts = Counter(step.verdict for step in steps)
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]]
    print(f"{len(nodes)} nodes, {len(hosts)} hosts: {'; '.join(parts) or 'nothing'}")
    return SUCCESS
