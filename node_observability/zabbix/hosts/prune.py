"""Take away hosts whose node is gone, and bring back those whose node came back.

Guarantees: a host is disabled only when its node is not in the (whole, never empty) list *and* its agent
has been silent for the grace; it is deleted only in a later pass, when it was disabled by us long
enough; what a person disabled is neither deleted nor enabled. What is in maintenance, or has no
``agent.ping`` to judge it by, is not touched: its silence says nothing. The grace of a host that was never
heard begins when a pass first sees it. A list that has not one of the hosts is taken for another cluster's.
"""

import dataclasses
import enum
from collections.abc import Callable, Iterable

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.hosts.inventory import PRUNED_TAG, UNHEARD_TAG, Host, Item
from node_observability.zabbix.server.api import Api
from node_observability.zabbix.server.connection import UnreachableError

__all__ = ["Step", "Verdict", "carry_out", "plan"]

_NAMES = 3


class Verdict(enum.Enum):
    """What is done with a host, and why."""

    KEEP = "keep"
    ALIVE = "node gone, agent alive: kept"
    WAIT = "disabled, to be deleted later"
    LEAVE = "disabled by somebody else: left alone"
    MAINTENANCE = "in maintenance: left alone"
    STRANGE = "without agent.ping: left alone"
    DISABLE = "disable"
    DELETE = "delete"
    ENABLE = "enable again"
    UNHEARD = "watch, as nothing was heard yet"
    UNTAG = "enabled by somebody else: take our tag away"


CHANGES = (Verdict.DISABLE, Verdict.DELETE, Verdict.ENABLE, Verdict.UNHEARD, Verdict.UNTAG)
_TAGS = (PRUNED_TAG, UNHEARD_TAG)
_TAG_OF = {Verdict.DISABLE: PRUNED_TAG, Verdict.UNHEARD: UNHEARD_TAG}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One host and what is done with it."""

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
    """Return what to do with each host; pure.

    Raises:
        ToolboxError: an empty list; a UsageError for one that has no host of the group, unless ``all_gone``.

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
            return enabled(host, ping) if ping and ping.enabled else Verdict.STRANGE
        return Verdict.LEAVE if host.pruned_s is None else disabled(host.pruned_s)

    return [Step(host=host, verdict=verdict(host)) for host in hosts]


def _check(hosts: list[Host], nodes: frozenset[str], *, all_gone: bool) -> None:
    if not nodes:
        raise ToolboxError("the list of nodes is empty; nothing was done")
    if hosts and not all_gone and nodes.isdisjoint(host.name for host in hosts):
        raise UsageError(
            f"not one of the {len(hosts)} hosts is a node of the list ({_some(sorted(nodes))}): is it "
            "another cluster's? If all nodes are gone, give --all-gone; nothing was done"
        )


def _with_node(host: Host) -> Verdict:
    if host.pruned_s is None:
        return Verdict.KEEP
    # A tag that stayed would say of a person's later disabling that it was ours.
    return Verdict.UNTAG if host.enabled else Verdict.ENABLE


def carry_out(api: Api, steps: Iterable[Step], *, now_s: int, tell: Callable[[Step], None]) -> None:
    """Do it, one host a call; ``tell`` hears of each that was done.

    Raises:
        ToolboxError: after the others were done, with a line for each reason and the hosts that could not
        be; a UsageError where every reason is one, such as a permission that the user lacks.

    """
    refused: dict[tuple[str, str], list[str]] = {}
    usage = True
    for step in steps:
        if step.verdict not in CHANGES:
            continue
        try:
            _do(api, step, now_s)
        except UnreachableError:
            raise
        except ToolboxError as error:
            usage = usage and isinstance(error, UsageError)
            for text in error.problems:
                refused.setdefault((step.verdict.value, text), []).append(step.host.name)
        else:
            tell(step)
    problems = [f"{_some(names)}: {verdict}: {text}" for (verdict, text), names in refused.items()]
    if problems:
        raise (UsageError if usage else ToolboxError)(*problems)


def _some(names: list[str]) -> str:
    """Return a few of the names, and how many others there are."""
    others = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {others} more" if others > 0 else "")


def _do(api: Api, step: Step, now_s: int) -> None:
    host = step.host
    if step.verdict is Verdict.DELETE:
        api.call_list("host.delete", [host.id])
        return
    tags = [{"tag": tag, "value": value} for tag, value in host.tags if tag not in _TAGS]
    if ours := _TAG_OF.get(step.verdict):
        tags.append({"tag": ours, "value": str(now_s)})
    api.call("host.update", hostid=host.id, status=int(step.verdict is Verdict.DISABLE), tags=tags)
