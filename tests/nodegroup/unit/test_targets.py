"""The file of each target: where it places what a description has. See also ``test_cases``."""

import tomllib

import pytest
import yaml

from node_observability.nodegroup.rules.targets import (
    KARPENTER_KEYS,
    KARPENTER_KUBELET,
    KARPENTER_PLANS_WITH,
)
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.targets.cloudformation import value_problems
from tests.support.nodegroups import described, rendered

CONFIG = {"region": "eu-west-1", "name": "demo"}


def test_eks_cannot_merge_a_key_with_a_quote_in_it() -> None:
    (problem,) = value_problems({"a": {"it's": 1}})
    assert problem.path == ("a", "it's")
    assert problem.text.startswith("EKS can't merge a key with a quote in it")


def test_eksctl_encrypts_both_volumes() -> None:
    # With volumeName eksctl leaves the OS volume as it is.
    parts = {"cluster": CONFIG, "instanceTypes": ["m5.large"], "volumes": {"dataGib": 50}}
    (own,) = yaml.safe_load(rendered("eksctl", described(**parts)))["nodeGroups"]
    assert {name: own[name] for name in own if name.startswith("volume")} == {
        "volumeSize": 50,
        "volumeEncrypted": True,
    }


def test_karpenter_knows_these_keys() -> None:
    # Of its own struct; a key that Bottlerocket gets anew is dropped until Karpenter reads it.
    assert len(KARPENTER_KEYS) == 49
    assert set(KUBERNETES.fields) >= KARPENTER_KEYS >= set(KARPENTER_KUBELET)
    assert set(KARPENTER_KUBELET) >= set(KARPENTER_PLANS_WITH)


def test_spot_and_several_types_are_a_distribution_in_node_groups() -> None:
    group = described(cluster=CONFIG, instanceTypes=["m5.large", "m6i.large"], capacityType="spot")
    (own,) = yaml.safe_load(rendered("eksctl", group))["nodeGroups"]
    assert own["instancesDistribution"] == {
        "instanceTypes": ["m5.large", "m6i.large"],
        "onDemandPercentageAboveBaseCapacity": 0,
    }
    (managed,) = yaml.safe_load(rendered("eksctl-managed", group))["managedNodeGroups"]
    assert managed["instanceTypes"] == ["m5.large", "m6i.large"]
    assert managed["spot"] is True


def test_max_pods_has_a_place_of_its_own_with_eksctl() -> None:
    group = described(cluster=CONFIG, instanceTypes=["m5.large"], kubelet={"maxPods": 58})
    (own,) = yaml.safe_load(rendered("eksctl", group))["nodeGroups"]
    assert own["maxPodsPerNode"] == 58
    assert "bottlerocket" not in own


def test_the_image_type_has_eks_spelling() -> None:
    parts = {"subnets": ["subnet-01234567"], "architecture": "arm64", "nvidia": True, "fips": True}
    text = rendered("cloudformation", described(**parts))
    assert "AmiType: BOTTLEROCKET_ARM_64_NVIDIA_FIPS" in text


def test_karpenter_gets_dns_address_and_percentages_as_the_kubelet_reads_them() -> None:
    group = described(
        cluster={"name": "demo", "dnsIp": "10.100.0.10"},
        kubelet={"image-gc-high-threshold-percent": "85"},
    )
    node_class, _ = yaml.safe_load_all(rendered("karpenter", group))
    assert node_class["spec"]["kubelet"] == {
        "imageGCHighThresholdPercent": 85,
        "clusterDNS": ["10.100.0.10"],
    }
    assert "userData" not in node_class["spec"]


@pytest.mark.parametrize("encrypted", [True, False])
def test_volumes_are_encrypted_as_described_by_every_target(*, encrypted: bool) -> None:
    parts = {"cluster": CONFIG, "instanceTypes": ["m5.large"], "subnets": ["subnet-01234567"]}
    group = described(**parts, volumes={"dataGib": 30, "encrypted": encrypted})
    node_class, _ = yaml.safe_load_all(rendered("karpenter", group))
    mapped = node_class["spec"]["blockDeviceMappings"]
    assert [one["ebs"]["encrypted"] for one in mapped] == [encrypted] * 2
    (own,) = yaml.safe_load(rendered("eksctl", group))["nodeGroups"]
    assert own["volumeEncrypted"] is encrypted
    assert rendered("cloudformation", group).count(f"Encrypted: {str(encrypted).lower()}") == 2


@pytest.mark.parametrize("private", [True, False])
def test_nodes_have_public_addresses_as_described(*, private: bool) -> None:
    parts = {"cluster": CONFIG, "instanceTypes": ["m5.large"]}
    group = described(**parts, privateNetworking=private)
    (own,) = yaml.safe_load(rendered("eksctl", group))["nodeGroups"]
    assert own["privateNetworking"] is private
    node_class, _ = yaml.safe_load_all(rendered("karpenter", group))
    assert node_class["spec"]["associatePublicIPAddress"] is not private


def test_cloudformation_does_not_substitute_in_user_data() -> None:
    group = described(subnets=["subnet-01234567"], motd="costs ${AWS::Region} !Ref\n")
    text = rendered("cloudformation", group)
    user_data = text.split("Fn::Base64: |\n")[1].split("\n\n")[0]
    assert tomllib.loads("\n".join(line.strip() for line in user_data.splitlines())) == {
        "settings": {"motd": "costs ${AWS::Region} !Ref\n"}
    }


def test_pods_are_kept_from_user_data_with_credentials_in_it() -> None:
    registries = [{"registry": "r", "identitytoken": {"env": "TOKEN"}}]
    parts = {"cluster": CONFIG, "instanceTypes": ["m5.large"], "subnets": ["subnet-01234567"]}
    secret = described(**parts, registries=registries)
    plain = described(**parts, motd="hello")
    assert "HttpPutResponseHopLimit: 1" in rendered("cloudformation", secret)
    assert "HttpPutResponseHopLimit: 2" in rendered("cloudformation", plain)
    (own,) = yaml.safe_load(rendered("eksctl", secret))["nodeGroups"]
    assert own["disablePodIMDS"] is True
    (own,) = yaml.safe_load(rendered("eksctl", plain))["nodeGroups"]
    assert "disablePodIMDS" not in own
