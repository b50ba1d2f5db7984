"""Commands of ``node-observability zabbix`` as the tests run them, and what makes their effects quick."""

from collections.abc import Callable

from tests.support.zabbix.hosts import CLUSTER, template
from tests.support.zabbix.stack import Stack

__all__ = ["APPLY", "MACROS", "Command", "shorten_intervals"]

Command = Callable[..., int]
"""Runs ``node-observability zabbix`` with arguments, and variables by name; returns the exit code."""

MACROS = (
    "--macro={$NODEOBS.HOST.ROOT}=/mnt/root",
    "--macro={$NODEOBS.LOG.PERIOD}=30s",
)
"""Where the tests' node differs from one in a pod, and a time that a test can wait for."""
APPLY = ("apply", "--cluster", CLUSTER, *MACROS)


def shorten_intervals(stack: Stack) -> None:
    """Have the template's items checked every 10 s, those of an hour too."""
    (reference,) = template(stack)
    for kind in ("item", "discoveryrule", "itemprototype"):
        found = stack.call(
            f"{kind}.get", {"templateids": [reference["templateid"]], "output": ["itemid", "delay"]}
        )
        for item in found:
            if item["delay"] not in ("0", "1s"):
                stack.call(f"{kind}.update", {"itemid": item["itemid"], "delay": "10s"})
