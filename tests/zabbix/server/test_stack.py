"""The Zabbix of the tests itself."""

from tests.support.zabbix.node import Node


def test_server_and_node_are_up_in_under_a_minute(node: Node) -> None:
    assert node.stack.started_s > 0
    assert node.started_s > 0
    assert node.stack.started_s + node.started_s < 60
