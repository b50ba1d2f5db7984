"""Disables and later deletes hosts whose node is gone, and enables those whose node came back.

Guarantees: a host is disabled only if its node is not in the list *and* its agent has been silent for the
grace period. It is deleted only in a later run, long enough after prune disabled it. What a person disabled
is neither deleted nor enabled. Hosts in maintenance, or without an enabled ``agent.ping``, are left alone:
their silence means nothing. The grace period of a host without any value begins when prune first sees it. An
empty list of nodes, or one without any of the hosts, is refused: it may be another cluster's.
"""

import dataclasses
import enum
from collections.abc import Callable, Iterable

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.hosts.inventory import PRUNED_TAG, UNHEARD_TAG, Host, Item
from node_observability.zabbix.server.api import Api
from node_observability.zabbix.server.connection import UnreachableError

__all__ = ["Step", "Verdict", "carry_out", "plan"]

_SHOWN = 3  # names in an error


class Verdict(enum.Enum):
    """What prune does with a host, and why."""

    KEEP = "keep"
    ALIVE = "node gone, agent alive: kept"
    WAIT = "disabled, to be deleted later"
    LEAVE = "disabled by somebody else: left alone"
    MAINTENANCE = "in maintenance: left alone"
    UNMONITORED = "without agent.ping: left alone"
    DISABLE = "disable"
    DELETE = "delete"
    ENABLE = "enable again"
    UNHEARD = "start the grace period, no value of the agent yet"
    UNTAG = "remove prune's tag, enabled by somebody else"


CHANGES = (Verdict.DISABLE, Verdict.DELETE, Verdict.ENABLE, Verdict.UNHEARD, Verdict.UNTAG)
_TAGS = (PRUNED_TAG, UNHEARD_TAG)
_TAG_OF = {Verdict.DISABLE: PRUNED_TAG, Verdict.UNHEARD: UNHEARD_TAG}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One host and what prune does with it."""

    host: Host
    verdict: Verdict


def plan(
    hosts: Iterable[Host],
    nodes: frozenset[str],
    *,
    now_s: int,
    grace_s: int,
    delete_after_s: int,
    all_gone: bool = False,
) -> list[Step]:
    """Return what to do with each host; pure. ``now_s`` is Unix time.

    Raises:
        ToolboxError: the list of nodes is empty.
        UsageError: none of the hosts is in it, and ``all_gone`` is not set.
    """
    hosts = list(hosts)
    _check(hosts, nodes, all_gone=all_gone)

    def enabled(host: Host, ping: Item) -> Verdict:
        since_s = ping.last_s or host.unheard_s
        if since_s is None:
            return Verdict.UNHEARD
        if now_s - since_s > grace_s:
            return Verdict.DISABLE
        return Verdict.ALIVE if host.pruned_s is None else Verdict.UNTAG

    def disabled(pruned_s: int) -> Verdict:
        return Verdict.DELETE if now_s - pruned_s >= delete_after_s else Verdict.WAIT

    def verdict(host: Host) -> Verdict:
        if host.name in nodes:
            return _with_node(host)
        if host.in_maintenance:
            return Verdict.MAINTENANCE
        if host.enabled:
            ping = host.ping
            return enabled(host, ping) if ping and ping.enabled else Verdict.UNMONITORED
        return Verdict.LEAVE if host.pruned_s is None else disabled(host.pruned_s)

    return [Step(host=host, verdict=verdict(host)) for host in hosts]


def _check(hosts: list[Host], nodes: frozenset[str], *, all_gone: bool) -> None:
    if not nodes:
        raise ToolboxError("the list of nodes is empty; nothing was done")
    if hosts and not all_gone and nodes.isdisjoint(host.name for host in hosts):
        raise UsageError(
            f"none of the {len(hosts)} hosts is in the list of nodes ({_some(sorted(nodes))}); nothing was "
            "done. Is the list another cluster's? If all nodes are gone, give --all-gone"
        )


def _with_node(host: Host) -> Verdict:
    if host.pruned_s is None:
        return Verdict.KEEP
    # If the tag stayed, a host that a person disables later would look disabled by prune.
    return Verdict.UNTAG if host.enabled else Verdict.ENABLE


def carry_out(
    api: Api, steps: Iterable[Step], *, now_s: int, report: Callable[[Step], None]
) -> None:
    """Apply each change with one call per host; ``report`` is called after each.

    Raises:
        UnreachableError: the server did not answer; the steps after that were not tried.
        ToolboxError: some changes failed, all others were made; a line per reason names the hosts.
    """
    refused: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        if step.verdict not in CHANGES:
            continue
        try:
            _do(api, step, now_s)
        except UnreachableError:
            raise
        except ToolboxError as error:
            for text in error.problems:
                refused.setdefault((step.verdict.value, text), []).append(step.host.name)
        else:
            report(step)
    problems = [f"{_some(names)}: {verdict}: {text}" for (verdict, text), names in refused.items()]
    if problems:
        raise ToolboxError(*problems)


def _some(names: list[str]) -> str:
    """Return a few of the names, and the number of others."""
    others = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {others} more" if others > 0 else "")


def _do(api: Api, step: Step, now_s: int) -> None:
    host = step.host
    if step.verdict is Verdict.DELETE:
        api.call_list("host.delete", [host.id])
        return
    tags = [{"tag": tag, "value": value} for tag, value in host.tags if tag not in _TAGS]
    if ours := _TAG_OF.get(step.verdict):
        tags.append({"tag": ours, "value": str(now_s)})
    api.call("host.update", hostid=host.id, status=int(step.verdict is Verdict.DISABLE), tags=tags)
