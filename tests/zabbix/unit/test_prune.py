"""What ``prune`` does with a host, depending on node and agent; and the status that ``check`` prints."""

import dataclasses

import pytest

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.hosts import prune
from node_observability.zabbix.hosts.inventory import PRUNED_TAG, UNHEARD_TAG, Host, Item
from node_observability.zabbix.hosts.prune import Verdict
from node_observability.zabbix.hosts.status import node_statuses, table
from node_observability.zabbix.template.render import TEMPLATE

NOW_S = 1_800_000_000


def _host(
    name: str = "a",
    *,
    last_s: int | None = NOW_S,
    enabled: bool = True,
    pruned_s: int | None = None,
    unheard_s: int | None = None,
    in_maintenance: bool = False,
) -> Host:
    return Host(
        id="1",
        name=name,
        enabled=enabled,
        in_maintenance=in_maintenance,
        templates=(TEMPLATE,),
        tags=tuple(
            (tag, str(time_s))
            for tag, time_s in ((PRUNED_TAG, pruned_s), (UNHEARD_TAG, unheard_s))
            if time_s is not None
        ),
        ping=None if last_s is None else Item(last_s=last_s),
        log=None if last_s is None else Item(last_s=last_s),
    )


@pytest.mark.parametrize(
    ("host", "node", "verdict"),
    [
        (_host(), "a", Verdict.KEEP),
        (_host(last_s=0), "a", Verdict.KEEP),  # silent, but its node is there
        (_host(), "b", Verdict.ALIVE),  # its node is gone, but the agent is alive
        (_host(last_s=NOW_S - 100), "b", Verdict.ALIVE),  # within the grace
        (_host(last_s=NOW_S - 101), "b", Verdict.DISABLE),
        # No value yet: it may have registered a second ago, so the grace period begins now.
        (_host(last_s=0), "b", Verdict.UNHEARD),
        (_host(last_s=0, unheard_s=NOW_S - 100), "b", Verdict.ALIVE),
        (_host(last_s=0, unheard_s=NOW_S - 101), "b", Verdict.DISABLE),
        (_host(last_s=NOW_S - 1, unheard_s=NOW_S - 101), "b", Verdict.ALIVE),
        (_host(enabled=False, pruned_s=NOW_S - 999), "b", Verdict.WAIT),
        (_host(enabled=False, pruned_s=NOW_S - 1000), "b", Verdict.DELETE),
        (_host(enabled=False), "b", Verdict.LEAVE),  # a person did that
        (_host(enabled=False), "a", Verdict.KEEP),
        (_host(enabled=False, pruned_s=NOW_S - 5000), "a", Verdict.ENABLE),  # back
        # Enabled by a person: prune starts over.
        (_host(last_s=0, pruned_s=NOW_S - 5000), "b", Verdict.UNHEARD),
        (_host(last_s=NOW_S - 101, pruned_s=NOW_S - 5000), "b", Verdict.DISABLE),
        # Enabled by a person: if a person disables it later, the tag must not say that prune did.
        (_host(pruned_s=NOW_S - 5000), "a", Verdict.UNTAG),
        (_host(pruned_s=NOW_S - 5000), "b", Verdict.UNTAG),
        # Silence means nothing if no values are collected, or there is no item.
        (_host(last_s=0, in_maintenance=True), "b", Verdict.MAINTENANCE),
        (
            _host(enabled=False, pruned_s=NOW_S - 5000, in_maintenance=True),
            "b",
            Verdict.MAINTENANCE,
        ),
        (_host(last_s=None), "b", Verdict.UNMONITORED),
        (
            dataclasses.replace(_host(), ping=Item(last_s=0, enabled=False)),
            "b",
            Verdict.UNMONITORED,
        ),
        (_host(last_s=None), "a", Verdict.KEEP),
    ],
)
def test_a_host_is_judged_by_its_node_and_its_agent(
    host: Host, node: str, verdict: Verdict
) -> None:
    hosts, nodes = [host, _host("there")], frozenset({node, "there"})
    step, _ = prune.plan(hosts, nodes, now_s=NOW_S, grace_s=100, delete_after_s=1000)
    assert step.verdict is verdict


def test_an_empty_list_of_nodes_is_refused() -> None:
    with pytest.raises(ToolboxError, match="nothing was done"):
        prune.plan([_host(last_s=0)], frozenset(), now_s=NOW_S, grace_s=100, delete_after_s=1000)


def test_a_list_without_any_of_the_hosts_is_refused_as_another_clusters() -> None:
    hosts, nodes = [_host(last_s=NOW_S - 101), _host("c")], frozenset({"b"})
    with pytest.raises(UsageError, match=r"none of the 2 hosts .* \(b\); .*--all-gone"):
        prune.plan(hosts, nodes, now_s=NOW_S, grace_s=100, delete_after_s=1000)
    steps = prune.plan(hosts, nodes, now_s=NOW_S, grace_s=100, delete_after_s=1000, all_gone=True)
    assert [step.verdict for step in steps] == [Verdict.DISABLE, Verdict.ALIVE]
    assert prune.plan([], nodes, now_s=NOW_S, grace_s=100, delete_after_s=1000) == []


def test_check_shows_what_is_wrong_with_each_node() -> None:
    hosts = [
        _host("good"),
        _host("off", enabled=False),
        _host("silent", last_s=NOW_S - 400),
        Host(
            id="2",
            name="bare",
            enabled=True,
            templates=(),
            tags=(),
            ping=None,
            log=Item(last_s=0, error="no such directory"),
        ),
    ]
    off = Item(last_s=NOW_S, enabled=False)
    hosts.append(dataclasses.replace(_host("unwatched"), ping=off, log=off))
    names = frozenset({"good", "off", "silent", "bare", "new", "unwatched"})
    found = node_statuses(hosts, names, now_s=NOW_S, agent_age_s=300, log_age_s=3600)
    assert [one.node for one in found if one.ok] == ["good"]
    assert table(found).splitlines() == [
        "NODE       HOST            TEMPLATE    AGENT             LOG",
        "bare       ok              not linked  no item           not supported: no such directory",
        "good       ok              ok          ok                ok",
        "new        not registered  -           -                 -",
        "off        disabled        ok          ok                ok",
        "silent     ok              ok          silent for 400 s  ok",
        "unwatched  ok              ok          item disabled     item disabled",
    ]


@pytest.mark.parametrize("value", ["", "soon", "-1", "²"])
def test_a_tag_with_an_invalid_time_is_ignored(value: str) -> None:
    host = dataclasses.replace(_host(enabled=False), tags=((PRUNED_TAG, value),))
    hosts, nodes = [host, _host("there")], frozenset({"b", "there"})
    step, _ = prune.plan(hosts, nodes, now_s=NOW_S, grace_s=100, delete_after_s=1000)
    assert step.verdict is Verdict.LEAVE
