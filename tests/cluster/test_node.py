"""Two real nodes with the chart, and lines followed from journal and containers to their destinations.

The tests share the cluster and build on each other, down to the uninstall.
"""

import json
import os
import re
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import images
from tests.cluster.control_plane import HOST, ControlPlane
from tests.cluster.machines import BOTTLEROCKET, OTHER, image_names, machines
from tests.cluster.node import Node
from tests.cluster.processes import run
from tests.cluster.release import AGENT, CRI, DOCKER, VALUES, Release
from tests.cluster.repeats import unexplained
from tests.support.helm import NAMESPACE
from tests.support.journald import Journald
from tests.support.receiver import Receiver, receiver
from tests.support.waiting import wait_for
from tests.support.zabbix.hosts import Host
from tests.support.zabbix.load import Load, counts
from tests.support.zabbix.stack import PSK_IDENTITY, Stack
from tests.support.zabbix.watch import Watch

ONE_EACH = {AGENT: 1, CRI: 1, DOCKER: 1}
LOAD_PER_S = 20
NUMBER = re.compile(rb" load\[\d+\]: (\w+) (\d+) ")
WALKER = re.compile(r" walker\[\d+\]: the first line that is followed$", re.MULTILINE)
# agent2 requests its items a minute after it registered, and the server needs time to publish a new host.
ITEMS_S = 180.0
LATE_S = 20.0
"""The p99 is 8 to 9 s on two busy cores: the agent sends every 5 s."""
KEPT = {
    BOTTLEROCKET: {
        "var/log/node-observability/messages",
        "var/lib/node-observability/journal-exporter",
        "var/lib/node-observability/fluent-bit-cri",
    },
    # The second is empty: it was created for the mount, as this node has no Docker.
    OTHER: {"var/lib/node-observability/fluent-bit-docker", "var/lib/docker/containers"},
}
"""What an uninstall leaves on the nodes, according to the chart's README."""
NO_FLUENT_BIT = "NODEOBS_FLUENT_BIT names no binary: the stand-in checked configuration and mounts"
CONFIGURATION = "/etc/zabbix/node-observability/zabbix_agent2.conf"

Figure = Callable[[str], None]


@dataclass
class Cluster:
    """The nodes, Zabbix, the output of Fluent Bit and the release."""

    plane: ControlPlane
    bottlerocket: Node
    other: Node
    journald: Journald
    zabbix: Stack
    host: Host
    output: Receiver
    release: Release
    objects: set[str]
    """What existed before the first install."""

    def numbers(self, name: str) -> Counter[int]:
        """Return how often each number of a load is in the node's files."""
        logs = self.bottlerocket.logs / "node-observability"
        text = b"".join(path.read_bytes() for path in sorted(logs.glob("messages*")))
        return Counter(
            int(number) for found, number in NUMBER.findall(text) if found == name.encode()
        )


@pytest.fixture(scope="module")
def applied(zabbix: Stack) -> Stack:
    """Return a Zabbix after ``apply``, which the chart runs in ``test_zabbix_jobs``."""
    run(
        *(Path(sys.executable).with_name("node-observability"), "zabbix", "apply"),
        *("--cluster", "cluster-test"),
        environment={
            **os.environ,
            "ZABBIX_URL": zabbix.url,
            "ZABBIX_API_TOKEN": zabbix.token(),
            "ZABBIX_PSK_IDENTITY": PSK_IDENTITY,
            "ZABBIX_PSK": zabbix.psk,
        },
    )
    # Otherwise the agent may register before the server has read the new action.
    zabbix.server.stop()
    zabbix.restart_server()
    return zabbix


