"""Whether the server monitors each node; pure."""

import dataclasses
from collections.abc import Iterable

from node_observability.errors import printable
from node_observability.tables import aligned
from node_observability.zabbix.hosts.inventory import Host, Item

__all__ = ["NodeStatus", "node_statuses", "table"]

_OK = "ok"
_COLUMNS = ("node", "host", "template", "agent", "log")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """One node; each column is ``ok``, says what is wrong, or is ``-`` where it does not apply."""

    node: str
    host: str
    template: str = "-"
    agent: str = "-"
    log: str = "-"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(getattr(self, name) == _OK for name in _COLUMNS[1:])


def node_statuses(
    hosts: Iterable[Host], nodes: frozenset[str], *, now_s: int, agent_age_s: int, log_age_s: int
) -> list[NodeStatus]:
    """Return the status of each node, in the order of their names; ages are limits, in seconds."""
    by_name = {host.name: host for host in hosts}

    def status(node: str) -> NodeStatus:
        host = by_name.get(node)
        if host is None:
            return NodeStatus(node=node, host="not registered")
        return NodeStatus(
            node=node,
            host=_OK if host.enabled else "disabled",
            template=_OK if host.linked else "not linked",
            agent=_state(host.ping, now_s, agent_age_s),
            log=_state(host.log, now_s, log_age_s),
        )

    return [status(node) for node in sorted(nodes)]


def table(statuses: Iterable[NodeStatus]) -> str:
    """Return a table for people, with a head."""
    # Errors of items come from programs on the nodes.
    rows = [[printable(getattr(status, name)) for name in _COLUMNS] for status in statuses]
    return "\n".join(aligned([[name.upper() for name in _COLUMNS], *rows]))


def _state(item: Item | None, now_s: int, age_s: int) -> str:
    if item is None:
        return "no item"
    if not item.enabled:
        return "item disabled"
    if item.error:
        return f"not supported: {item.error}"
    if not item.last_s:
        return "no data"
    silent_s = now_s - item.last_s
    return _OK if silent_s <= age_s else f"silent for {silent_s} s"
