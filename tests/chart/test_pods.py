"""Invariants within each pod: mounts, files, images, ports, probes and the time to stop."""

import re
from collections import Counter
from pathlib import Path

from tests.support.chart.cases import each_case
from tests.support.chart.objects import daemonsets, ours, pods
from tests.support.helm import rendered


@each_case
def test_every_mount_has_a_volume_and_every_volume_a_mount(case: Path) -> None:
    for name, spec in pods(case):
        volumes = [volume["name"] for volume in spec["volumes"]]
        assert len(set(volumes)) == len(volumes)
        mounted = {
            mount["name"] for one in spec["containers"] for mount in one.get("volumeMounts", [])
        }
        assert mounted == set(volumes), name
        for container in spec["containers"]:
            places = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(set(places)) == len(places)


@each_case
def test_the_configuration_file_in_a_command_is_in_the_config_map(case: Path) -> None:
    maps = {
        found["metadata"]["name"]: found["data"]
        for found in rendered(case)
        if found["kind"] == "ConfigMap"
    }
    for _, spec in pods(case):
        volumes = {
            volume["name"]: volume.get("configMap", {}).get("name") for volume in spec["volumes"]
        }
        for container in ours(spec):
            command = container.get("command", [])
            if "-c" not in command:
                continue
            path = Path(command[command.index("-c") + 1])
            (mount,) = [
                one for one in container["volumeMounts"] if one["mountPath"] == str(path.parent)
            ]
            assert path.name in maps[volumes[mount["name"]]]


@each_case
def test_images_are_pinned_and_containers_have_requests_and_a_memory_limit(case: Path) -> None:
    for _, spec in pods(case):
        for container in ours(spec):
            image = container["image"]
            assert re.fullmatch(r"[^ ]+(:[\w][\w.-]*|@sha256:[0-9a-f]{64})", image)
            assert not image.endswith(":latest")
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]
            # The kubelet evicts pods that exceed their request first when the node's disk is full.
            assert container["resources"]["requests"]["ephemeral-storage"]


@each_case
def test_no_variable_or_port_name_occurs_twice(case: Path) -> None:
    for _, spec in pods(case):
        taken: Counter[int] = Counter()
        for container in ours(spec):
            names = [entry["name"] for entry in container.get("env", [])]
            assert len(set(names)) == len(names)
            taken.update(port["containerPort"] for port in container.get("ports", []))
        assert all(count == 1 for count in taken.values())


@each_case
def test_probes_use_a_port_that_the_container_declares_and_its_program_serves(case: Path) -> None:
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
            for kind in ("livenessProbe", "readinessProbe"):
                probe = container.get(kind, {})
                if "httpGet" not in probe:
                    continue
                port = ports[probe["httpGet"]["port"]]
                listens = env.get("NODEOBS_HTTP_PORT") or env["JOURNAL_EXPORTER_METRICS_ADDRESS"]
                assert listens.rpartition(":")[2] == str(port)
        names = {container["name"] for container in ours(spec)}
        assert all("livenessProbe" in container for container in ours(spec)), names


@each_case
def test_a_loopback_address_is_probed_on_the_loopback_and_not_scraped(case: Path) -> None:
    kinds = {found["kind"] for found in rendered(case)}
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
            address = env.get("JOURNAL_EXPORTER_METRICS_ADDRESS")
            if address is None:
                continue
            host = address.rpartition(":")[0]
            assert container["readinessProbe"]["httpGet"].get("host", "") == host
            assert bool(host) <= bool(spec["hostNetwork"])
            assert not (host and kinds & {"PodMonitor", "ServiceMonitor"})


@each_case
def test_a_port_on_the_host_network_is_the_same_on_the_host(case: Path) -> None:
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            for port in container.get("ports", []):
                assert port.get("hostPort", port["containerPort"]) == port["containerPort"]
                assert ("hostPort" in port) <= spec["hostNetwork"]


@each_case
def test_the_pod_of_helm_test_only_checks_and_has_the_images_and_variables_of_the_programs(
    case: Path,
) -> None:
    manifests = rendered(case)
    checking = {
        "zabbix-agent2": "-t",
        "journal-exporter": "check-config",
        "fluent-bit": "--dry-run",
    }
    for found in manifests:
        if found["kind"] != "Pod":
            continue
        assert found["metadata"]["annotations"]["helm.sh/hook"] == "test"
        for container in found["spec"]["containers"]:
            flag = next(
                text for name, text in checking.items() if container["name"].startswith(name)
            )
            assert flag in [*container.get("command", []), *container.get("args", [])]
        secrets = {
            volume["secret"]["secretName"]
            for one in daemonsets(case)
            for volume in one["spec"]["template"]["spec"]["volumes"]
            if "secret" in volume
        }
        own = {
            volume["secret"]["secretName"]: volume["name"]
            for volume in found["spec"]["volumes"]
            if "secret" in volume
        }
        assert own.keys() == secrets


@each_case
def test_a_pod_has_more_time_to_stop_than_its_programs_need(case: Path) -> None:
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
            assert spec["terminationGracePeriodSeconds"] > int(env.get("NODEOBS_GRACE_S", "20"))


@each_case
def test_each_daemonset_keeps_its_state_in_a_separate_directory(case: Path) -> None:
    written = [
        volume["hostPath"]["path"]
        for found in daemonsets(case)
        for volume in found["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "state"
    ]
    assert len(set(written)) == len(written)


@each_case
def test_fluent_bit_does_not_read_its_own_log(case: Path) -> None:
    for found in daemonsets(case):
        for container in ours(found["spec"]["template"]["spec"]):
            env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
            if "NODEOBS_EXCLUDE_LOGS" not in env:
                continue
            name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
            log = f"/var/log/containers/{name}-x7k2p_{namespace}_fluent-bit-{'0' * 64}.log"
            globs = env["NODEOBS_EXCLUDE_LOGS"].split(",")
            assert any(Path(log).match(glob) for glob in globs)
