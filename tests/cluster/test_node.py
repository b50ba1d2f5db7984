"""Two real nodes, the chart on them, and lines followed from journal and container to where they should be.

The tests are one run: they share the cluster and go on where the one before stopped, down to the uninstall.
"""

import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import images
from tests.cluster.control_plane import HOST, ControlPlane
from tests.cluster.machines import BOTTLEROCKET, OTHER, image_names, machines
from tests.cluster.node import Node
from tests.cluster.processes import base, wait_until
from tests.cluster.receiver import Receiver
from tests.cluster.release import AGENT, CRI, DOCKER, VALUES, Release
from tests.cluster.zabbix import Host
from tests.support.helm import NAMESPACE, RELEASE
from tests.support.journald import Journald
from tests.zabbix.load import Load, counts
from tests.zabbix.stack import PSK_IDENTITY, Stack

ONE_EACH = {AGENT: 1, CRI: 1, DOCKER: 1}
LOAD_PER_S = 20
NUMBER = re.compile(rb" load\[\d+\]: (\w+) (\d+) ")
WALKER = re.compile(r" walker\[\d+\]: the first line that is followed$", re.MULTILINE)
# agent2 asks for its items a minute after it registered, and the server needs time to hand out a new host.
ITEMS_S = 180.0
CONFIGURATION = "/etc/zabbix/node-observability/zabbix_agent2.conf"

Figure = Callable[[str], None]


@dataclass
class Cluster:
    """All that the tests speak with."""

    plane: ControlPlane
    bottlerocket: Node
    other: Node
    journald: Journald
    zabbix: Stack
    host: Host
    receiver: Receiver
    release: Release

    def numbers(self, name: str) -> Counter[int]:
        """Return how often each number of a load is in the node's files."""
        logs = self.bottlerocket.logs / "node-observability"
        text = b"".join(path.read_bytes() for path in sorted(logs.glob("messages*")))
        return Counter(
            int(number) for found, number in NUMBER.findall(text) if found == name.encode()
        )


@pytest.fixture(scope="module")
def zabbix(plane: ControlPlane) -> Iterator[Stack]:
    assert plane.api
    with Stack(base() / "zabbix", address=HOST) as stack:
        secrets = base() / "zabbix-secrets"
        secrets.mkdir()
        (secrets / "token").write_text(stack.token())
        (secrets / "psk").write_text(stack.psk)
        environment = {
            "ZABBIX_URL": stack.url,
            "ZABBIX_API_TOKEN_FILE": str(secrets / "token"),
            "ZABBIX_PSK_IDENTITY": PSK_IDENTITY,
            "ZABBIX_PSK_FILE": str(secrets / "psk"),
        }
        program = Path(sys.executable).with_name("node-observability")
        subprocess.run(
            [program, "zabbix", "apply", "--cluster", "cluster-test"],
            env={**os.environ, **environment},
            check=True,
        )
        # Else the agent may be faster than the server is to see the new action.
        stack.server.stop()
        stack.restart_server()
        yield stack


@pytest.fixture(scope="module")
def cluster(
    plane: ControlPlane, zabbix: Stack, evidence: list[Callable[[], str]], figure: Figure
) -> Iterator[Cluster]:
    """Run two nodes with the chart's images, and nothing installed."""
    release = Release(plane, "--values", str(VALUES), "--set", f"zabbix.server.port={zabbix.port}")
    begun_s = time.monotonic()
    with machines(plane, release.manifest()) as running, Receiver(HOST, 8888) as receiver:
        nodes = (running.bottlerocket, running.other)
        evidence += [release.evidence, *(node.evidence for node in nodes)]
        for name, archive in running.archives.items():
            figure(f"image {name}: {archive.unpacked_bytes / 1e6:.0f} MB unpacked, {archive.name}")
        figure(f"two nodes with images, from nothing: {time.monotonic() - begun_s:.0f} s")
        release.prepare(zabbix.psk)
        yield Cluster(
            plane,
            *(*nodes, running.journald),
            zabbix,
            Host(zabbix, BOTTLEROCKET),
            receiver,
            release,
        )
        evidence.clear()


