"""The chart puts files, ports and names where the programs expect them.

The other tests compare objects with each other. These compare them with the programs' own expectations.
"""

from pathlib import Path

import pytest

from tests.support.chart.cases import ALL, each_case
from tests.support.chart.objects import component, daemonsets, ours, pods
from tests.support.helm import Manifest, rendered

EVERYTHING = ALL["everything"]
DIRECTORY = "DirectoryOrCreate"


def pod(case: Path, of: str) -> Manifest:
    """Return the pod spec of a component's DaemonSet."""
    (found,) = [one for one in daemonsets(case) if component(one) == of]
    return dict(found["spec"]["template"]["spec"])


def container(spec: Manifest, name: str) -> Manifest:
    (found,) = [one for one in spec["containers"] if one["name"] == name]
    return dict(found)


def sees(spec: Manifest, name: str) -> dict[str, str]:
    """Return what each path of a container shows: a directory of the node, or the kind of the volume."""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    found = {}
    for mount in container(spec, name)["volumeMounts"]:
        volume = volumes[mount["name"]]
        kind = next(key for key in volume if key != "name")
        where = volume["hostPath"]["path"] if kind == "hostPath" else kind
        found[mount["mountPath"]] = where
    return found


def environment(one: Manifest) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in one["env"]}


def fields(one: Manifest) -> dict[str, str]:
    """Return the variables that come from fields of the pod, with the paths of the fields."""
    return {
        entry["name"]: entry["valueFrom"]["fieldRef"]["fieldPath"]
        for entry in one["env"]
        if "fieldRef" in entry.get("valueFrom", {})
    }


def test_the_exporter_sees_both_journals_and_writes_to_the_node() -> None:
    spec = pod(ALL["minimal"], "zabbix-agent")
    assert sees(spec, "journal-exporter") == {
        "/host/var/log/journal": "/var/log/journal",
        "/host/run/log/journal": "/run/log/journal",
        "/var/log": "/var/log/node-observability",
        "/var/lib/journal-exporter": "/var/lib/node-observability/journal-exporter",
    }
    env = environment(container(spec, "journal-exporter"))
    assert env["JOURNAL_EXPORTER_JOURNAL_ROOT"] == "/host"
    assert env["JOURNAL_EXPORTER_OUTPUT"] == "/var/log/messages"
    assert env["JOURNAL_EXPORTER_STATE_DIRECTORY"] == "/var/lib/journal-exporter"


def test_the_agent_reads_the_exporters_output_and_can_write_its_buffer() -> None:
    case = ALL["tls-certificate"]
    spec = pod(case, "zabbix-agent")
    assert sees(spec, "zabbix-agent2") == {
        "/etc/zabbix/node-observability": "configMap",
        "/etc/zabbix/tls": "secret",
        "/var/log": "/var/log/node-observability",
        "/var/lib/zabbix": "emptyDir",
        "/tmp": "emptyDir",  # noqa: S108 - of the container
        "/hostfs/root": "/",
    }
    mounts = {one["name"]: one for one in container(spec, "zabbix-agent2")["volumeMounts"]}
    # Without this, the agent would not see file systems that the host mounts later.
    assert mounts["host-root"]["mountPropagation"] == "HostToContainer"
    buffer = next(one for one in spec["volumes"] if one["name"] == "buffer")
    assert buffer["emptyDir"] == {"medium": "Memory", "sizeLimit": "256Mi"}


@pytest.mark.parametrize("kind", ["cri", "docker"])
def test_fluent_bit_sees_logs_at_the_paths_that_the_links_name(kind: str) -> None:
    spec = pod(ALL["minimal"], f"fluent-bit-{kind}")
    docker = {"/var/lib/docker/containers": "/var/lib/docker/containers"}
    assert sees(spec, "fluent-bit") == {
        "/fluent-bit/etc/node-observability": "configMap",
        "/var/lib/node-observability/fluent-bit": f"/var/lib/node-observability/fluent-bit-{kind}",
        "/var/log/containers": "/var/log/containers",
        "/var/log/pods": "/var/log/pods",
        **(docker if kind == "docker" else {}),
    }
    env = environment(container(spec, "fluent-bit"))
    assert env["NODEOBS_STATE_DIR"] == "/var/lib/node-observability/fluent-bit"
    assert env["NODEOBS_CONFIG_DIR"] == "/fluent-bit/etc/node-observability"


@each_case
def test_fluent_bit_has_a_mount_for_every_path_in_its_variables(case: Path) -> None:
    for found in daemonsets(case):
        if not component(found).startswith("fluent-bit"):
            continue
        fluent_bit = container(found["spec"]["template"]["spec"], "fluent-bit")
        places = [mount["mountPath"] for mount in fluent_bit["volumeMounts"]]
        env = environment(fluent_bit)
        for name in ("STATE_DIR", "CONFIG_DIR", "JOURNAL_DIR", "MESSAGES", "CONTAINER_LOGS"):
            path = env.get(f"NODEOBS_{name}")
            assert path is None or any(f"{path}/".startswith(f"{place}/") for place in places), name


@each_case
def test_only_directories_that_a_new_node_may_lack_are_created(case: Path) -> None:
    for found in daemonsets(case):
        for volume in found["spec"]["template"]["spec"]["volumes"]:
            if "hostPath" not in volume:
                continue
            is_there = volume["name"] in {"journal", "messages", "host-root"}
            assert volume["hostPath"]["type"] == ("Directory" if is_there else DIRECTORY), volume


