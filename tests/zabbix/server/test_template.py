"""From a line in a real journal to a trigger, with the real exporter, agent and server."""

import re

import pytest

from node_observability.zabbix.template import catalogue
from tests.support.waiting import wait_for
from tests.support.zabbix.commands import APPLY, Command, shorten_intervals
from tests.support.zabbix.hosts import GROUP
from tests.support.zabbix.node import Node

PATTERNS = catalogue.load()
NAMES = {pattern.name for pattern in PATTERNS}
_LINE = re.compile(r"\S+ \S+ ([^ :\[]+)(?:\[[0-9]+\])?: (.*)")


def test_a_node_registers_itself_with_the_psk_within_15_seconds(node: Node) -> None:
    host = node.host()
    assert node.registered_s < 15
    assert host["tls_connect"] == host["tls_accept"] == "2"
    assert GROUP in [group["name"] for group in host["groups"]]
    assert [part["host"] for part in host["parentTemplates"]] == [
        "Bottlerocket node by Zabbix agent active"
    ]


@pytest.fixture(scope="module")
def raised(node: Node) -> Node:
    """Return the node after every example of the catalogue was logged there and raised its trigger."""
    assert node.problems() & NAMES == set()
    for pattern in PATTERNS:
        for line in (*pattern.matches, *pattern.not_matches):
            found = _LINE.fullmatch(line)
            assert found, line
            node.journald.send(found[2].encode(), SYSLOG_IDENTIFIER=found[1], PRIORITY=4)
    wait_for(lambda: node.problems() >= NAMES, "every pattern's trigger", 60)
    return node


def test_every_pattern_raises_its_trigger_for_its_own_lines_only(
    raised: Node,
) -> None:
    lines = [line for pattern in PATTERNS for line in (*pattern.matches, *pattern.not_matches)]
    for pattern in PATTERNS:
        item = raised.item(f"nodeobs.log.match[{pattern.id}]")
        values = [value["value"] for value in raised.history(item["itemid"], 4)]
        assert len(values) == sum(bool(re.search(pattern.regex, line)) for line in lines), (
            pattern.id
        )


def test_every_item_is_supported_and_has_a_value_and_apply_restores_what_was_changed(
    node: Node, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    shorten_intervals(node.stack)
    node.restart_agent()
    allowed = {f"nodeobs.log.match[{pattern.id}]" for pattern in PATTERNS}

    def without_value() -> dict[str, str]:
        return {
            item["key_"]: item["error"] or "no value"
            for item in node.items()
            if item["state"] != "0"
            or (item["lastclock"] == "0" and item["history"] != "0" and item["key_"] not in allowed)
        }

    def found() -> bool:
        keys = {item["key_"] for item in node.items()}
        wanted = ("vfs.fs.size[/mnt/root/local,pused]", "net.if.in[", "nodeobs.dev.util[")
        return all(any(key.startswith(prefix) for key in keys) for prefix in wanted)

    try:
        wait_for(found, "what is discovered", 60)
        node.restart_agent()
        wait_for(lambda: not without_value(), "every item to have a value", 90)
    finally:
        left = without_value()
        capsys.readouterr()
        assert command(*APPLY) == 0
        out = capsys.readouterr().out
        assert left == {}
    assert "item `agent.version`: delay: `10s` -> `1h`" in out
    assert command(*APPLY, "--check") == 0
    names = {item["name"] for item in node.items()}
    # Not /mnt/root/local, where the agent sees it.
    assert "/local: used in %" in names


def test_every_trigger_of_a_pattern_recovers(raised: Node) -> None:
    wait_for(lambda: not raised.problems() & NAMES, "every pattern's recovery", 120)