@pytest.fixture(scope="module")
def cluster(
    plane: ControlPlane, applied: Stack, evidence: list[Callable[[], str]], figure: Figure
) -> Iterator[Cluster]:
    """Run two nodes with the chart's images, with nothing installed."""
    release = Release(plane, "--values", str(VALUES), "--set", f"zabbix.server.port={applied.port}")
    begun_s = time.monotonic()
    with machines(plane, release.manifest()) as running, receiver(HOST, 8888) as output:
        nodes = (running.bottlerocket, running.other)
        evidence += [release.evidence, *(node.evidence for node in nodes)]
        for name, archive in running.archives.items():
            figure(f"image {name}: {archive.unpacked_bytes / 1e6:.0f} MB unpacked, {archive.name}")
        figure(f"two nodes with images, from nothing: {time.monotonic() - begun_s:.0f} s")
        release.prepare(applied.psk)
        host = Host(applied, BOTTLEROCKET)
        objects = release.objects()
        yield Cluster(plane, *nodes, running.journald, applied, host, output, release, objects)


def test_the_daemon_sets_are_ready_on_the_nodes_that_coverage_predicted(
    cluster: Cluster, figure: Figure, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(cluster.release.manifest())
    output = cluster.release.coverage("--output", "json", "--manifest", str(manifest))
    expected: dict[str, set[str]] = {}
    for node in json.loads(output)["nodes"]:
        for name in node["daemonSets"]:
            expected.setdefault(name, set()).add(node["name"])
    took_s = cluster.release.install()
    ready_s = cluster.release.wait_ready(ONE_EACH)
    figure(f"helm install: {took_s:.1f} s, all pods ready {ready_s:.1f} s later")
    assert cluster.release.placement() == expected
    assert expected == {AGENT: {BOTTLEROCKET}, CRI: {BOTTLEROCKET}, DOCKER: {OTHER}}


def test_a_line_of_the_journal_is_in_var_log_messages_of_the_agents_container(
    cluster: Cluster,
) -> None:
    cluster.journald.send(b"the first line that is followed", SYSLOG_IDENTIFIER="walker")
    pod = cluster.release.ready_pod(AGENT)

    def arrived() -> bool:
        text = cluster.release.execute(pod, "zabbix-agent2", "cat", "/var/log/messages")
        return WALKER.search(text) is not None

    wait_for(arrived, "the line in the agent's container", 30, evidence=cluster.release.evidence)


def test_zabbix_registers_the_node_by_itself_and_receives_that_line(
    cluster: Cluster, figure: Figure
) -> None:
    took_s = wait_for(
        cluster.host.is_registered, f"{BOTTLEROCKET} to be registered", 60, every_s=0.2
    )

    def received() -> bool:
        return any(WALKER.search(line["value"]) for line in cluster.host.lines())

    items_s = wait_for(received, "the line in Zabbix", ITEMS_S, every_s=1)
    figure(f"registered after {took_s:.0f} s more, first lines {items_s:.0f} s later")


def test_the_agent_sees_the_exporter_and_the_host(cluster: Cluster) -> None:
    """Values that need the host's network and root file system; discovery takes up to 15 minutes."""
    wait_for(
        lambda: cluster.host.last_values().get("nodeobs.exporter.up") == "1",
        "the exporter's metrics in Zabbix",
        ITEMS_S,
        every_s=2,
        evidence=lambda: f"{cluster.host.last_values()}\n{cluster.host.unsupported()}",
    )
    assert cluster.host.unsupported() == {}
    pod = cluster.release.ready_pod(AGENT)
    for key, found in (
        ("vfs.fs.size[/hostfs/root/srv,total]", r"\[s\|\d+\]"),
        ("net.if.discovery", '"eth0"'),
        ("system.uptime", r"\[s\|\d+\]"),
    ):
        program = ("/usr/sbin/zabbix_agent2", "-c", CONFIGURATION, "-t", key)
        assert re.search(found, cluster.release.execute(pod, "zabbix-agent2", *program)), key


def test_helm_test_has_every_program_read_its_configuration(cluster: Cluster) -> None:
    assert re.search(r"Phase: +Succeeded", cluster.release.test())


def talk(cluster: Cluster, node_name: str, name: str, script: str) -> None:
    """Run a shell script in a pod outside of the release."""
    container = {
        "name": name,
        "image": image_names(cluster.release.manifest())["zabbix-agent2"],
        "command": ["sh", "-c", script],
    }
    spec = {
        "nodeName": node_name,
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    pod = {"metadata": {"name": name, "labels": {"app": "talker"}}, "spec": spec}
    cluster.plane.api.create("/api/v1/namespaces/default/pods", pod)


def can_read(output: str, pod: str) -> bool:
    """Return whether the stand-in printed that it can read the log of a talker."""
    return re.search(rf"stand-in: {pod}_default_{pod}-\S+ can be read", output) is not None


@pytest.mark.parametrize("node_name", [BOTTLEROCKET, OTHER])
def test_a_line_of_a_container_arrives_parsed_at_the_output(
    cluster: Cluster, node_name: str
) -> None:
    name = f"talker-{node_name}"
    talk(
        cluster, node_name, name, "echo 'to the output'; echo 'to stderr' >&2; exec sleep infinity"
    )
    daemon_set = CRI if node_name == BOTTLEROCKET else DOCKER
    if images.fluent_bit_program() is None:
        pod = cluster.release.ready_pod(daemon_set)
        wait_for(
            lambda: can_read(cluster.release.logs(pod, "fluent-bit"), name),
            "the stand-in to read the container's log",
            60,
            evidence=cluster.release.evidence,
        )
        assert "the configuration is whole" in cluster.release.logs(pod, "fluent-bit")
        pytest.skip(NO_FLUENT_BIT)

    def records() -> list[dict[str, Any]]:
        return cluster.output.of_pod(name)

    wait_for(
        lambda: len(records()) >= 2,
        "both lines",
        60,
        evidence=lambda: str(cluster.output.records()[-20:]),
    )
    found = {record.get("stream"): record for record in records()}
    assert found.keys() == {"stdout", "stderr"}, records()
    for stream, text in (("stdout", "to the output"), ("stderr", "to stderr")):
        record = found[stream]
        assert text in (record.get("message"), record.get("log"))
        assert record["kubernetes"]["labels"] == {"app": "talker"}
        assert record["kubernetes"]["host"] == node_name


@pytest.mark.parametrize("node_name", [BOTTLEROCKET, OTHER])
def test_no_line_of_a_container_is_lost_when_fluent_bit_is_replaced_or_killed(
    cluster: Cluster, node_name: str, figure: Figure
) -> None:
    if images.fluent_bit_program() is None:
        pytest.skip(NO_FLUENT_BIT)
    release, count, name = cluster.release, 600, f"counter-{node_name}"
    node = cluster.bottlerocket if node_name == BOTTLEROCKET else cluster.other
    daemon_set = CRI if node_name == BOTTLEROCKET else DOCKER
    script = f"for i in $(seq 0 {count - 1}); do echo number $i; sleep 0.05; done"
    talk(cluster, node_name, name, f"{script}; exec sleep infinity")

    def numbers() -> Counter[int]:
        texts = [record.get("message", record.get("log", "")) for record in records()]
        return Counter(int(text.split()[1]) for text in texts)

    def records() -> list[dict[str, Any]]:
        return cluster.output.of_pod(name)

    wait_for(lambda: len(numbers()) > 0, "the first numbers", 60)
    pod = release.ready_pod(daemon_set)
    release.delete_pod(pod)
    release.ready_pod(daemon_set, other_than=pod["metadata"]["uid"])
    replaced = numbers()
    os.kill(node.containers()["fluent-bit"], signal.SIGKILL)
    assert len(replaced) < count, "all lines were there before it was killed"
    wait_for(
        lambda: numbers().keys() == set(range(count)),
        "every number",
        120,
        evidence=lambda: str(sorted(set(range(count)) - numbers().keys())),
    )
    again, again_before = (found.total() - len(found) for found in (numbers(), replaced))
    figure(
        f"{daemon_set}: {count} lines, 0 lost; {again_before} repeated after its pod was deleted, "
        f"{again - again_before} more after it was killed"
    )
    assert again_before == 0, "a pod that ends keeps its offsets"


def test_a_line_is_in_the_history_seconds_after_it_was_logged(
    cluster: Cluster, figure: Figure
) -> None:
    """As the API shows it; the agent sends every 5 s, as the chart configures it."""
    with Load(cluster.journald, "late", 10) as load, Watch(cluster.host, load) as watch:
        load.mark("nothing", 60)
        load.stop()
        watch.wait_for_all(60)
    late_s = sorted(watch.seen_s[number] - sent_s for number, sent_s in enumerate(load.sent_s))
    quantiles = statistics.quantiles(late_s, n=100)
    figure(
        f"journal to Zabbix history, {len(late_s)} lines at 10/s: p50 {quantiles[49]:.1f} s, "
        f"p99 {quantiles[98]:.1f} s, most {late_s[-1]:.1f} s"
    )
    assert quantiles[98] < LATE_S


def test_nothing_is_lost_whatever_happens_to_the_pod_and_the_kubelet(
    cluster: Cluster, figure: Figure
) -> None:
    release, node = cluster.release, cluster.bottlerocket
    pause_s = 6.0
    with (
        Load(cluster.journald, "chaos", LOAD_PER_S) as load,
        Watch(cluster.host, load) as watch,
    ):
        load.mark("nothing", pause_s)
        pod = release.ready_pod(AGENT)
        release.delete_pod(pod)
        load.mark("pod deleted", pause_s)
        pod = release.ready_pod(AGENT, other_than=pod["metadata"]["uid"])
        starts_s = agent_starts_s(release)
        load.mark("pod back", pause_s)
        os.kill(node.containers()["journal-exporter"], signal.SIGKILL)
        load.mark("exporter killed", pause_s)
        wait_for(lambda: restarts(release, "journal-exporter") == 1, "its restart", 60)
        release.ready_pod(AGENT)
        os.kill(node.containers()["zabbix-agent2"], signal.SIGKILL)
        load.mark("agent killed", pause_s)
        wait_for(lambda: restarts(release, "zabbix-agent2") == 1, "its restart", 60)
        release.ready_pod(AGENT)
        starts_s += agent_starts_s(release)
        running = node.containers()
        node.kubelet.stop(signal.SIGKILL)
        load.mark("no kubelet", pause_s)
        node.join()
        load.mark("kubelet back", pause_s)
        assert node.containers() == running, "the kubelet's restart restarted containers"
        took_s = release.upgrade("--set", "zabbix.agent.metadata=nodegroup=workers")
        load.mark("helm upgrade", pause_s)
        rolled_s = release.wait_ready(ONE_EACH)
        load.mark("upgraded", pause_s)
        load.stop()
        figure(f"helm upgrade: {took_s:.1f} s, the new pods ready {rolled_s + pause_s:.0f} s later")
        upgraded = release.ready_pod(AGENT)
        assert upgraded["metadata"]["uid"] != pod["metadata"]["uid"], (
            "the upgrade did not replace the pod"
        )
        settings = release.execute(upgraded, "zabbix-agent2", "cat", CONFIGURATION)
        assert "cluster=cluster-test nodegroup=workers\n" in settings
        expect_all(cluster, watch, load, [*starts_s, *agent_starts_s(release)], figure)


def restarts(release: Release, container: str) -> int:
    """Return how often a container of the agent's pod was restarted."""
    return sum(
        status["restartCount"]
        for pod in release.pods(AGENT)
        for status in pod["status"].get("containerStatuses", [])
        if status["name"] == container
    )


def agent_starts_s(release: Release) -> list[float]:
    """Return when the running agents were started, rounded down to seconds, as ``time.time`` has it."""
    return [
        datetime.fromisoformat(running["startedAt"]).timestamp()
        for pod in release.pods(AGENT)
        for status in pod["status"].get("containerStatuses", [])
        if status["name"] == "zabbix-agent2" and (running := status["state"].get("running"))
    ]


def expect_all(
    cluster: Cluster, watch: Watch, load: Load, starts_s: list[float], figure: Figure
) -> None:
    """Expect each line once in the node's files and in Zabbix, except for repeats by starts of agents."""
    wanted = set(range(len(load.sent_s)))
    wait_for(lambda: cluster.numbers(load.name).keys() >= wanted, "every line in the files", 60)
    assert set(cluster.numbers(load.name).values()) == {1}
    watch.wait_for_all(240)
    found = counts(cluster.host.lines(), load.name)
    again = {number: count for number, count in found.items() if count > 1}
    figure(
        f"{load.name}: {len(wanted)} lines, each once in the files, in Zabbix 0 lost, "
        f"{sum(again.values()) - len(again)} repeated"
    )
    for number in sorted(again):
        sent_s, late_s = load.sent_s[number], watch.seen_s[number] - load.sent_s[number]
        started = ", ".join(f"{start - sent_s:+.0f} s" for start in sorted(set(starts_s)))
        figure(
            f"{load.name} {number}, {again[number]} times: stored {late_s:+.1f} s, agents: {started}"
        )
    assert unexplained(found, load.sent_s, watch.seen_s, starts_s) == {}


def test_each_container_stays_within_what_it_requests(cluster: Cluster, figure: Figure) -> None:
    """The scheduler relies on requests. The kernel enforces limits, by killing the container."""
    summary = json.loads(
        cluster.plane.kubectl("get", "--raw", f"/api/v1/nodes/{BOTTLEROCKET}/proxy/stats/summary")
    )
    found = {
        container["name"]: container
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == NAMESPACE
        for container in pod["containers"]
    }
    requested = {
        container["name"]: container["resources"]["requests"]
        for pod in cluster.release.pods()
        for container in pod["spec"]["containers"]
    }
    assert found.keys() == requested.keys() == {"zabbix-agent2", "journal-exporter", "fluent-bit"}
    for name, container in found.items():
        memory_mib = container["memory"]["workingSetBytes"] / 2**20
        millicores = container["cpu"]["usageNanoCores"] / 1e6
        figure(f"{name}: {memory_mib:.0f} MiB working set, {millicores:.1f} millicores")
        assert memory_mib < int(requested[name]["memory"].removesuffix("Mi")), name
        assert millicores > 0, name


def test_uninstall_leaves_the_nodes_files_and_a_new_install_continues_them(
    cluster: Cluster, figure: Figure
) -> None:
    release = cluster.release
    with (
        Load(cluster.journald, "uninstalled", LOAD_PER_S) as load,
        Watch(cluster.host, load) as watch,
    ):
        load.mark("installed", 5)
        pods = {pod["metadata"]["uid"] for pod in release.pods()}
        figure(f"helm uninstall: {release.uninstall():.0f} s until no pod was left")
        wait_for(
            lambda: release.objects() == cluster.objects,
            "everything of the release to be gone",
            60,
            evidence=lambda: str(release.objects() ^ cluster.objects),
        )
        nodes = (cluster.bottlerocket, cluster.other)
        wait_for(
            lambda: not any(node.traces(pods) for node in nodes),
            "the nodes to forget the pods",
            60,
            evidence=lambda: str([node.traces(pods) for node in nodes]),
        )
        assert {node.name: node.files() for node in nodes} == KEPT
        load.mark("away", 5)
        release.install()
        release.wait_ready(ONE_EACH)
        load.mark("installed again", 5)
        load.stop()
        expect_all(cluster, watch, load, agent_starts_s(release), figure)
