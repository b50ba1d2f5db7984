"""What each target drops or rejects, of existing user data and of a description."""

import tomllib

import pytest
import yaml

from node_observability.nodegroup import check_user_data, render
from node_observability.nodegroup.formats import toml_reader
from node_observability.nodegroup.rules.targets import (
    KARPENTER_KEYS,
    KARPENTER_KUBELET,
    KARPENTER_PLANS_WITH,
)
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.targets.cloudformation import form_problems
from tests.support.nodegroups import described, rendered, tree_of

TEXT = """\
[settings.kubernetes]
api-server = "https://example.com"
cluster-dns-ip = ["10.100.0.10"]
max-pods = 110
image-gc-low-threshold-percent = 60
reserved-cpus = "0"
node-taints = { os = "bottlerocket:NoSchedule" }

[settings.kubernetes.node-labels]
os = "bottlerocket"
"""
CONFIG = {"region": "eu-west-1", "name": "demo"}


def told(text: str, target: str) -> list[str]:
    report = check_user_data.check(text.encode())
    assert report.errors == ()
    return [
        f"{line or ''} {effect.path[-1]}{'' if effect.loses else ' (kept)'}: {effect.text}".strip()
        for effect, line in check_user_data.target_effects(report, target)
    ]


def test_karpenter_resets_drops_overwrites_and_fails_on_what_others_take() -> None:
    assert told(TEXT, "karpenter") == [
        "2 api-server: overwrites it with its own; leave it out",
        "3 cluster-dns-ip: can't read a list, and rejects the user data; write one address",
        "4 max-pods (kept): plans without it; write it as maxPods in EC2NodeClass spec.kubelet",
        (
            "5 image-gc-low-threshold-percent: reads only a string, and rejects the user data;"
            ' write "60"'
        ),
        "6 reserved-cpus: drops it: Karpenter does not know the key; leave it out",
        "7 node-taints: can't read a taint that is no list, and rejects the user data",
        "7 node-taints: resets it; write taints in NodePool spec.template.spec.taints",
        "9 node-labels (kept): merges it, and labels of the NodePool win; write them there",
    ]


def test_eksctl_rejects_labels_taints_and_max_pods() -> None:
    assert told(TEXT, "eksctl") == [
        "2 api-server: overwrites it with its own; leave it out",
        "4 max-pods: rejects it; write it as maxPodsPerNode of the node group",
        "7 node-taints: rejects it; write it as taints of the node group",
        "9 node-labels: rejects it; write it as labels of the node group",
    ]


def test_eksctl_rejects_the_clusters_settings_for_managed_groups() -> None:
    assert told(TEXT, "eksctl-managed") == [
        "2 api-server: rejects it: EKS fills it in; leave it out",
        "3 cluster-dns-ip: rejects it: EKS fills it in; leave it out",
        "7 node-taints: rejects it; write it as taints of the node group",
        "9 node-labels: rejects it; write it as labels of the node group",
    ]


def test_a_launch_template_keeps_what_eks_does_not_know() -> None:
    assert [line.split(":")[0] for line in told(TEXT, "cloudformation")] == [
        "2 api-server",
        "7 node-taints (kept)",
        "9 node-labels (kept)",
    ]


def test_nodes_of_your_own_need_to_be_told_their_cluster() -> None:
    assert told("[settings.kubernetes]\ncluster-name = 'demo'\n", "user-data") == [
        "1 api-server: is missing: nobody fills it in on nodes of your own Auto Scaling group",
        "1 cluster-certificate: is missing: nobody fills it in on nodes of your own Auto Scaling group",
    ]


@pytest.mark.parametrize("target", check_user_data.MERGED_BY_EKS)
def test_toml_that_eks_cannot_merge_is_told(target: str) -> None:
    text = (
        '[settings.kernel]\n\n[settings."kernel".sysctl]\n"net.a" = "1"\n'
        '\n[settings.ntp]\noptions = ["say \\"hi\\""]\n'
    )
    assert told(text, target) == [
        "3 settings: EKS can't merge a header with a quoted key; write the key below its table",
        "7 settings: EKS can't merge an escaped quote; write the string in single quotes",
    ]


UNMERGEABLE = [
    ("[settings.network]\n\nhosts = [['10.0.0.1', ['a.example.com']]]\n", "3 several types"),
    ("[settings.kernel.sysctl]\n\"it's\" = '1'\n", "2 a key with a quote"),
    ("[settings.boot.init]\n'a' = ['1']\n", ""),
    ('[settings]\nmotd = """\n[x \\"y\\"]\n"""\n', "3 an escaped quote"),
    ("[settings]\nmotd = '''\n[x \"y\"]\n'''\n", ""),
    ('[settings.ntp] # "x"\n# ["a"]\n', ""),
    ('[settings]\nmotd = "C# \\"x\\""\n', "2 an escaped quote"),
    ('[settings]\nmotd = "a\\\\"\n', ""),
    ("[settings]\nmotd = 'a\\\"'\n", ""),
    ("[[settings.\"container-registry\".mirrors]]\nregistry='r'\nendpoint=[]\n", "1 a quoted key"),
]


@pytest.mark.parametrize(("text", "expected"), UNMERGEABLE)
def test_only_what_eks_cannot_merge_is_told(text: str, expected: str) -> None:
    found = form_problems(toml_reader.read(text))
    assert len(found) == bool(expected)
    for line, told in found:
        assert line == int(expected.split(" ", 1)[0])
        assert expected.split(" ", 1)[1] in told


