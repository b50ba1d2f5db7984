"""A node as the pod has it: a real journald, the real exporter, the real agent."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.support.exporter import Exporter
from tests.support.journald import Journald
from tests.support.waiting import wait_for
from tests.support.zabbix.stack import Agent, AgentSettings, Stack

__all__ = ["CLUSTER", "GROUP", "METADATA", "NODE_NAME", "Node"]

CLUSTER = "prod-1.example"
GROUP = f"Kubernetes/{CLUSTER}/Bottlerocket nodes"
NODE_NAME = "ip-10-0-1-23.eu-west-1.compute.internal"
"""Of the node that tests share."""
METADATA = f"bottlerocket arch=x86_64 cluster={CLUSTER} group=workers"


class Node:
    """Everything of one node; a context manager that has it registered and its items checked.

    ``prefix`` runs the exporter; ``trouble`` is made before the agent takes its first value.
    """

    def __init__(
        self,
        stack: Stack,
        base: Path,
        name: str,
        *exporter: str,
        settings: AgentSettings | None = None,
        prefix: tuple[str, ...] = (),
        trouble: Callable[["Node"], None] | None = None,
    ) -> None:
        self.stack = stack
        self.name = name
        self.journald = Journald(base / "host")
        self.exporter = Exporter(
            base / "out", "--journal-root", str(base / "host"), *exporter, prefix=prefix
        )
        self.agent = Agent(
            stack,
            base / "agent",
            name,
            self.exporter.output.parent,
            settings or AgentSettings(metadata=METADATA),
        )
        self.started_s, self.registered_s = 0.0, 0.0
        self._trouble = trouble
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        begun_s = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.journald)
            stack.enter_context(self.exporter)
            if self._trouble is not None:
                self._trouble(self)
            stack.enter_context(self.agent)
            self.registered_s = wait_for(self.registered, f"{self.name} to be registered")
            self.started_s = time.monotonic() - begun_s
            self.set_macro("{$NODEOBS.EXPORTER.PORT}", str(self.exporter.port))
            self.restart_agent()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()
        self.stack.call("host.delete", [self.id])

    def restart_agent(self) -> None:
        """Have the agent ask for its items, which it otherwise does once a minute.

        Before that the server must have read what is new; it does so each second, and tells nobody.
        """
        self.agent.daemon.kill()
        time.sleep(2.5)
        self.agent.daemon.start()

    def host(self) -> Any:  # noqa: ANN401 - JSON
        """Return the host as the API has it; None while it is not registered."""
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

    def registered(self) -> bool:
        """Whether the action's operations are done; the last links the template."""
        host = self.host()
        return host is not None and bool(host["parentTemplates"])

    @property
    def id(self) -> str:
        """The host's id."""
        return str(self.host()["hostid"])

    def set_macro(self, name: str, value: str) -> None:
        """Give the host a macro of its own, or that one another value."""
        query = {"hostids": [self.id], "filter": {"macro": name}, "output": ["hostmacroid"]}
        found = self.stack.call("usermacro.get", query)
        if found:
            changed = {"hostmacroid": found[0]["hostmacroid"], "value": value}
            self.stack.call("usermacro.update", changed)
            return
        self.stack.call("usermacro.create", {"hostid": self.id, "macro": name, "value": value})

    def clear_macros(self) -> None:
        """Take away the host's own macros, but for the exporter's port."""
        found = self.stack.call(
            "usermacro.get", {"hostids": [self.id], "output": ["hostmacroid", "macro"]}
        )
        others = [one["hostmacroid"] for one in found if "EXPORTER.PORT" not in one["macro"]]
        if others:
            self.stack.call("usermacro.delete", others)

    def items(self, **more: object) -> list[dict[str, Any]]:
        """Return the host's items."""
        parameters = {"hostids": [self.id], "output": "extend", **more}
        return list(self.stack.call("item.get", parameters))

    def item(self, key: str) -> dict[str, Any]:
        """Return the item whose key begins so."""
        (found,) = self.items(search={"key_": key}, startSearch=True)
        return found

    def problems(self) -> set[str]:
        """Return the names of the triggers that are in problem state."""
        found = self.stack.call(
            "trigger.get",
            {"hostids": [self.id], "filter": {"value": 1}, "output": ["description"]},
        )
        return {trigger["description"].removeprefix("Bottlerocket: ") for trigger in found}

    def history(self, item_id: str, kind: int = 2) -> list[dict[str, Any]]:
        """Return all values of an item (kind 2 is a log's) as they were stored."""
        return list(
            self.stack.call(
                "history.get",
                {"itemids": [item_id], "history": kind, "output": "extend", "sortfield": "clock"},
            )
        )
