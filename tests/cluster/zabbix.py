"""One host of a Zabbix server, asked for by the name of its node."""

from typing import Any

from tests.support.zabbix.stack import Stack

__all__ = ["Host"]

_LOG = 2
"""What history.get calls the type of a log item."""


class Host:
    """It need not be registered yet."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._name = name
        self._items: dict[str, str] = {}

    def is_registered(self) -> bool:
        """Whether auto-registration is done, of which the template comes last."""
        found = self._stack.call(
            "host.get",
            {
                "filter": {"host": self._name},
                "output": ["hostid"],
                "selectParentTemplates": ["host"],
            },
        )
        return bool(found and found[0]["parentTemplates"])

    def lines(self, limit: int = 0) -> list[dict[str, Any]]:
        """Return the lines of the host's log as they were stored, the newest first; 0 is all."""
        parameters = {
            "itemids": [self._item("logrt[")],
            "history": _LOG,
            "output": ["value", "clock", "ns"],
            "sortfield": "clock",
            "sortorder": "DESC",
            **({"limit": limit} if limit else {}),
        }
        return list(self._stack.call("history.get", parameters))

    def unsupported(self) -> dict[str, str]:
        """Return the keys of items that don't work, with the reason."""
        found = self._stack.call(
            "item.get",
            {"host": self._name, "filter": {"state": 1, "status": 0}, "output": ["key_", "error"]},
        )
        return {item["key_"]: item["error"] for item in found}

    def last_values(self) -> dict[str, str]:
        """Return the last value of each item that has one, by key."""
        found = self._stack.call(
            "item.get", {"host": self._name, "output": ["key_", "lastvalue", "lastclock"]}
        )
        return {item["key_"]: item["lastvalue"] for item in found if item["lastclock"] != "0"}

    def _item(self, key: str) -> str:
        if key not in self._items:
            found = self._stack.call(
                "item.get",
                {
                    "host": self._name,
                    "search": {"key_": key},
                    "startSearch": True,
                    "output": ["itemid"],
                },
            )
            self._items[key] = str(found[0]["itemid"])
        return self._items[key]
