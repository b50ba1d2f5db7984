"""Descriptions: what is wrong with one, where, and what it means where it is right."""

import pytest

from node_observability.errors import UsageError
from node_observability.nodegroup.description import parse
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.load import read_description
from node_observability.nodegroup.schema.bottlerocket_kubernetes import FEATURE_GATES, KUBERNETES
from node_observability.nodegroup.schema.kubelet_names import NAMES, REFUSED
from tests.support.nodegroups import described, tree_of

BASE = "name: workers\ncluster: {name: demo}\n"
NOT_HERE = "a secret may not stand here; write {env: NAME} or {file: PATH}"
REGISTRIES = BASE + "registries:\n"


def sentences(text: str) -> list[str]:
    document = yaml_document.read(text, "a")
    _, problems = parse(document.data)
    return [f"{document.line(problem.path)} {problem.sentence}" for problem in problems]


WRONG = [
    ("- a\n", "1 expected a description with name and cluster, found an array"),
    ("cluster: {name: demo}\n", "1 name: is missing"),
    (
        "apiVersion: eksctl.io/v1alpha5\n",
        "1 is a target's file; expected a description (docs/reference/node-groups.md)",
    ),
    (BASE + "label: {os: x}\n", "3 label: there is no such key; did you mean labels?"),
    (
        BASE + "labels: {os: true}\n",
        (
            "3 labels.os: expected a label value: a string of up to 63 letters, digits, '-', '_' and"
            " '.', with a letter or digit at both ends, or empty, found true"
        ),
    ),
    (
        "name: workers\ncluster:\n  name: demo\n  kubernetesVersion: 1.30\n",
        '4 cluster.kubernetesVersion: expected a version in quotes, as "1.34", found 1.3',
    ),
    (
        BASE + "volumes: {encrypted: true}\n",
        "3 volumes.encrypted: is of no use without a size; write dataGib beside it",
    ),
    (
        BASE + "instanceTypes: [m7i-flex.large, c7gn.xlarge]\n",
        (
            "3 instanceTypes[1]: c7gn.xlarge is arm64, and the group x86_64; write architecture:"
            " arm64"
        ),
    ),
    (
        BASE + "architecture: arm64\ninstanceTypes: [a1.large, g5g.xlarge, g4dn.xlarge]\n",
        (
            "4 instanceTypes[2]: g4dn.xlarge is x86_64, and the group arm64; write architecture:"
            " x86_64"
        ),
    ),
    (BASE + "size: {min: 3, max: 2}\n", "3 size.max: is 2, below min, which is 3"),
    (
        BASE + "taints:\n- {key: os, value: a, effect: NO_SCHEDULE}\n",
        (
            '4 taints[0].effect: expected "NoSchedule", "PreferNoSchedule" or "NoExecute", found'
            ' "NO_SCHEDULE"'
        ),
    ),
    (
        BASE
        + "taints:\n- {key: os, effect: NoExecute}\n- {key: os, value: b, effect: NoExecute}\n",
        "5 taints[1]: os has the effect NoExecute already",
    ),
    # The kubelet's settings.
    (
        BASE + "kubelet:\n  featureGates: {X: true}\n",
        f"4 kubelet.featureGates: {FEATURE_GATES}",
    ),
    (
        BASE + "kubelet:\n  podsPerCore: 10\n",
        "4 kubelet.podsPerCore: Bottlerocket has no setting for it; set max-pods",
    ),
    (
        BASE + "kubelet:\n  containerLogMaxSizes: 1Mi\n",
        (
            "4 kubelet.containerLogMaxSizes: Bottlerocket has no setting for it; did you mean"
            " containerLogMaxSize?"
        ),
    ),
    (
        BASE + "kubelet:\n  maxPods: 1\n  max-pods: 2\n",
        "5 kubelet.max-pods: maxPods says the same; keep one of them",
    ),
    (
        BASE + "kubelet:\n  topologyManagerPolicy: numa\n",
        (
            '4 kubelet.topologyManagerPolicy: expected "none", "restricted", "best-effort" or'
            ' "single-numa-node", found "numa"'
        ),
    ),
    (
        BASE + "kubelet:\n  clusterDNS: [10.0.0.1]\n",
        "4 kubelet.clusterDNS: write it as cluster.dnsIp",
    ),
    (
        BASE + "kubelet: {containerLogMaxSize: 1Mi}\nlogRotation: {maxSize: 2Mi}\n",
        "4 logRotation.maxSize: kubelet.containerLogMaxSize says the same",
    ),
    (
        BASE + "kubelet:\n  node-taints: {os: x}\n",
        (
            "4 kubelet.node-taints: write taints in the description, each target has its own place for"
            " them"
        ),
    ),
    # Credentials.
    (
        REGISTRIES + "- registry: r\n  username: u\n  password: hunter2\n",
        f"6 registries[0].password: {NOT_HERE}",
    ),
    (
        REGISTRIES + "- {registry: r, auth: {env: A, file: b}}\n",
        "4 registries[0].auth: write either {env: NAME} or {file: PATH}",
    ),
    (
        REGISTRIES + "- {registry: r, auth: {env: 1}}\n",
        "4 registries[0].auth: the name after env or file must be a string",
    ),
    (
        REGISTRIES + "- {registry: r}\n",
        "4 registries[0]: has neither credentials (password, auth, identitytoken) nor mirrors",
    ),
    (
        REGISTRIES + "- {registry: r, auth: {env: A}, identitytoken: {env: B}}\n",
        "4 registries[0]: has auth and identitytoken; keep one",
    ),
    (
        REGISTRIES + "- {registry: r, password: {env: A}}\n",
        "4 registries[0]: username and password belong together",
    ),
    (
        BASE + "adminContainer: {passwordHash: secret}\n",
        f"3 adminContainer.passwordHash: {NOT_HERE}",
    ),
    (
        REGISTRIES + "- {registry: r, auth: {env: A}}\n- {registry: r, mirrors: [m]}\n",
        "5 registries[1].registry: stands above too; write it once",
    ),
    *(
        (
            BASE + f"karpenter: {{consolidateAfter: {text}}}\n",
            (
                '3 karpenter.consolidateAfter: expected a duration as "1m" or "1h30m" (whole hours,'
                f' minutes, seconds), or "Never", found "{text}"'
            ),
        )
        for text in ("250ms", "1.5h")
    ),
    # Two places for one thing.
    (
        BASE + "settings: {kubernetes: {max-pods: 1}}\n",
        "3 settings.kubernetes: write these settings under kubelet",
    ),
    (
        BASE + "adminContainer: {enabled: true}\n"
        "settings: {host-containers: {admin: {enabled: true}}}\n",
        "4 settings.host-containers.admin: adminContainer says the same; keep one",
    ),
    (
        BASE + "updateOperator: true\n"
        'labels: {bottlerocket.aws/updater-interface-version: "1.0.0"}\n',
        '4 labels."bottlerocket.aws/updater-interface-version": updateOperator says the same; keep one',
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_a_wrong_description_is_told_by_place_and_fix(text: str, expected: str) -> None:
    assert sentences(text) == [expected]


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    (sentence,) = sentences(REGISTRIES + "- {registry: r, auth: aHVudGVyMjp4}\n")
    assert "aHVudGVyMjp4" not in sentence


def test_the_kubelets_names_and_shapes_become_bottlerockets() -> None:
    options = {"full-pcpus-only": "true", "strict-cpu-reservation": "false"}
    group = described(
        kubelet={
            "containerLogMaxSize": "50Mi",
            "imageGCHighThresholdPercent": 80,
            "reservedSystemCPUs": "0-1",
            "cpuManagerPolicyOptions": options,
            "topologyManagerPolicyOptions": {
                "prefer-closest-numa-nodes": "true",
                "max-allowable-numa-nodes": "16",
            },
            "evictionHard": {"nodefs.inodesFree": "5%"},
            "log-level": 3,
        }
    )
    assert group.kubelet == {
        "container-log-max-size": "50Mi",
        "image-gc-high-threshold-percent": 80,
        "reserved-cpus": "0-1",
        "cpu-manager-policy-options": ["full-pcpus-only"],
        "topology-manager-policy-options": {
            "prefer-closest-numa-nodes": True,
            "max-allowable-numa-nodes": 16,
        },
        "eviction-hard": {"nodefs.inodesFree": "5%"},
        "log-level": 3,
    }


def test_the_update_operators_label_is_added() -> None:
    group = described(updateOperator=True, labels={"os": "bottlerocket"})
    assert group.labels == {
        "os": "bottlerocket",
        "bottlerocket.aws/updater-interface-version": "2.0.0",
    }


def test_the_admin_container_is_on_where_it_is_described() -> None:
    tree = tree_of(described(adminContainer={"source": "registry.example.com/admin:v1"}))
    assert tree["host-containers"]["admin"] == {
        "enabled": True,
        "source": "registry.example.com/admin:v1",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nname: b\n", "2: name: stands here twice; keep one"),
        ("a: &x\n  b: *x\n", "2: an alias (*) refers to the value that contains it"),
        ("on: 1\n", '1: the key on must be a string: write it as "on"'),
        ("a: 010\n", "1: a: is another number to YAML 1.1 than to 1.2"),
        ("a: 1:30\n", "1: a: is another number to YAML 1.1 than to 1.2"),
        ("a: 1_000\n", "1: a: is another number to YAML 1.1 than to 1.2"),
        ("a: [1\n", "2: not YAML: "),
        ("a: 1\nb: \x01\n", "2: not YAML: the character U+0001 is not allowed"),
        ("a: 1\n---\nb: 1\n", "3: a second YAML document; keep one"),
        ("a: 2026-99-99\n", "1: not YAML: "),
        ("a: !!python/object:os.system {}\n", "1: a: has a tag"),
    ],
)
def test_yaml_that_hides_something_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        yaml_document.read(text, "a")
    assert caught.value.problems[0].startswith(f"a:{expected}")


def test_numbers_that_yaml_1_1_and_1_2_read_alike_are_taken() -> None:
    document = yaml_document.read("a: [0, -1, 10, 0.5, 1.30, '010', '1:30', 0x1f]\n", "a")
    assert document.data == {"a": [0, -1, 10, 0.5, 1.3, "010", "1:30", 31]}
    # Helm reads values by YAML 1.1, where 0644 is a file's mode.
    assert yaml_document.read("a: 0644\n", "a", old_numbers=True).data == {"a": 0o644}


def test_a_merge_key_counts_as_if_written_out() -> None:
    document = yaml_document.read("base: &b {x: 1}\nother:\n  <<: *b\n  y: 2\n", "a")
    assert document.data == {"base": {"x": 1}, "other": {"x": 1, "y": 2}}


def test_every_name_that_is_translated_is_a_setting() -> None:
    assert set(NAMES.values()) <= set(KUBERNETES.fields)
    assert not set(NAMES) & set(REFUSED)


def test_reading_a_file_that_is_not_there_names_it() -> None:
    with pytest.raises(UsageError, match=r"no/such\.yaml: can't be read: No such file"):
        read_description("no/such.yaml")
