"""The boundary of each rule: the last right value and the first wrong one."""

import base64
import json
from fractions import Fraction

import pytest

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup import chart_values, check_user_data, render
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.rules import kubelet
from node_observability.nodegroup.schema.kubelet_names import NAMES
from node_observability.nodegroup.targets import common
from tests.support.nodegroups import described

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"


def pem(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


K = "kubernetes."
VALUES: list[tuple[str, object, object]] = [
    (K + "max-pods", 0, -1),
    (K + "max-pods", 4294967295, 4294967296),
    (K + "container-log-max-files", 2, 1),
    (K + "container-log-max-workers", 1, 0),
    (K + "container-log-max-size", "100m", "100K"),
    (K + "pod-pids-limit", -1, -2),
    (K + "ids-per-pod", 65536, 65535),
    (K + "event-burst", 0, "0"),
    (K + "event-qps", 2147483647, 2147483648),
    (K + "kube-api-burst", 1, True),
    (K + "log-level", 255, 256),
    (K + "memory-throttling-factor", 1, 0),
    (K + "memory-throttling-factor", 0.5, 1.1),
    (K + "max-parallel-image-pulls", 1, 0),
    (K + "image-gc-high-threshold-percent", 100, 101),
    (K + "image-gc-low-threshold-percent", "0", "-1"),
    (K + "image-minimum-gc-age", "1m30s", "1s1m"),
    (K + "cluster-name", "a" * 100, "a" * 101),
    (K + "cluster-dns-ip", ["10.0.0.1", "fd00::1"], ["10.0.0"]),
    (K + "cluster-certificate", "YQ==", "YR=="),
    (K + "authentication-mode", "tls", "none"),
    (K + "hostname-override-source", "instance-id", "ip"),
    (K + "seccomp-default", True, "true"),
    (K + "reserved-cpus", "0,3-5", "0,"),
    (K + "topology-manager-scope", "pod", "node"),
    (K + "bootstrap-token", "abcdef.0123456789abcdef", "abcdef.0123456789abcde"),
    (K + "static-pods", {"a" * 76: {"enabled": True}}, {"a" * 77: {"enabled": True}}),
    (K + "node-labels", {"a": "b" * 63}, {"a": "b" * 64}),
    (K + "node-labels", {"a" * 63: ""}, {"a" * 64: ""}),
    (K + "node-taints", {"a": [":NoExecute"]}, {"a": [":NoExec"]}),
    (K + "eviction-hard", {"pid.available": "99.9%"}, {"pid.available": "100%"}),
    (K + "eviction-hard", {"pid.available": "0%"}, {"pid.available": "0.0"}),
    (K + "eviction-hard", {"memory.available": "0.1Gi"}, {"memory.available": "0Mi"}),
    (K + "kube-reserved", {"pid": "1"}, {"pids": "1"}),
    ("updates.ignore-waves", True, "true"),
    ("updates.seed", 4294967295, -1),
    ("updates.version-lock", "latest", "1.66"),
    ("network.hostname", "a-b.c", "A"),
    ("dns.name-servers", ["fd00::1"], ["example"]),
    ("ntp.time-servers", ["time.example.com"], [""]),
    ("metrics.send-metrics", False, 0),
    ("kernel.lockdown", "integrity", "on"),
    ("container-runtime.max-concurrent-downloads", -1, -2),
    ("container-runtime.log-level", "warn", "warning"),
    ("oci-hooks.log4j-hotpatch-enabled", True, 1),
    ("autoscaling.should-wait", True, "yes"),
    ("aws.region", "eu-west-1", "eu\nwest"),
    ("pki", {"a": {"data": pem(CERTIFICATE * 2)}}, {"a": {"data": pem(CERTIFICATE)[:-1]}}),
    ("pki", {"a": {"data": "", "trusted": True}}, {"a": {"data": "QUJD"}}),
    ("pki", {"a": {"data": pem(CERTIFICATE)}}, {"a": {"data": pem(CERTIFICATE + KEY)}}),
    (K + "memory-swap-behavior", "NoSwap", "Unlimited"),
    (
        K + "memory-manager-reserved-memory",
        {"0": {"enabled": False}},
        {"0": {"memory": "1Gi"}},
    ),
]


def user_data(setting: str, value: object) -> bytes:
    # A JSON value in an inline table is TOML, but for the colons.
    def toml(item: object) -> str:
        if isinstance(item, dict):
            return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in item.items())}}}"
        if isinstance(item, list):
            return f"[{', '.join(toml(one) for one in item)}]"
        return json.dumps(item)

    return f"[settings]\n{setting} = {toml(value)}\n".encode()


@pytest.mark.parametrize(("setting", "good", "bad"), VALUES)
def test_a_setting_accepts_the_last_good_value_and_not_the_first_bad(
    setting: str, good: object, bad: object
) -> None:
    assert check_user_data.check(user_data(setting, good)).errors == ()
    (error,) = check_user_data.check(user_data(setting, bad)).errors
    assert ".".join(map(str, error.path)).startswith(f"settings.{setting}")


@pytest.mark.parametrize(("low", "high", "right"), [(79, 80, True), (80, 80, False)])
def test_the_low_threshold_is_below_the_high(low: int, high: int, *, right: bool) -> None:
    text = (
        f"[settings.kubernetes]\nimage-gc-low-threshold-percent = {low}\n"
        f"image-gc-high-threshold-percent = {high}\n"
    )
    assert (check_user_data.check(text.encode()).errors == ()) is right


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h2m3s4ms", Fraction(3_723_004, 1000)),
        ("0.5h", Fraction(1800)),
        ("250ms", Fraction(1, 4)),
        ("0s", Fraction(0)),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: Fraction) -> None:
    assert kubelet.seconds(text) == expected


