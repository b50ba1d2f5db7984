"""Permissions of the pods: no privileges, known directories of the node, two permissions in the API."""

from pathlib import Path

from tests.support.chart.cases import each_case
from tests.support.chart.objects import component, daemonsets, ours, pods
from tests.support.helm import NAMESPACE, Manifest, rendered

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
"""Directories of the node that a container may mount read-only."""


WRITABLE = {
    ("journal-exporter", "/var/log/node-observability"),
    ("journal-exporter", "/var/lib/node-observability/journal-exporter"),
    ("fluent-bit", "/var/lib/node-observability/fluent-bit-cri"),
    ("fluent-bit", "/var/lib/node-observability/fluent-bit-docker"),
}
"""Directories of the node that a container may write to."""


@each_case
def test_no_container_is_privileged_and_all_drop_every_capability(case: Path) -> None:
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
def test_only_containers_that_read_roots_files_run_as_root(case: Path) -> None:
    root = {
        container["name"]
        for _, spec in pods(case)
        for container in ours(spec)
        if container["securityContext"].get("runAsUser", spec["securityContext"].get("runAsUser"))
        == 0
    }
    assert root <= {"journal-exporter", "fluent-bit"}


@each_case
def test_pods_mount_known_directories_of_the_node_and_write_only_to_their_own(case: Path) -> None:
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
def test_only_the_pods_group_can_read_secrets_in_files(case: Path) -> None:
    for _, spec in pods(case):
        for volume in spec["volumes"]:
            # Certificates of authorities are public.
            if "secret" in volume and not volume["name"].startswith("output-ca"):
                assert volume["secret"]["defaultMode"] == 0o440
                assert spec["securityContext"]["fsGroup"]


@each_case
def test_the_only_permissions_are_to_read_pods_and_to_list_nodes(case: Path) -> None:
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
def test_only_fluent_bit_has_a_token_and_only_with_the_kubernetes_filter(case: Path) -> None:
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
