"""No line is lost or repeated, whatever is killed, frozen or away; and how late a line arrives."""

import signal
import statistics
from collections import Counter
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.support.zabbix.agent import AgentSettings
from tests.support.zabbix.evidence import Evidence, runs
from tests.support.zabbix.forwarder import Forwarder
from tests.support.zabbix.load import Load, counts, drained, matrix, numbers, rows, stored
from tests.support.zabbix.node import METADATA, Node
from tests.support.zabbix.stack import Stack
from tests.support.zabbix.watch import Watch

PER_S = 200
NOT_LONG = "depends on how fast the machine is; part of the long runs: pytest tests/zabbix --long"
# A rotation every few seconds, and archives for twice the longest outage.
SETTINGS = ("--max-bytes", "128Ki", "--keep-files", "9", "--rotation-settle-s", "2")


def test_every_line_is_in_the_history_once_whatever_happens(
    applied: Stack, tmp_path: Path, *, long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server has stored all that it accepted before it stops, and before an agent starts again."""
    if not long:
        pytest.skip(NOT_LONG)
    pause_s, outage_s = 8.0, 30.0
    with (
        Forwarder(applied.port) as way,
        Node(applied, tmp_path, "loaded", *SETTINGS, settings=_agent(way.port)) as node,
        Evidence(node, tmp_path / "evidence") as evidence,
    ):
        item_id = node.item("logrt[")["itemid"]
        agent, exporter = node.agent.daemon, node.exporter
        with Load(node.journald, "logrt", PER_S) as load:
            load.mark("nothing", pause_s)
            agent.kill()
            load.mark("agent killed, away", pause_s)
            drained(load, node, item_id)
            agent.start()
            load.mark("agent back", pause_s)
            agent.signal(signal.SIGSTOP)
            load.mark("agent frozen", pause_s)
            agent.signal(signal.SIGCONT)
            load.mark("agent thawed", pause_s)
            agent.stop()
            drained(load, node, item_id)
            agent.start()
            load.mark("agent restarted", pause_s)
            exporter.kill()
            load.mark("exporter killed, away", pause_s / 2)
            exporter.start()
            load.mark("exporter back", pause_s)
            way.close()
            load.mark("server cut off", 0)
            drained(load, node, item_id)
            applied.server.stop()
            load.mark("server away", outage_s)
            applied.restart_server()
            way.open()
            load.mark("server back", pause_s)
        found = stored(load, node, item_id, 240)
        written = evidence.lines(load)
        rotations = node.exporter.metric("rotations_total")
    with capsys.disabled():
        _print(load, written, found)
        print(f"{rotations:.0f} rotations since the exporter's last start; {tmp_path}")  # noqa: T201
    wrong = (*rows(load, written, "file"), *rows(load, found, "logrt[]"))
    assert [row for row in wrong if row.lost or row.repeated] == []
    assert rotations > 2


def test_a_server_loses_or_has_sent_again_only_what_it_took_and_did_not_store(
    applied: Stack, tmp_path: Path, *, long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zabbix acknowledges a line when it is in memory, where it waits a few seconds for preprocessing.

    A server that stops forgets these lines. To an agent that starts, it sends the position of the last stored
    line, so the agent sends them again. Neither agent nor exporter can prevent that.
    """
    if not long:
        pytest.skip(NOT_LONG)
    repeatable: set[int] = set()
    losable: set[int] = set()
    with (
        Node(applied, tmp_path, "abrupt", *SETTINGS, settings=_agent()) as node,
        Evidence(node, tmp_path / "evidence") as evidence,
    ):
        item_id = node.item("logrt[")["itemid"]
        with Load(node.journald, "abrupt", PER_S) as load:
            for number in range(1, 5):
                load.mark(f"nothing, {number}", 4)
                node.agent.daemon.stop()
                before = counts(node.history(item_id), load.name)
                repeatable.update(set(range(len(load.sent_s))) - set(before))
                node.agent.daemon.start()
                load.mark(f"agent restarted at once, {number}", 6)
                applied.server.stop()
                sent = len(load.sent_s)
                unsent = numbers(node.agent.unsent(), load.name)
                before = counts(node.history(item_id), load.name)
                losable.update(set(range(min(unsent, default=sent))) - set(before))
                # Lines that it stored but did not acknowledge before it ended are sent again.
                repeatable.update(unsent)
                load.mark(f"server stopped at once, {number}", 2)
                applied.restart_server()
            load.mark("server back", 4)
        found = stored(load, node, item_id, 240)
        written = evidence.lines(load)
    with capsys.disabled():
        _print(load, written, found)
    assert [row for row in rows(load, written, "file") if row.lost or row.repeated] == []
    assert {number for number in range(len(load.sent_s)) if not found[number]} <= losable
    assert {number for number in found if found[number] > 1} <= repeatable


def _agent(port: int = 0) -> AgentSettings:
    """Return the settings of an agent that logs what it does with its files."""
    return AgentSettings(metadata=METADATA, server_port=port, extra="DebugLevel=4")


def _print(load: Load, written: Counter[int], found: Counter[int]) -> None:
    sent = range(len(load.sent_s))
    print(f"\n{matrix(rows(load, written, 'file'))}\n{matrix(rows(load, found, 'logrt[]'))}")  # noqa: T201
    print(f"lost: {runs(number for number in sent if not found[number])}")  # noqa: T201
    print(f"repeated: {runs(number for number in sent if found[number] > 1)}")  # noqa: T201


def test_an_item_of_log_gets_every_line_when_the_agent_keeps_up_and_the_exporter_settles(
    applied: Stack, tmp_path: Path, *, long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if not long:
        pytest.skip(NOT_LONG)
    settings = ("--max-bytes", "128Ki", "--keep-files", "9", "--rotation-settle-s", "5")
    with Node(applied, tmp_path, "settled", *settings) as node:
        made = applied.call(
            "item.create",
            {
                "hostid": node.id,
                "name": "An item of before",
                "key_": "log[/var/log/messages,,,1000]",
                "type": 7,
                "value_type": 2,
                "delay": "1s",
            },
        )
        item_id = made["itemids"][0]

        node.journald.send(b"an agent that reads this keeps up", SYSLOG_IDENTIFIER="before")
        node.restart_agent()
        wait_for(lambda: node.history(item_id), "the item to be checked")
        with Load(node.journald, "log", PER_S) as load:
            load.mark("nothing", 60)
        found = rows(load, stored(load, node, item_id, 90), "log[]")
        rotations = node.exporter.metric("rotations_total")
    with capsys.disabled():
        print(f"\n{matrix(found)}\n{rotations:.0f} rotations")  # noqa: T201
    assert [row for row in found if row.lost or row.repeated] == []
    assert rotations > 1


@pytest.mark.parametrize("per_s", [10, 100])
def test_a_line_is_in_the_history_a_few_seconds_after_it_was_logged(
    node: Node, per_s: int, *, long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the API shows it, which is read ten times per second."""
    with Load(node.journald, f"late{per_s}", per_s) as load, Watch(node, load) as watch:
        load.mark("", 60 if long else 4)
        load.stop()
        watch.wait_for_all()
    seen_s = watch.seen_s
    late_s = [seen_s[number] - sent_s for number, sent_s in enumerate(load.sent_s)]
    cuts = statistics.quantiles(late_s, n=100)
    with capsys.disabled():
        print(f"\n{per_s} lines/s: p50 {cuts[49]:.1f} s, p99 {cuts[98]:.1f} s, {len(late_s)} lines")  # noqa: T201
    assert cuts[98] < 15