@each_case
def test_every_probe_requests_the_path_that_is_meant_for_it(case: Path) -> None:
    paths = {
        ("journal-exporter", "livenessProbe"): "/livez",
        ("journal-exporter", "readinessProbe"): "/readyz",
        ("fluent-bit", "livenessProbe"): "/",
        ("fluent-bit", "readinessProbe"): "/api/v1/health",
    }
    for found in daemonsets(case):
        for one in ours(found["spec"]["template"]["spec"]):
            for kind in ("livenessProbe", "readinessProbe"):
                if "httpGet" in one.get(kind, {}):
                    assert one[kind]["httpGet"]["path"] == paths[one["name"], kind]


@each_case
def test_every_program_gets_the_name_of_the_node_and_not_of_the_pod(case: Path) -> None:
    for _, spec in pods(case):
        for one in ours(spec):
            for name, field in fields(one).items():
                wanted = "status.hostIP" if name == "NODEOBS_KUBELET_HOST" else "spec.nodeName"
                assert field == wanted, name


@each_case
def test_a_port_on_the_host_network_is_reserved_by_the_scheduler(case: Path) -> None:
    # Without hostPort, the scheduler would place another pod that can't listen on the same port.
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for one in ours(spec):
            for port in one.get("ports", []):
                assert port.get("hostPort") == (
                    port["containerPort"] if spec["hostNetwork"] else None
                )


def test_an_output_with_the_name_of_the_node_gets_it_from_a_field_of_the_pod() -> None:
    spec = [
        found["spec"]["template"]["spec"]
        for found in rendered(
            sets=(
                "fluentBit.common.output.preset=cloudwatch_logs",
                "fluentBit.common.variables.NODEOBS_AWS_REGION=eu-west-1",
            )
        )
        if found["kind"] == "DaemonSet" and component(found) == "fluent-bit-cri"
    ]
    assert fields(container(spec[0], "fluent-bit")) == {"NODEOBS_NODE": "spec.nodeName"}


@each_case
def test_no_pod_gets_variables_for_the_services_of_its_namespace(case: Path) -> None:
    for name, spec in pods(case):
        assert spec["enableServiceLinks"] is False, name


def test_fluent_bit_on_the_host_network_reserves_its_port_too() -> None:
    for found in rendered(sets=("fluentBit.common.hostNetwork=true", "fluentBit.cri.port=2021")):
        if found["kind"] == "DaemonSet" and component(found).startswith("fluent-bit"):
            (port,) = container(found["spec"]["template"]["spec"], "fluent-bit")["ports"]
            assert port["hostPort"] == port["containerPort"]


@each_case
def test_the_pod_of_helm_test_has_the_same_files_as_the_programs(case: Path) -> None:
    tests = [found["spec"] for found in rendered(case) if found["kind"] == "Pod"]
    for spec in tests:
        for found in daemonsets(case):
            own = found["spec"]["template"]["spec"]
            for one in ours(own):
                suffix = component(found).removeprefix("fluent-bit")
                name = one["name"] + (suffix if one["name"] == "fluent-bit" else "")
                checked = container(spec, name)
                assert checked["image"] == one["image"]
                # The agent needs only the name of its node here.
                assert {entry["name"] for entry in checked["env"]} <= set(environment(one))
                places = sees(spec, name) if "volumeMounts" in checked else {}
                files = {
                    path: kind for path, kind in sees(own, one["name"]).items() if kind == "secret"
                } | {
                    path: kind
                    for path, kind in sees(own, one["name"]).items()
                    if path.endswith("/node-observability") and kind == "configMap"
                }
                assert files.items() <= places.items()
                volumes = {volume["name"]: volume for volume in spec["volumes"]}
                for mount in checked.get("volumeMounts", []):
                    if (map_ := volumes[mount["name"]].get("configMap")) is not None:
                        assert map_["name"] == found["metadata"]["name"]
                if one["name"] == "fluent-bit":
                    assert places["/var/lib/node-observability/fluent-bit"] == "emptyDir"
                    assert checked["command"][1:3] == ["--dry-run", "-c"]
                if one["name"] == "zabbix-agent2":
                    assert checked["command"][-2:] == ["-t", "agent.hostname"]
                    assert places["/var/lib/zabbix"] == "emptyDir"


def test_the_name_of_the_cluster_reaches_the_agent_and_the_jobs() -> None:
    for found in rendered(EVERYTHING, sets=("clusterName=prod-x",)):
        if found["kind"] in ("Job", "CronJob"):
            assert "--cluster=prod-x" in str(found["spec"])
        if found["kind"] == "ConfigMap" and component(found) == "zabbix-agent":
            assert " cluster=prod-x" in found["data"]["zabbix_agent2.conf"]


def test_the_dashboard_is_a_file_that_the_sidecar_of_grafana_loads() -> None:
    (found,) = [
        one
        for one in rendered(EVERYTHING)
        if one["kind"] == "ConfigMap" and component(one) == "dashboard"
    ]
    assert list(found["data"]) == ["node-observability.json"]


def test_services_for_monitors_are_headless() -> None:
    services = [one for one in rendered(ALL["service-monitor"]) if one["kind"] == "Service"]
    assert len(services) == 3
    assert {one["spec"]["clusterIP"] for one in services} == {"None"}
