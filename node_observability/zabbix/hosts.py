"""A cluster's hosts as the server has them: what ``prune`` and ``check`` look at."""

import dataclasses

from node_observability.errors import UsageError
from node_observability.zabbix.api import Api
from node_observability.zabbix.render import TEMPLATE

__all__ = ["PRUNED_TAG", "Host", "Item", "hosts"]

# When we disabled the host. One that a person disabled has no such tag, and is left alone.
PRUNED_TAG = "node-observability-pruned"
_LOG_KEY = "logrt["
_PING_KEY = "agent.ping"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """An item's state; ``last_s`` is when its newest value was taken, 0 when it has none (of the last
    day).
    """

    last_s: int
    error: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """One host; ``pruned_s`` is when prune disabled it, None where it did not."""

    id: str
    name: str
    enabled: bool
    templates: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    ping: Item | None
    log: Item | None

    @property
    def pruned_s(self) -> int | None:
        """When prune disabled it, in seconds since 1970."""
        times = [value for tag, value in self.tags if tag == PRUNED_TAG]
        return int(times[0]) if times and times[0].isdigit() else None

    @property
    def linked(self) -> bool:
        """Whether our template is linked."""
        return TEMPLATE in self.templates


def hosts(api: Api, group: str) -> list[Host]:
    """Return the hosts of a group by name.

    Raises:
        UsageError: there is no such group.

    """
    groups = api.call("hostgroup.get", filter={"name": group}, output=["groupid"])
    if not groups:
        raise UsageError(
            f"no host group `{group}`; give the one that `apply` made by --host-group or --cluster"
        )
    group_id = groups[0]["groupid"]
    found = api.call(
        "host.get",
        groupids=[group_id],
        output=["hostid", "host", "status"],
        selectTags=["tag", "value"],
        selectParentTemplates=["host"],
    )
    items: dict[str, dict[str, Item]] = {}
    for key in (_PING_KEY, _LOG_KEY):
        for item in api.call(
            "item.get",
            groupids=[group_id],
            search={"key_": key},
            startSearch=True,
            output=["hostid", "key_", "lastclock", "state", "error"],
        ):
            error = item["error"] or "not supported" if int(item["state"]) else ""
            items.setdefault(key, {})[item["hostid"]] = Item(
                last_s=int(item["lastclock"] or 0), error=error
            )
    return sorted(
        (
            Host(
                id=host["hostid"],
                name=host["host"],
                enabled=int(host["status"]) == 0,
                templates=tuple(part["host"] for part in host["parentTemplates"]),
                tags=tuple((tag["tag"], tag["value"]) for tag in host["tags"]),
                ping=items.get(_PING_KEY, {}).get(host["hostid"]),
                log=items.get(_LOG_KEY, {}).get(host["hostid"]),
            )
            for host in found
        ),
        key=lambda host: host.name,
    )
