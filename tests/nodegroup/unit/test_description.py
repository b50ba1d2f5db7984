"""Descriptions as YAML, and the settings that they lead to. See also ``test_cases``."""

import pytest

from node_observability.errors import UsageError
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.load import read_description
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.schema.kubelet_names import KUBELET, NAMES
from tests.support.nodegroups import described, description_errors


def test_the_error_of_a_secret_in_the_wrong_place_does_not_show_it() -> None:
    text = "name: a\ncluster: {name: b}\nregistries: [{registry: r, auth: aHVudGVyMjp4}]\n"
    (sentence,) = description_errors(text)
    assert "aHVudGVyMjp4" not in sentence


def test_the_kubelets_names_and_shapes_become_bottlerockets() -> None:
    options = {"full-pcpus-only": "true", "strict-cpu-reservation": "false"}
    group = described(
        kubelet={
            "containerLogMaxSize": "50Mi",
            "imageGCHighThresholdPercent": 90,
            "reservedSystemCPUs": "0-1",
            "cpuManagerPolicy": "static",
            "cpuManagerPolicyOptions": options,
            "topologyManagerPolicyOptions": {
                "prefer-closest-numa-nodes": "true",
                "max-allowable-numa-nodes": "16",
            },
            "evictionHard": {"nodefs.inodesFree": "5%"},
            "log-level": 3,
        }
    )
    assert group.kubernetes == {
        "cluster-name": "demo",
        "container-log-max-size": "50Mi",
        "image-gc-high-threshold-percent": 90,
        "reserved-cpus": "0-1",
        "cpu-manager-policy": "static",
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


def test_the_admin_container_is_on_if_it_is_described() -> None:
    group = described(adminContainer={"source": "registry.example.com/admin:v1"})
    assert group.settings["host-containers"]["admin"] == {
        "enabled": True,
        "source": "registry.example.com/admin:v1",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nname: b\n", "2: name: is here twice; keep one"),
        ("a: &x\n  b: *x\n", "2: an alias (*) refers to the value that contains it"),
        ("on: 1\n", '1: the key on must be a string: write it as "on"'),
        ("a: 010\n", "1: a: differs between YAML 1.1 and 1.2"),
        ("a: 1:30\n", "1: a: differs between YAML 1.1 and 1.2"),
        ("a: 1_000\n", "1: a: differs between YAML 1.1 and 1.2"),
        ("a: [1\n", "2: not YAML: "),
        ("a: 1\nb: \x01\n", "2: not YAML: the character U+0001 is not allowed"),
        ("a: 1\n---\nb: 1\n", "3: a second YAML document; keep one"),
        ("a: 2026-99-99\n", "1: not YAML: "),
        ("a: !!python/object:os.system {}\n", "1: a: has a tag"),
    ],
)
def test_yaml_with_a_trap_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        yaml_document.read(text, "a")
    assert caught.value.problems[0].startswith(f"a:{expected}")


def test_numbers_that_yaml_1_1_and_1_2_read_alike_are_accepted() -> None:
    document = yaml_document.read("a: [0, -1, 10, 0.5, 1.30, '010', '1:30', 0x1f]\n", "a")
    assert document.data == {"a": [0, -1, 10, 0.5, 1.3, "010", "1:30", 31]}
    # Helm reads values by YAML 1.1, where 0644 is a file's mode.
    assert yaml_document.read("a: 0644\n", "a", old_numbers=True).data == {"a": 0o644}


def test_a_merge_key_counts_as_if_written_out() -> None:
    document = yaml_document.read("base: &b {x: 1}\nother:\n  <<: *b\n  y: 2\n", "a")
    assert document.data == {"base": {"x": 1}, "other": {"x": 1, "y": 2}}


def test_every_kubelet_name_maps_to_a_setting() -> None:
    assert set(NAMES.values()) <= set(KUBERNETES.fields)
    assert not set(NAMES) & set(KUBELET.refused)


def test_the_error_of_a_missing_file_names_it() -> None:
    with pytest.raises(UsageError, match=r"no/such\.yaml: can't be read: No such file"):
        read_description("no/such.yaml")
