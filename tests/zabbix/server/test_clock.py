"""Nodes whose clock is wrong; the test sends values as their agents would."""

import json
import secrets
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from tests.support.waiting import wait_for
from tests.support.zabbix.hosts import create_host
from tests.support.zabbix.stack import Stack

AHEAD_S = {"clock-ahead": 300, "clock-behind": -300, "clock-right": 0}
TRIGGER = "Bottlerocket: Clock differs from the server's"


def _send(stack: Stack, host: str, ahead_s: int) -> None:
    """Send the local time, as an active agent with such a clock does."""
    clock = int(time.time()) + ahead_s
    value = {"host": host, "key": "system.localtime", "value": str(clock), "id": 1}
    message = {"request": "agent data", "session": secrets.token_hex(16), "clock": clock, "ns": 0}
    body = json.dumps({**message, "data": [{**value, "clock": clock, "ns": 0}]}).encode()
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(b"ZBXD\x01" + struct.pack("<Q", len(body)) + body)
        assert b"failed: 0" in connection.recv(1024)


@pytest.fixture
def hosts(applied: Stack) -> Iterator[Stack]:
    made = [create_host(applied, name) for name in AHEAD_S]
    yield applied
    applied.call("host.delete", made)


def _wrong(stack: Stack) -> set[str]:
    """Return the hosts with a clock problem on the server."""
    query = {"filter": {"description": TRIGGER, "value": 1}, "selectHosts": ["host"]}
    return {trigger["hosts"][0]["host"] for trigger in stack.call("trigger.get", query)}


def test_a_clock_ahead_or_behind_raises_a_trigger_that_recovers_when_it_is_right(
    hosts: Stack,
) -> None:
    time.sleep(2.5)  # the server reads its configuration every second, and does not report it

    def hosts_with_problem(ahead_s: dict[str, int]) -> set[str]:
        for name, seconds in ahead_s.items():
            _send(hosts, name, seconds)
        time.sleep(1)
        return _wrong(hosts)

    wanted = {"clock-ahead", "clock-behind"}
    wait_for(lambda: hosts_with_problem(AHEAD_S) == wanted, "both problems")
    wait_for(lambda: not hosts_with_problem(dict.fromkeys(AHEAD_S, 0)), "their recovery")
