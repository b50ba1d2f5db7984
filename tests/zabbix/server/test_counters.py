"""Triggers on counters, which begin again when the exporter starts; the test sends scrapes of two hours."""

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

KEY = 'web.page.get["http://127.0.0.1:{$NODEOBS.EXPORTER.PORT}/metrics"]'
SCRAPE = """\
# HELP journal_exporter_entries_lost_total Journal entries lost.
journal_exporter_entries_lost_total {0}
journal_exporter_numbering_restarts_total {0}
journal_exporter_recovery_mismatches_total {0}
journal_exporter_checkpoints_set_aside_total {0}
journal_exporter_worker_restarts_total{{signal="SIGBUS"}} {0}
journal_exporter_worker_restarts_total{{signal="SIGKILL"}} 0
"""
TRIGGERS = {
    "Exporter counted lost entries",
    "Journal's sequence numbers started again",
    "Host log was changed by somebody else",
    "Exporter's checkpoint was damaged",
    "Exporter's worker restarts",
}
INTERVAL_S = 600
RAISED = {
    "new-and-counted": [800],
    "new-and-counted-later": [0, 800],
    "running-and-counted": [900] * 12 + [950],
    "restarted-and-counted-less": [900] * 12 + [800],
    "restarted-and-counted-later": [900] * 11 + [0, 800],
}
QUIET = {
    "new": [0],
    "running": [900] * 13,
    "restarted": [900] * 12 + [0],
    "restarted-long-ago": [900, 900, *[0] * 11],
}
"""The totals of each host, ten minutes apart; the last one is of now."""


def _send(stack: Stack, host: str, totals: list[int]) -> None:
    """Send scrapes as an agent does that could not send for two hours."""
    now_s = int(time.time())
    begin_s = now_s - INTERVAL_S * (len(totals) - 1)
    values = [
        {
            "host": host,
            "key": KEY,
            "value": SCRAPE.format(total),
            "id": at + 1,
            "ns": 0,
            "clock": begin_s + INTERVAL_S * at,
        }
        for at, total in enumerate(totals)
    ]
    message = {"request": "agent data", "session": secrets.token_hex(16), "clock": now_s, "ns": 0}
    body = json.dumps({**message, "data": values}).encode()
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(b"ZBXD\x01" + struct.pack("<Q", len(body)) + body)
        assert b"failed: 0" in connection.recv(1024)


@pytest.fixture
def hosts(applied: Stack) -> Iterator[Stack]:
    made = [create_host(applied, name) for name in (*QUIET, *RAISED)]
    time.sleep(2.5)  # the server reads its configuration every second, and does not report it
    yield applied
    applied.call("host.delete", made)


def _problems(stack: Stack) -> dict[str, set[str]]:
    """Return the triggers in problem state of each host, without those that the scrapes do not concern."""
    query = {"filter": {"value": 1}, "selectHosts": ["host"], "output": ["description"]}
    found: dict[str, set[str]] = {}
    for trigger in stack.call("trigger.get", query):
        name = trigger["description"].removeprefix("Bottlerocket: ")
        if name in TRIGGERS:
            found.setdefault(trigger["hosts"][0]["host"], set()).add(name)
    return found


def test_a_trigger_on_a_counter_is_raised_by_what_was_counted_before_the_first_value_too(
    hosts: Stack,
) -> None:
    for name, totals in (QUIET | RAISED).items():
        _send(hosts, name, totals)
    # At first the old totals of the quiet hosts are new; they recover with the later values.
    wait_for(
        lambda: _problems(hosts) == dict.fromkeys(RAISED, TRIGGERS),
        "the problems of the hosts that counted, and no other",
        60,
        evidence=lambda: str(_problems(hosts)),
    )
