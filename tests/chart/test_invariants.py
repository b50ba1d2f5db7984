"""What must hold between the objects of every case, whatever the values are."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.cases import each_case
from tests.support.helm import NAMESPACE, RELEASE, Manifest, rendered

READABLE = {
    "/",
    "/var/log",
    "/var/log/containers",
    "/var/log/journal",
    "/var/log/node-observability",
    "/var/log/pods",
    "/var/lib/docker/containers",
    "/run/log/journal",
}
"""Directories of the node that a container may see, read-only."""
WRITABLE = {
    ("journal-exporter", "/var/log/node-observability"),
    ("journal-exporter", "/var/lib/node-observability/journal-exporter"),
    ("fluent-bit", "/var/lib/node-observability/fluent-bit-cri"),
    ("fluent-bit", "/var/lib/node-observability/fluent-bit-docker"),
}
"""Who may write which directory of the node."""
SELECTOR = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


def daemonsets(case: Path) -> list[Manifest]:
    return [found for found in rendered(case) if found["kind"] == "DaemonSet"]


def pods(case: Path) -> Iterator[tuple[str, Manifest]]:
    for found in rendered(case):
        if found["kind"] == "DaemonSet":
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]
        elif found["kind"] == "Pod":
            yield found["metadata"]["name"], found["spec"]
        elif found["kind"] == "Job":
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]
        elif found["kind"] == "CronJob":
            yield (
                found["metadata"]["name"],
                found["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            )


def ours(spec: Manifest) -> list[Manifest]:
    names = ("fluent-bit", "journal-exporter", "zabbix-agent2", "toolbox")
    return [one for one in spec["containers"] if one["name"].startswith(names)]


@each_case
def test_selectors_are_three_literal_labels_disjoint_and_on_their_pods(case: Path) -> None:
    selectors = []
    for found in daemonsets(case):
        selector = found["spec"]["selector"]["matchLabels"]
        assert set(selector) == SELECTOR
        assert selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()
        selectors.append(tuple(sorted(selector.items())))
    assert len(set(selectors)) == len(selectors)


@each_case
def test_pods_have_no_label_that_a_new_version_changes(case: Path) -> None:
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
def test_nothing_is_privileged_and_every_capability_is_dropped(case: Path) -> None:
    for name, spec in pods(case):
        assert not spec.get("hostPID"), name
        assert not spec.get("hostIPC"), name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in ours(spec):
            context = container["securityContext"]
            assert "privileged" not in context
            assert "seLinuxOptions" not in {**context, **spec["securityContext"]}
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}


@each_case
def test_who_is_root_is_root_for_a_reason(case: Path) -> None:
    root = {
        container["name"]
        for _, spec in pods(case)
        for container in ours(spec)
        if container["securityContext"].get("runAsUser", spec["securityContext"].get("runAsUser"))
        == 0
    }
    assert root <= {"journal-exporter", "fluent-bit"}


@each_case
def test_directories_of_the_node_are_known_and_written_by_their_owner_only(case: Path) -> None:
    for _, spec in pods(case):
        paths = {
            volume["name"]: volume["hostPath"]["path"]
            for volume in spec["volumes"]
            if "hostPath" in volume
        }
        for container in spec["containers"]:
            for mount in container.get("volumeMounts", []):
                path = paths.get(mount["name"])
                if path is None:
                    continue
                if mount.get("readOnly"):
                    assert path in READABLE
                else:
                    assert (container["name"], path) in WRITABLE


@each_case
def test_mounts_and_volumes_belong_together(case: Path) -> None:
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
def test_config_maps_and_accounts_that_are_named_exist(case: Path) -> None:
    manifests = rendered(case)
    present = {(found["kind"], found["metadata"]["name"]) for found in manifests}
    extra = {"scripts", "log-patterns"}
    for _, spec in pods(case):
        for volume in spec["volumes"]:
            name = volume.get("configMap", {}).get("name")
            assert name is None or name in extra or ("ConfigMap", name) in present
        account = spec.get("serviceAccountName", "default")
        assert account == "default" or ("ServiceAccount", account) in present


@each_case
def test_the_file_that_a_program_is_started_with_is_in_its_config_map(case: Path) -> None:
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
def test_images_are_pinned_and_containers_bounded(case: Path) -> None:
    for _, spec in pods(case):
        for container in ours(spec):
            image = container["image"]
            assert re.fullmatch(r"[^ ]+(:[\w][\w.-]*|@sha256:[0-9a-f]{64})", image)
            assert not image.endswith(":latest")
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]


@each_case
def test_no_name_of_a_variable_or_a_port_is_given_twice(case: Path) -> None:
    for _, spec in pods(case):
        taken: Counter[int] = Counter()
        for container in ours(spec):
            names = [entry["name"] for entry in container.get("env", [])]
            assert len(set(names)) == len(names)
            taken.update(port["containerPort"] for port in container.get("ports", []))
        assert all(count == 1 for count in taken.values())


@each_case
def test_probes_ask_a_port_that_the_container_has_and_its_program_serves(case: Path) -> None:
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
def test_every_monitor_service_and_policy_selects_pods_of_one_daemonset(case: Path) -> None:
    labels = [found["spec"]["template"]["metadata"]["labels"] for found in daemonsets(case)]
    for found in rendered(case):
        spec = found.get("spec", {})
        selector = {
            "PodMonitor": lambda: spec["selector"]["matchLabels"],  # noqa: B023 - called at once
            "Service": lambda: spec["selector"],  # noqa: B023
            "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],  # noqa: B023
        }.get(found["kind"])
        if selector is None:
            continue
        assert sum(selector().items() <= own.items() for own in labels) == 1


PATHS = {
    "zabbix-agent": "/metrics",
    "fluent-bit-cri": "/api/v2/metrics/prometheus",
    "fluent-bit-docker": "/api/v2/metrics/prometheus",
}
"""Where the programs serve metrics: tests/image and tests/chart ask them there."""


def component(found: Manifest) -> str:
    return str(found["metadata"]["labels"]["app.kubernetes.io/component"])


def ports(case: Path, of: str) -> dict[str, int]:
    """Return the named ports of a DaemonSet's pods."""
    (spec,) = [
        found["spec"]["template"]["spec"] for found in daemonsets(case) if component(found) == of
    ]
    return {
        port["name"]: port["containerPort"]
        for container in spec["containers"]
        for port in container.get("ports", [])
    }


