"""A node as the pod has it: a real journald, the real exporter, the real agent."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.support.exporter import Exporter
from tests.support.journald import Journald
from tests.support.waiting import wait_for
from tests.support.zabbix.agent import Agent, AgentSettings
from tests.support.zabbix.hosts import CLUSTER, Host
from tests.support.zabbix.stack import Stack

__all__ = ["METADATA", "NODE_NAME", "Node"]

NODE_NAME = "ip-10-0-1-23.eu-west-1.compute.internal"
"""The node that tests share."""
METADATA = f"bottlerocket arch=x86_64 cluster={CLUSTER} group=workers"


class Node(Host):
    """A host with everything that a node runs; a context manager that waits until it is registered.

    ``prefix`` is a command that runs the exporter; ``trouble`` is called before the agent starts.
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
        super().__init__(stack, name)
        self.journald = Journald(base / "host")
        self.exporter = Exporter(
            base / "out", "--journal-root", str(base / "host"), *exporter, prefix=prefix
        )
        logs = self.exporter.output.parent
        settings = settings or AgentSettings(metadata=METADATA)
        self.agent = Agent(stack, base / "agent", name, logs, settings)
        self.started_s, self.registered_s = 0.0, 0.0
        self._trouble = trouble
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        begun_s = time.monotonic()
        with contextlib.ExitStack() as running:
            running.enter_context(self.journald)
            running.enter_context(self.exporter)
            if self._trouble is not None:
                self._trouble(self)
            running.enter_context(self.agent)
            self.registered_s = wait_for(self.is_registered, f"{self.name} to be registered")
            self.started_s = time.monotonic() - begun_s
            self.set_macro("{$NODEOBS.EXPORTER.PORT}", str(self.exporter.port))
            self.restart_agent()
            self._running = running.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._running.close()
        self.stack.call("host.delete", [self.id])

    def restart_agent(self) -> None:
        """Make the agent request its items, which it otherwise does once a minute.

        Before that the server must have read what is new; it does so each second, and does not report it.
        """
        self.agent.daemon.kill()
        time.sleep(2.5)
        self.agent.daemon.start()
