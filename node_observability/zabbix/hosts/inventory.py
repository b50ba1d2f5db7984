"""The hosts of a cluster as the server has them, for ``prune`` and ``check``."""

import dataclasses
import re

from node_observability.errors import UsageError
from node_observability.zabbix.server.api import Api
from node_observability.zabbix.template.render import TEMPLATE

__all__ = ["PRUNED_TAG", "UNHEARD_TAG", "Host", "Item", "hosts"]

# When prune disabled the host. One that a person disabled has no such tag, and is left alone.
PRUNED_TAG = "node-observability-pruned"
# When prune first saw the host without any value of its agent. The API reports neither values older than a
# day nor when a host was added.
UNHEARD_TAG = "node-observability-unheard"
# Of our template; a host may have other log items too.
_LOG_KEY = 'logrt["{$NODEOBS.LOG.DIR}/'
_PING_KEY = "agent.ping"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """An item's state; ``last_s`` is the Unix time of its newest value, 0 if it has none of the last day."""

    last_s: int
    error: str = ""
    enabled: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """One host; ``ping`` and ``log`` are None if it has no such item."""

    id: str
    name: str
    enabled: bool
    in_maintenance: bool = False
    templates: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    ping: Item | None
    log: Item | None

    @property
    def pruned_s(self) -> int | None:
        """When prune disabled it, as Unix time; None if it did not."""
        return self._time_s(PRUNED_TAG)

    @property
    def unheard_s(self) -> int | None:
        """When prune first saw it without any value of its agent, as Unix time; None if it did not."""
        return self._time_s(UNHEARD_TAG)

    def _time_s(self, name: str) -> int | None:
        times = [value for tag, value in self.tags if tag == name]
        return int(times[0]) if times and re.fullmatch("[0-9]{1,15}", times[0]) else None

    @property
    def linked(self) -> bool:
        """Whether our template is linked."""
        return TEMPLATE in self.templates


def hosts(api: Api, group: str) -> list[Host]:
    """Return the hosts of a group, in the order of their names.

    Raises:
        UsageError: there is no such group.
    """
    groups = api.call("hostgroup.get", filter={"name": group}, output=["groupid"])
    if not groups:
        raise UsageError(
            f"no host group `{group}`; run apply first, or give the group that it made with --host-group"
        )
    group_id = groups[0]["groupid"]
    found = api.call(
        "host.get",
        groupids=[group_id],
        output=["hostid", "host", "status", "maintenance_status"],
        selectTags=["tag", "value"],
        selectParentTemplates=["host"],
    )
    pings = _items(api, group_id, filter={"key_": _PING_KEY})
    logs = _items(api, group_id, search={"key_": _LOG_KEY}, startSearch=True)
    return sorted(
        (
            Host(
                id=host["hostid"],
                name=host["host"],
                enabled=int(host["status"]) == 0,
                in_maintenance=int(host["maintenance_status"]) == 1,
                templates=tuple(part["host"] for part in host["parentTemplates"]),
                tags=tuple((tag["tag"], tag["value"]) for tag in host["tags"]),
                ping=pings.get(host["hostid"]),
                log=logs.get(host["hostid"]),
            )
            for host in found
        ),
        key=lambda host: host.name,
    )


def _items(api: Api, group_id: str, **which: object) -> dict[str, Item]:
    """Return one item of each host that has it, by the host's id."""
    found = api.call(
        "item.get",
        groupids=[group_id],
        output=["hostid", "lastclock", "state", "error", "status"],
        **which,
    )
    return {
        item["hostid"]: Item(
            last_s=int(item["lastclock"] or 0),
            enabled=int(item["status"]) == 0,
            # The server's error may have several lines.
            error=" ".join(item["error"].split()) or "no reason" if int(item["state"]) else "",
        )
        for item in found
    }
