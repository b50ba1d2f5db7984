"""Names, labels and selectors are unique and valid, and selectors survive upgrades."""

import re
from pathlib import Path

import pytest

from tests.support.chart.cases import each_case
from tests.support.chart.objects import daemonsets, pods
from tests.support.helm import CHART, RELEASE, Manifest, helm, objects, render_text, rendered

SELECTOR = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


@each_case
def test_selectors_are_three_fixed_labels_that_match_their_own_pods_only(case: Path) -> None:
    selectors = []
    for found in daemonsets(case):
        selector = found["spec"]["selector"]["matchLabels"]
        assert set(selector) == SELECTOR
        assert selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()
        selectors.append(tuple(sorted(selector.items())))
    assert len(set(selectors)) == len(selectors)


@each_case
def test_no_label_of_a_pod_depends_on_the_version(case: Path) -> None:
    for found in daemonsets(case):
        labels = found["spec"]["template"]["metadata"]["labels"]
        assert not [key for key in labels if key.startswith("helm.sh/") or key.endswith("/version")]


@each_case
def test_names_are_unique_valid_and_begin_with_the_release_or_its_override(case: Path) -> None:
    names = [
        (found["kind"], found["metadata"].get("namespace"), found["metadata"]["name"])
        for found in rendered(case)
    ]
    assert len(set(names)) == len(names)
    for _, _, name in names:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
        assert RELEASE in name or "nodeobs" in name or name == "fluent-bit"


@each_case
def test_referenced_config_maps_and_service_accounts_exist(case: Path) -> None:
    manifests = rendered(case)
    present = {(found["kind"], found["metadata"]["name"]) for found in manifests}
    extra = {"scripts", "log-patterns"}
    for _, spec in pods(case):
        for volume in spec["volumes"]:
            name = volume.get("configMap", {}).get("name")
            assert name is None or name in extra or ("ConfigMap", name) in present
        account = spec.get("serviceAccountName", "default")
        assert account == "default" or ("ServiceAccount", account) in present


def test_a_change_of_the_configuration_replaces_pods_and_a_new_version_alone_does_not() -> None:
    def checksums(*sets: str) -> list[str]:
        return [
            found["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for found in rendered(sets=sets)
            if found["kind"] == "DaemonSet"
        ]

    before = checksums()
    assert before == checksums("commonLabels.a=b")
    assert before != checksums("zabbix.agent.debugLevel=4")
    assert before != checksums("fluentBit.cri.exactTime=true")


@pytest.mark.parametrize("release", ["node-observability", "logs", "a" * 53, "logs.prod"])
def test_any_release_name_gives_valid_object_names(release: str) -> None:
    for found in objects(render_text(release=release)):
        assert len(found["metadata"]["name"]) <= 63
        assert "." not in found["metadata"]["name"]


def test_a_second_release_as_in_the_readme_shares_no_name_directory_or_port() -> None:
    other = (
        "fluentBit.common.hostPaths.state=/var/lib/second",
        "zabbix.hostPaths.log=/var/log/second",
        "zabbix.hostPaths.state=/var/lib/second/journal-exporter",
        "zabbix.journalExporter.port=9466",
    )
    first = objects(render_text(release="first"))
    second = objects(render_text(release="second", sets=other))

    def taken(manifests: list[Manifest]) -> set[object]:
        specs = [one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "DaemonSet"]
        mounts = [
            volume["hostPath"]["path"]
            for spec in specs
            for volume in spec["volumes"]
            if volume["name"] in {"state", "log"}
        ]
        host_ports = [
            port["hostPort"]
            for spec in specs
            for container in spec["containers"]
            for port in container.get("ports", [])
            if "hostPort" in port
        ]
        names = [(one["kind"], one["metadata"]["name"]) for one in manifests]
        return {*mounts, *host_ports, *names}

    assert len(taken(first)) > 8
    assert taken(first).isdisjoint(taken(second))


def test_releases_of_the_same_name_in_two_namespaces_share_no_cluster_wide_object() -> None:
    def wide(namespace: str) -> set[str]:
        text = helm("template", RELEASE, str(CHART), "--namespace", namespace)
        return {
            found["metadata"]["name"]
            for found in objects(text)
            if found["kind"].startswith("ClusterRole")
        }

    assert wide("one")
    assert wide("one").isdisjoint(wide("two"))