def test_the_daemon_sets_are_ready_on_the_nodes_that_coverage_said(
    cluster: Cluster, figure: Figure, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(cluster.release.manifest())
    said = json.loads(cluster.release.coverage("--output", "json", "--manifest", str(manifest)))
    expected: dict[str, set[str]] = {}
    for node in said["nodes"]:
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

    wait_until(arrived, "the line in the agent's container", 30, evidence=cluster.release.evidence)


def test_zabbix_registers_the_node_by_itself_and_receives_that_line(
    cluster: Cluster, figure: Figure
) -> None:
    took_s = wait_until(cluster.host.is_registered, f"{BOTTLEROCKET} to be registered", 60)

    def received() -> bool:
        return any(WALKER.search(line["value"]) for line in cluster.host.lines())

    items_s = wait_until(received, "the line in Zabbix", ITEMS_S, every_s=1)
    figure(f"registered {took_s:.0f} s after it was waited for, first lines {items_s:.0f} s later")


def test_the_agent_sees_the_exporter_and_the_host(cluster: Cluster) -> None:
    """What needs the host's network and its root file system; discovery first comes after up to 15 min."""
    wait_until(
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


@pytest.mark.parametrize("node_name", [BOTTLEROCKET, OTHER])
def test_a_line_of_a_container_arrives_parsed_at_the_output(
    cluster: Cluster, node_name: str
) -> None:
    name = f"talker-{node_name}"
    agent_image = image_names(cluster.release.manifest())["zabbix-agent2"]
    pod = {
        "metadata": {"name": name, "labels": {"app": "talker"}},
        "spec": {
            "nodeName": node_name,
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "talker",
                    "image": agent_image,
                    "command": [
                        "sh",
                        "-c",
                        "echo 'to the output'; echo 'to stderr' >&2; sleep 3600",
                    ],
                }
            ],
        },
    }
    cluster.plane.api.create("/api/v1/namespaces/default/pods", pod)
    daemon_set = CRI if node_name == BOTTLEROCKET else DOCKER
    if images.fluent_bit_program() is None:
        said = cluster.release.logs(cluster.release.ready_pod(daemon_set), "fluent-bit")
        assert "the configuration is whole" in said
        assert re.search(r"[1-9]\d* container logs can be read", said)
        pytest.skip(
            "NODEOBS_FLUENT_BIT names no binary: the stand-in checked configuration and mounts"
        )

    def records() -> dict[str, dict[str, Any]]:
        mine = [
            r for r in cluster.receiver.records if r.get("kubernetes", {}).get("pod_name") == name
        ]
        return {record["stream"]: record for record in mine}

    wait_until(
        lambda: len(records()) == 2,
        "both lines",
        60,
        evidence=lambda: str(cluster.receiver.records[-20:]),
    )
    for stream, text in (("stdout", "to the output"), ("stderr", "to stderr")):
        record = records()[stream]
        assert text in (record.get("message"), record.get("log"))
        assert record["kubernetes"]["labels"] == {"app": "talker"}
        assert record["kubernetes"]["host"] == node_name


def test_a_line_is_in_the_history_seconds_after_it_was_logged(
    cluster: Cluster, figure: Figure
) -> None:
    """By the API, which is asked all the while; the agent sends each 5 s, as the chart has it."""
    seen_s: dict[int, float] = {}
    with Load(cluster.journald, "late", 10) as load:
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s:
            now_s = time.time()
            for number in counts(cluster.host.lines(200), "late"):
                seen_s.setdefault(number, now_s)
            time.sleep(0.1)
        load.stop()
        sent_s = load.sent_s
    wait_until(
        lambda: len(counts(cluster.host.lines(), "late")) == len(sent_s), "the last lines", 60
    )
    late_s = sorted(seen_s[number] - sent_s[number] for number in seen_s)
    quantiles = statistics.quantiles(late_s, n=100)
    figure(
        f"journal to Zabbix history, {len(late_s)} lines at 10/s: p50 {quantiles[49]:.1f} s, "
        f"p99 {quantiles[98]:.1f} s, most {late_s[-1]:.1f} s"
    )
    assert quantiles[98] < 20


def test_nothing_is_lost_whatever_happens_to_the_pod_and_the_kubelet(
    cluster: Cluster, figure: Figure
) -> None:
    release, node = cluster.release, cluster.bottlerocket
    pause_s = 6.0
    with Load(cluster.journald, "chaos", LOAD_PER_S) as load:
        load.mark("nothing", pause_s)
        pod = release.ready_pod(AGENT)
        release.delete_pod(pod)
        load.mark("pod deleted", pause_s)
        pod = release.ready_pod(AGENT, other_than=pod["metadata"]["uid"])
        load.mark("pod back", pause_s)
        os.kill(node.containers()["journal-exporter"], signal.SIGKILL)
        load.mark("exporter killed", pause_s)
        wait_until(lambda: restarts(release, "journal-exporter") == 1, "its restart", 60)
        release.ready_pod(AGENT)
        os.kill(node.containers()["zabbix-agent2"], signal.SIGKILL)
        load.mark("agent killed", pause_s)
        wait_until(lambda: restarts(release, "zabbix-agent2") == 1, "its restart", 60)
        release.ready_pod(AGENT)
        node.kubelet.stop(signal.SIGKILL)
        load.mark("no kubelet", pause_s)
        node.join()
        load.mark("kubelet back", pause_s)
        took_s = release.upgrade("--set", "zabbix.agent.metadata=nodegroup=workers")
        load.mark("helm upgrade", pause_s)
        rolled_s = release.wait_ready(ONE_EACH)
        load.mark("upgraded", pause_s)
    figure(f"helm upgrade: {took_s:.1f} s, the new pods ready {rolled_s + pause_s:.0f} s later")
    changed = release.ready_pod(AGENT)["metadata"]["uid"] != pod["metadata"]["uid"]
    assert changed, "the upgrade replaced no pod"
    expect_all(cluster, load, figure)