def test_user_data_of_exactly_the_limit_is_accepted() -> None:
    frame = "[settings]\nmotd = ''\n"
    text = frame.replace("''", f"'{'x' * (LIMIT_BYTES - len(frame))}'")
    assert check_user_data.check(text.encode()).errors == ()
    assert len(check_user_data.check(text.replace("x", "xx", 1).encode()).errors) == 1


SECRETS = [
    ("kubernetes.server-key", "QUJD"),
    ("kubernetes.bootstrap-token", "abcdef.0123456789abcdef"),
    ("aws.credentials", "QUJD"),
    ("container-registry.credentials", [{"registry": "r", "auth": "dTpw"}]),
    (
        "host-containers.admin.user-data",
        base64.b64encode(b'{"password-hash": "x"}').decode(),
    ),
]


@pytest.mark.parametrize(("setting", "value"), SECRETS)
def test_every_secret_setting_has_a_warning(setting: str, value: object) -> None:
    report = check_user_data.check(user_data(setting, value))
    assert report.errors == ()
    (warning,) = report.warnings
    assert warning.text.startswith(
        "every pod that reaches the instance metadata can read this secret"
    )


# The kubelet's own names (k8s.io/kubelet, config/v1beta1), by the setting: those in which a word differs.
KUBELET = {
    "clusterDNS": "cluster-dns-ip",
    "containerLogMaxFiles": "container-log-max-files",
    "containerLogMaxSize": "container-log-max-size",
    "cpuCFSQuota": "cpu-cfs-quota-enforced",
    "cpuManagerPolicy": "cpu-manager-policy",
    "eventBurst": "event-burst",
    "eventRecordQPS": "event-qps",
    "evictionHard": "eviction-hard",
    "evictionMaxPodGracePeriod": "eviction-max-pod-grace-period",
    "evictionSoft": "eviction-soft",
    "evictionSoftGracePeriod": "eviction-soft-grace-period",
    "failCgroupV1": "fail-cgroup-v1",
    "imageGCHighThresholdPercent": "image-gc-high-threshold-percent",
    "imageGCLowThresholdPercent": "image-gc-low-threshold-percent",
    "imageMaximumGCAge": "image-maximum-gc-age",
    "imageMinimumGCAge": "image-minimum-gc-age",
    "kubeAPIBurst": "kube-api-burst",
    "kubeAPIQPS": "kube-api-qps",
    "kubeReserved": "kube-reserved",
    "maxParallelImagePulls": "max-parallel-image-pulls",
    "maxPods": "max-pods",
    "podPidsLimit": "pod-pids-limit",
    "providerID": "provider-id",
    "registryBurst": "registry-burst",
    "registryPullQPS": "registry-qps",
    "reservedSystemCPUs": "reserved-cpus",
    "seccompDefault": "seccomp-default",
    "serverTLSBootstrap": "server-tls-bootstrap",
    "shutdownGracePeriod": "shutdown-grace-period",
    "shutdownGracePeriodCriticalPods": "shutdown-grace-period-for-critical-pods",
    "singleProcessOOMKill": "single-process-oom-kill",
    "systemReserved": "system-reserved",
    "topologyManagerPolicy": "topology-manager-policy",
    "topologyManagerScope": "topology-manager-scope",
}


@pytest.mark.parametrize("name", KUBELET)
def test_the_kubelets_name_maps_to_this_setting(name: str) -> None:
    assert NAMES[name] == KUBELET[name]


def test_effects_have_eks_spelling() -> None:
    assert common.EFFECTS_OF_EKS == {
        "NoSchedule": "NO_SCHEDULE",
        "PreferNoSchedule": "PREFER_NO_SCHEDULE",
        "NoExecute": "NO_EXECUTE",
    }


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("node.kubernetes.io/a", True),
        ("node-restriction.kubernetes.io/a", True),
        ("kops.k8s.io/a", True),
        ("example.kubernetes.io/a", False),
        ("karpenter.sh/a", False),
        ("example.com/a", True),
    ],
)
def test_karpenter_accepts_labels_with_these_prefixes(key: str, *, taken: bool) -> None:
    assert (render.losses("karpenter", described(labels={key: "b"})) == []) is taken


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({}, (1, 1, 1)),
        ({"min": 0}, (0, 0, 1)),
        ({"min": 3}, (3, 3, 3)),
        ({"desired": 2}, (2, 2, 2)),
        ({"max": 5}, (5, 5, 5)),
        ({"desired": 2, "max": 5}, (2, 2, 5)),
        ({"min": 1, "max": 5}, (1, 1, 5)),
    ],
)
def test_missing_sizes_follow_from_the_others(
    size: dict[str, int], expected: tuple[int, int, int]
) -> None:
    found = common.sizes(described(size=size))
    assert (found["min"], found["desired"], found["max"]) == expected


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "os"}, True),
        ({"key": "os", "value": ""}, True),
        ({"key": "os", "value": None}, True),
        ({"key": "os", "value": "a"}, False),
    ],
)
def test_a_toleration_without_a_value_has_the_empty_value(
    toleration: dict[str, object], *, tolerated: bool
) -> None:
    chart, _ = chart_values.selection({"zabbix": {"tolerations": [toleration]}})
    assert chart is not None
    found = list(
        chart_values.differences(
            chart, {"os": "bottlerocket"}, [Taint(key="os", effect="NoSchedule")]
        )
    )
    assert (found == []) is tolerated
