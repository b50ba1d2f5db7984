"""1,200 nodes of all kinds, with pods where ``node-observability coverage`` predicted them."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.api import is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.fleet import Fleet
from tests.cluster.release import AGENT, CRI, DOCKER, VALUES, Release
from tests.support.waiting import wait_for

TIMEOUT_S = 1200.0
MOVED = 100
MAX_UNAVAILABLE = 0.1
"""Of the chart's updateStrategy."""

Figure = Callable[[str], None]


@dataclass
class Installed:
    """The fleet, and the release that is installed on it."""

    fleet: Fleet
    release: Release


@pytest.fixture(scope="module")
def installed(
    plane: ControlPlane, evidence: list[Callable[[], str]], figure: Figure
) -> Iterator[Installed]:
    """Run the fleet; the release is not installed yet."""
    begun_s = time.monotonic()
    release = Release(plane, "--values", str(VALUES))
    with Fleet(plane) as fleet:
        evidence.append(fleet.evidence)
        figure(f"{len(fleet.names)} simulated nodes ready: {time.monotonic() - begun_s:.0f} s")
        release.prepare()
        yield Installed(fleet, release)


def expected(output: str) -> dict[str, set[str]]:
    """Return the nodes of each DaemonSet in what ``coverage --output json`` printed."""
    found: dict[str, set[str]] = {AGENT: set(), CRI: set(), DOCKER: set()}
    for node in json.loads(output)["nodes"]:
        for name in node["daemonSets"]:
            found[name].add(node["name"])
    return found


def sizes(placement: dict[str, set[str]]) -> dict[str, int]:
    """Return how many nodes each DaemonSet has."""
    return {name: len(nodes) for name, nodes in placement.items()}


def test_pods_are_where_coverage_predicted_before_the_install(
    installed: Installed, figure: Figure, tmp_path: Path
) -> None:
    release = installed.release
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(release.manifest())
    begun_s = time.monotonic()
    predicted = expected(release.coverage("--output", "json", "--manifest", str(manifest)))
    figure(f"coverage of the fleet: {time.monotonic() - begun_s:.1f} s, {sizes(predicted)}")
    assert sizes(predicted) == {AGENT: 700, CRI: 700, DOCKER: 400}
    took_s = release.install()
    ready_s = release.wait_ready(sizes(predicted), TIMEOUT_S)
    figure(
        f"fleet: helm install {took_s:.1f} s, {sum(sizes(predicted).values())} pods ready "
        f"{ready_s:.0f} s later"
    )
    assert release.placement() == predicted
    every_node = Counter(node for name in (CRI, DOCKER) for node in predicted[name])
    assert set(every_node.values()) == {1}, "a node has two Fluent Bits"


def test_relabelled_nodes_change_their_pods(installed: Installed, figure: Figure) -> None:
    fleet, release = installed.fleet, installed.release
    before = release.placement()
    others = [name for name in fleet.names if name.startswith("al2023-amd64")][:MOVED]
    begun_s = time.monotonic()
    for name in others:
        fleet.label(name, "os", "bottlerocket")
    predicted = expected(release.coverage("--output", "json"))
    assert predicted[CRI] == before[CRI] | set(others)
    assert predicted[DOCKER] == before[DOCKER] - set(others)
    release.wait_ready(sizes(predicted), TIMEOUT_S)
    wait_for(
        lambda: release.placement() == predicted, "the pods to have moved", TIMEOUT_S, every_s=1
    )
    figure(
        f"fleet: {MOVED} nodes relabelled and their pods moved in {time.monotonic() - begun_s:.0f} s"
    )


def test_an_upgrade_replaces_pods_a_tenth_at_a_time(installed: Installed, figure: Figure) -> None:
    release = installed.release
    counts = sizes(release.placement())
    begun_s = time.monotonic()
    release.upgrade(
        "--set", "zabbix.agent.metadata=nodegroup=workers", "--set", "fluentBit.common.flushS=2"
    )
    most_away = dict.fromkeys(counts, 0)

    def rolled_out() -> bool:
        pods = release.pods()
        for name, count in counts.items():
            served = {
                pod["spec"].get("nodeName")
                for pod in pods
                if pod["metadata"]["ownerReferences"][0]["name"] == name
                and is_ready(pod)
                and "deletionTimestamp" not in pod["metadata"]
            }
            most_away[name] = max(most_away[name], count - len(served))
        return release.is_rolled_out(counts)

    wait_for(rolled_out, "the new pods", TIMEOUT_S, every_s=2)
    figure(
        f"fleet: upgrade rolled out in {time.monotonic() - begun_s:.0f} s; "
        f"at most without a ready pod: {most_away} of {counts}"
    )
    for name, count in counts.items():
        assert 0 < most_away[name] <= math.ceil(count * MAX_UNAVAILABLE)


def test_an_uninstall_leaves_no_pod(installed: Installed, figure: Figure) -> None:
    figure(f"fleet: helm uninstall, {installed.release.uninstall():.0f} s until no pod was left")