def test_karpenter_writes_an_empty_mode_for_a_bootstrap_command_without() -> None:
    command = "[settings.bootstrap-commands.a]\ncommands = [['apiclient', 'get']]\n"
    assert told(command, "karpenter") == [
        '1 a: writes mode = "", and Bottlerocket rejects the user data; write a mode'
    ]
    assert told(command + "mode = 'once'\n", "karpenter") == []
    assert told(command, "eksctl") == []


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


LOSSES = [
    ("user-data", {}, "cluster.apiServer: is missing: a node of your own wants it"),
    ("eksctl", {"cluster": CONFIG}, "instanceTypes: is missing: eksctl wants one at least"),
    (
        "eksctl",
        {
            "cluster": CONFIG,
            "instanceTypes": ["m5.large"],
            "taints": [
                {"key": "os", "effect": "NoSchedule"},
                {"key": "os", "effect": "NoExecute"},
            ],
        },
        "taints[1]: eksctl keeps one taint a key, and os has one above; use eksctl-managed",
    ),
    (
        "eksctl-managed",
        {"cluster": {**CONFIG, "dnsIp": "10.0.0.1"}, "instanceTypes": ["m5.large"]},
        (
            "cluster.dnsIp: eksctl takes no DNS address for managed node groups: EKS fills it in; leave it"
            " out"
        ),
    ),
    (
        "eksctl",
        {"cluster": CONFIG, "instanceTypes": ["m5.large"], "labels": {"a.k8s.io/x": "y"}},
        (
            'labels."a.k8s.io/x": the kubelet may not set labels of Kubernetes\' own domains, and does not'
            " start with it"
        ),
    ),
    (
        "cloudformation",
        {"subnets": ["subnet-01234567"], "labels": {"eks.amazonaws.com/x": "y"}},
        'labels."eks.amazonaws.com/x": EKS rejects labels below eks.amazonaws.com',
    ),
    (
        "cloudformation",
        {},
        "subnets: is missing: write subnets, or cloudFormation.subnetExports",
    ),
    (
        "cloudformation",
        {"subnets": ["subnet-01234567"], "bottlerocketVersion": "1.66.0"},
        (
            "bottlerocketVersion: EKS takes no release number; it wants release and commit as"
            " ReleaseVersion; leave it out"
        ),
    ),
    (
        "karpenter",
        {"updateOperator": True},
        (
            "updateOperator: not with Karpenter: it replaces nodes, and the operator updates them in place;"
            " leave it out"
        ),
    ),
    (
        "karpenter",
        {"kubelet": {"evictionSoftGracePeriod": {"memory.available": "1m"}}},
        (
            'kubelet.eviction-soft-grace-period."memory.available": has no eviction-soft, and Karpenter'
            " rejects its EC2NodeClass"
        ),
    ),
    (
        "karpenter",
        {"kubelet": {"reserved-cpus": "0"}},
        "kubelet.reserved-cpus: karpenter: drops it: Karpenter does not know the key; leave it out",
    ),
    (
        "eksctl-managed",
        {"cluster": CONFIG, "instanceTypes": ["m5.large"], "motd": 'say "hi"'},
        "eksctl-managed: EKS can't merge a value with a double quote, which eksctl escapes",
    ),
    (
        "cloudformation",
        {"subnets": ["subnet-01234567"], "motd": """it's "5\""""},
        "cloudformation: EKS can't merge an escaped quote; write the string in single quotes",
    ),
    (
        "karpenter",
        {"settings": {"bootstrap-commands": {"a": {"commands": [["apiclient"]]}}}},
        (
            'settings.bootstrap-commands.a: karpenter: writes mode = "", and Bottlerocket rejects the user'
            " data; write a mode"
        ),
    ),
    (
        "eksctl-managed",
        {
            "cluster": CONFIG,
            "instanceTypes": ["m5.large"],
            "settings": {"network": {"hosts": [["10.0.0.1", ["a"]]]}},
        },
        (
            "eksctl-managed: network.hosts[0]: EKS can't merge an array of values of several types; leave it"
            " out"
        ),
    ),
    ("karpenter", {"name": "A_b"}, "name: Karpenter wants lower-case letters, digits and '-' only"),
    (
        "karpenter",
        {"fips": True},
        "fips: Karpenter's alias has no FIPS images; select them by amiSelectorTerms",
    ),
    (
        "karpenter",
        {"sshKeyName": "k"},
        "sshKeyName: Karpenter gives nodes no key; use adminContainer.authorizedKeys",
    ),
]


@pytest.mark.parametrize(("target", "parts", "expected"), LOSSES)
def test_a_target_that_would_lose_something_says_so(
    target: str, parts: dict[str, object], expected: str
) -> None:
    group = described(**parts)
    problems = render.losses(target, group, tree_of(group))
    assert problems[0].sentence == expected


def test_spot_and_several_types_are_a_distribution_for_groups_of_ones_own() -> None:
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


def test_the_image_is_named_as_eks_has_it() -> None:
    parts = {"subnets": ["subnet-01234567"], "architecture": "arm64", "nvidia": True, "fips": True}
    text = rendered("cloudformation", described(**parts))
    assert "AmiType: BOTTLEROCKET_ARM_64_NVIDIA_FIPS" in text


def test_karpenter_gets_the_dns_address_and_percentages_as_the_kubelet_has_them() -> None:
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


def test_the_launch_templates_user_data_is_not_read_as_a_template() -> None:
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
