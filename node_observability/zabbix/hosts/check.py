"""Whether each node is watched, as the server sees it; pure."""

import dataclasses
from collections.abc import Iterable

from node_observability.zabbix.hosts.inventory import Host, Item

__all__ = ["Row", "rows", "table"]

_OK = "ok"
_COLUMNS = ("node", "host", "template", "agent", "log")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One node; each column is `ok` or says what is wrong."""

    node: str
    host: str
    template: str = "-"
    agent: str = "-"
    log: str = "-"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(getattr(self, name) == _OK for name in _COLUMNS[1:])


def rows(
    hosts: Iterable[Host], nodes: frozenset[str], *, now_s: int, agent_age_s: int, log_age_s: int
) -> list[Row]:
    """Return a row for each node, by name."""
    by_name = {host.name: host for host in hosts}

    def row(node: str) -> Row:
        host = by_name.get(node)
        if host is None:
            return Row(node=node, host="not registered")
        return Row(
            node=node,
            host=_OK if host.enabled else "disabled",
            template=_OK if host.linked else "not linked",
            agent=_state(host.ping, now_s, agent_age_s),
            log=_state(host.log, now_s, log_age_s),
        )

    return [row(node) for node in sorted(nodes)]


def table(found: Iterable[Row]) -> str:
    """Return the rows as columns, for people."""
    lines = [tuple(name.upper() for name in _COLUMNS)]
    lines += [tuple(getattr(row, name) for name in _COLUMNS) for row in found]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


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
