"""Hosts of a Zabbix server: what the server has of one, and hosts without an agent."""

import functools
from typing import Any

from node_observability.zabbix.hosts.inventory import UNHEARD_TAG
from node_observability.zabbix.template.render import TEMPLATE
from tests.support.zabbix.stack import Stack

__all__ = ["CLUSTER", "GROUP", "UNHEARD", "Host", "create_host", "template"]

CLUSTER = "prod-1.example"
GROUP = f"Kubernetes/{CLUSTER}/Bottlerocket nodes"
UNHEARD = {"tag": UNHEARD_TAG, "value": "1"}
"""Of a host that ``prune`` has seen without any value since 1970: its grace period is over."""
_LOG = 2
"""The API's number for the history of log items."""


def template(stack: Stack) -> list[dict[str, str]]:
    """Return the template, in the form in which other objects refer to it."""
    found = stack.call("template.get", {"filter": {"host": TEMPLATE}, "output": ["templateid"]})
    return list(found)


def create_host(
    stack: Stack,
    name: str,
    *tags: dict[str, str],
    group: str = GROUP,
    linked: bool = True,
    enabled: bool = True,
) -> str:
    """Create a host without an agent in a host group that exists; return its id."""
    (found,) = stack.call("hostgroup.get", {"filter": {"name": [group]}, "output": ["groupid"]})
    host = {"host": name, "groups": [found], "tags": list(tags), "status": int(not enabled)}
    host["templates"] = template(stack) if linked else []
    return str(stack.call("host.create", host)["hostids"][0])


class Host:
    """One host, by the name of its node; it need not be registered yet."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.name = name

    def host(self) -> Any:  # noqa: ANN401 - JSON
        """Return the host as the API has it; None if it is not registered."""
        found = self.stack.call(
            "host.get",
            {
                "filter": {"host": self.name},
                "output": "extend",
                "selectParentTemplates": ["host"],
                "selectGroups": ["name"],
                "selectTags": "extend",
            },
        )
        return found[0] if found else None

    def is_registered(self) -> bool:
        """Whether auto-registration is complete; its last step links the template."""
        host = self.host()
        return host is not None and bool(host["parentTemplates"])

    @property
    def id(self) -> str:
        """The host's id."""
        return str(self.host()["hostid"])

    def set_macro(self, name: str, value: str) -> None:
        """Set a macro of the host."""
        query = {"hostids": [self.id], "filter": {"macro": name}, "output": ["hostmacroid"]}
        found = self.stack.call("usermacro.get", query)
        if found:
            changed = {"hostmacroid": found[0]["hostmacroid"], "value": value}
            self.stack.call("usermacro.update", changed)
            return
        self.stack.call("usermacro.create", {"hostid": self.id, "macro": name, "value": value})

    def clear_macros(self) -> None:
        """Remove the host's macros, except for the exporter's port."""
        found = self.stack.call(
            "usermacro.get", {"hostids": [self.id], "output": ["hostmacroid", "macro"]}
        )
        others = [one["hostmacroid"] for one in found if "EXPORTER.PORT" not in one["macro"]]
        if others:
            self.stack.call("usermacro.delete", others)

    def items(self, **more: object) -> list[dict[str, Any]]:
        """Return the host's items."""
        return list(self.stack.call("item.get", {"host": self.name, "output": "extend", **more}))

    def item(self, key: str) -> dict[str, Any]:
        """Return the item whose key begins with a text."""
        (found,) = self.items(search={"key_": key}, startSearch=True)
        return found

    def unsupported(self) -> dict[str, str]:
        """Return the keys of items that don't work, with the reason."""
        found = self.items(filter={"state": 1, "status": 0})
        return {item["key_"]: item["error"] for item in found}

    def last_values(self) -> dict[str, str]:
        """Return the last value of each item that has one, by key."""
        found = self.items(output=["key_", "lastvalue", "lastclock"])
        return {item["key_"]: item["lastvalue"] for item in found if item["lastclock"] != "0"}

    def problems(self) -> set[str]:
        """Return the names of the triggers that are in problem state."""
        found = self.stack.call(
            "trigger.get",
            {"hostids": [self.id], "filter": {"value": 1}, "output": ["description"]},
        )
        return {trigger["description"].removeprefix("Bottlerocket: ") for trigger in found}

    def history(self, item_id: str, kind: int = _LOG, limit: int = 0) -> list[dict[str, Any]]:
        """Return the values of an item as they were stored, the newest first; limit 0 is all."""
        parameters = {"itemids": [item_id], "history": kind, "output": "extend"}
        parameters |= {"sortfield": "clock", "sortorder": "DESC"}
        return list(
            self.stack.call("history.get", parameters | ({"limit": limit} if limit else {}))
        )

    def lines(self, limit: int = 0) -> list[dict[str, Any]]:
        """Return the lines of the host log as they were stored, the newest first; limit 0 is all."""
        return self.history(self._log_id, limit=limit)

    @functools.cached_property
    def _log_id(self) -> str:
        return str(self.item("logrt[")["itemid"])