@each_case
def test_what_is_scraped_is_a_port_and_a_path_that_the_pods_serve(case: Path) -> None:
    manifests = rendered(case)
    services = {component(found): found for found in manifests if found["kind"] == "Service"}
    for found in manifests:
        of = component(found)
        if found["kind"] == "Service":
            (port,) = found["spec"]["ports"]
            assert ports(case, of)[port["targetPort"]] == port["port"]
            # A pod that is behind is what the metrics are for.
            assert found["spec"]["publishNotReadyAddresses"] is True
        if found["kind"] not in ("PodMonitor", "ServiceMonitor"):
            continue
        spec = found["spec"]
        (endpoint,) = spec.get("podMetricsEndpoints") or spec["endpoints"]
        assert endpoint["path"] == PATHS[of]
        assert spec["namespaceSelector"] == {"matchNames": [NAMESPACE]}
        assert "node" in [rule.get("targetLabel") for rule in endpoint["relabelings"]]
        if found["kind"] == "PodMonitor":
            assert endpoint["port"] in ports(case, of)
        else:
            names = [port["name"] for port in services[of]["spec"]["ports"]]
            assert endpoint["port"] in names
            labels = services[of]["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()


@each_case
def test_a_network_policy_opens_the_port_of_metrics_to_those_who_are_named(case: Path) -> None:
    for found in rendered(case):
        if found["kind"] != "NetworkPolicy":
            continue
        spec = found["spec"]
        assert "Ingress" in spec["policyTypes"]
        assert ("egress" in spec) == ("Egress" in spec["policyTypes"])
        for rule in spec.get("ingress", []):
            assert rule["from"]
            assert [port["port"] for port in rule["ports"]] == ["metrics"]
            assert "metrics" in ports(case, component(found))


@each_case
def test_a_port_on_the_host_network_is_the_same_on_the_host(case: Path) -> None:
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            for port in container.get("ports", []):
                assert port.get("hostPort", port["containerPort"]) == port["containerPort"]
                assert ("hostPort" in port) <= spec["hostNetwork"]


@each_case
def test_the_test_pod_only_checks_and_is_given_what_the_programs_are(case: Path) -> None:
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
def test_secrets_in_files_are_for_the_pods_group(case: Path) -> None:
    for _, spec in pods(case):
        for volume in spec["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440
                assert spec["securityContext"]["fsGroup"]


@each_case
def test_the_rights_are_to_read_pods_and_to_list_nodes_and_nothing_else(case: Path) -> None:
    def right(resource: str, verb: str) -> Manifest:
        return {"apiGroups": [""], "resources": [resource], "verbs": [verb]}

    allowed = {
        "fluent-bit": [right("pods", "get")],
        "prune-hosts": [right("nodes", "list")],
    }
    if "everything" in case.name:
        allowed["fluent-bit"].append(right("nodes/proxy", "get"))
    for found in rendered(case):
        assert found["kind"] not in ("Role", "RoleBinding")
        of = component(found)
        if found["kind"] == "ClusterRole":
            assert found["rules"] == allowed[of]
        if found["kind"] == "ClusterRoleBinding":
            (subject,) = found["subjects"]
            assert subject["namespace"] == NAMESPACE
            assert found["roleRef"]["name"] == found["metadata"]["name"]
            assert of in found["roleRef"]["name"]
            users = {
                spec.get("serviceAccountName", "default") for name, spec in pods(case) if of in name
            }
            assert users == {subject["name"]}


@each_case
def test_only_fluent_bit_has_a_token_and_only_for_the_kubernetes_filter(case: Path) -> None:
    for found in daemonsets(case):
        has_token = found["spec"]["template"]["spec"]["automountServiceAccountToken"]
        uses_it = "filter-kubernetes" in str(
            next(
                one["data"]
                for one in rendered(case)
                if one["kind"] == "ConfigMap"
                and one["metadata"]["name"] == found["metadata"]["name"]
            )
        )
        assert has_token is uses_it


@each_case
def test_a_pod_has_longer_to_end_than_its_programs_need(case: Path) -> None:
    for found in daemonsets(case):
        spec = found["spec"]["template"]["spec"]
        for container in ours(spec):
            env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
            assert spec["terminationGracePeriodSeconds"] > int(env.get("NODEOBS_GRACE_S", "20"))


@each_case
def test_each_daemonset_keeps_its_state_in_a_directory_of_its_own(case: Path) -> None:
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


def test_a_change_of_configuration_replaces_pods_and_one_of_version_does_not() -> None:
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


@pytest.mark.parametrize("release", ["node-observability", "logs", "a" * 53])
def test_the_name_of_any_release_gives_names_that_fit(release: str) -> None:
    from tests.support.helm import objects, render_text  # noqa: PLC0415 - for this test alone

    for found in objects(render_text(release=release)):
        assert len(found["metadata"]["name"]) <= 63