def restarts(release: Release, container: str) -> int:
    """Return how often a container of the agent's pod was restarted."""
    statuses = itertools.chain.from_iterable(
        pod["status"].get("containerStatuses", []) for pod in release.pods(AGENT)
    )
    return sum(status["restartCount"] for status in statuses if status["name"] == container)


def expect_all(cluster: Cluster, load: Load, figure: Figure) -> None:
    """Each line is once in the node's files and at least once in Zabbix; tell how often more than once."""
    wanted = set(range(len(load.sent_s)))
    wait_until(lambda: cluster.numbers(load.name).keys() >= wanted, "every line in the files", 60)
    assert set(cluster.numbers(load.name).values()) == {1}
    wait_until(
        lambda: counts(cluster.host.lines(), load.name).keys() >= wanted,
        f"every line of {load.name} in Zabbix",
        240,
        every_s=2,
        evidence=lambda: missing(cluster, load),
    )
    again = counts(cluster.host.lines(), load.name).total() - len(wanted)
    figure(
        f"{load.name}: {len(wanted)} lines, each once in the files, in Zabbix 0 lost, {again} repeated"
    )


def missing(cluster: Cluster, load: Load) -> str:
    """Return how many lines of each part Zabbix has not."""
    found = counts(cluster.host.lines(), load.name)
    ends = [begin for _, begin in load.parts[1:]] + [len(load.sent_s)]
    return "\n".join(
        f"{part}: {sum(number not in found for number in range(begin, end))} of {end - begin} missing"
        for (part, begin), end in zip(load.parts, ends, strict=True)
    )


def test_memory_and_cpu_of_each_container_stay_below_their_limits(
    cluster: Cluster, figure: Figure
) -> None:
    summary = json.loads(
        cluster.plane.kubectl("get", "--raw", f"/api/v1/nodes/{BOTTLEROCKET}/proxy/stats/summary")
    )
    found = {
        container["name"]: container
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == NAMESPACE
        for container in pod["containers"]
    }
    assert found.keys() == {"zabbix-agent2", "journal-exporter", "fluent-bit"}
    for name, container in found.items():
        memory, cpu = container["memory"]["workingSetBytes"], container["cpu"]["usageNanoCores"]
        figure(f"{name}: {memory / 2**20:.0f} MiB working set, {cpu / 1e6:.1f} millicores")
        limits = {"zabbix-agent2": 448, "journal-exporter": 128, "fluent-bit": 256}
        assert memory < limits[name] * 2**20


def test_uninstall_leaves_the_nodes_files_and_a_new_install_goes_on_where_they_end(
    cluster: Cluster, figure: Figure
) -> None:
    with Load(cluster.journald, "uninstalled", LOAD_PER_S) as load:
        load.mark("installed", 5)
        figure(f"helm uninstall: {cluster.release.uninstall():.0f} s until no pod was left")
        kinds = "all,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies"
        selector = ("--selector", f"app.kubernetes.io/instance={RELEASE}", "--output", "name")
        left = cluster.plane.kubectl("get", kinds, "--namespace", NAMESPACE, *selector)
        left += cluster.plane.kubectl("get", "clusterroles,clusterrolebindings", *selector)
        assert left == ""
        root = cluster.bottlerocket.root
        kept = {
            str(path.relative_to(root))
            for parent in ("var/log/node-observability", "var/lib/node-observability")
            for path in (root / parent).iterdir()
            if not path.name.startswith("messages")
        }
        documented = {"journal-exporter", "fluent-bit-cri"}
        assert kept == {f"var/lib/node-observability/{name}" for name in documented}
        load.mark("away", 5)
        cluster.release.install()
        cluster.release.wait_ready(ONE_EACH)
        load.mark("installed again", 5)
    expect_all(cluster, load, figure)


def test_the_node_is_left_without_a_container(cluster: Cluster) -> None:
    cluster.release.uninstall()
    for node in (cluster.bottlerocket, cluster.other):
        assert not node.containers().keys() - {"talker"}
    shutil.rmtree(base() / "zabbix-secrets")
