"""Settings each of which the kubelet takes, and which together keep it from starting."""

from fractions import Fraction

import pytest

from node_observability.nodegroup import check_user_data
from node_observability.nodegroup.rules import kubelet as kubelet_rules

WAIT = "shutdown-grace-period"
CRITICAL = "shutdown-grace-period-for-critical-pods"


def told(lines: str) -> list[str]:
    report = check_user_data.check(f"[settings.kubernetes]\n{lines}\n".encode())
    return [f"{one.line} {one.problem.sentence}" for one in report.errors]


def warned(lines: str) -> list[str]:
    report = check_user_data.check(f"[settings.kubernetes]\n{lines}\n".encode())
    assert report.errors == ()
    return [f"{one.line} {one.problem.sentence}" for one in report.warnings]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "image-gc-high-threshold-percent = 80",
            (
                "image-gc-high-threshold-percent: is 80, and must be above the low threshold, which is 80 by"
                " default; write both"
            ),
        ),
        (
            "image-gc-low-threshold-percent = '85'",
            (
                "image-gc-low-threshold-percent: is 85, and must be below the high threshold, which is 85 by"
                " default; write both"
            ),
        ),
        (
            "image-maximum-gc-age = '2m'",
            "image-maximum-gc-age: is 2m, and must be above image-minimum-gc-age, which is 2m",
        ),
        (
            "image-maximum-gc-age = '1s'",
            "image-maximum-gc-age: is 1s, and must be above image-minimum-gc-age, which is 2m",
        ),
        (
            "image-maximum-gc-age = '1h'\nimage-minimum-gc-age = '61m'",
            "image-maximum-gc-age: is 1h, and must be above image-minimum-gc-age, which is 61m",
        ),
        (
            "container-log-monitor-interval = '2s999ms'",
            "container-log-monitor-interval: is 2s999ms, and the kubelet wants 3s at least",
        ),
        (
            f"{WAIT} = '999ms'\n{CRITICAL} = '0s'",
            f"{WAIT}: is 999ms, and the kubelet wants 0s, or 1s at least",
        ),
        (
            f"{CRITICAL} = '31s'\n{WAIT} = '30s'",
            f"{CRITICAL}: is 31s, and is part of {WAIT}, which is 30s",
        ),
        (
            "cpu-manager-policy-options = ['full-pcpus-only']\ncpu-manager-policy = 'none'",
            (
                "cpu-manager-policy-options: the kubelet does not start with options of the policy none;"
                " write cpu-manager-policy static"
            ),
        ),
        (
            "cpu-manager-policy-options = ['full-pcpus-only']",
            (
                "cpu-manager-policy-options: the kubelet does not start with options of the policy none;"
                " write cpu-manager-policy static"
            ),
        ),
        (
            (
                "memory-manager-policy = 'Static'\n"
                "memory-manager-reserved-memory.0 = {enabled = false, memory = '1Gi'}"
            ),
            (
                "memory-manager-policy: Bottlerocket leaves it out unless a node of"
                " memory-manager-reserved-memory is enabled; write one, with what kube-reserved,"
                " system-reserved and eviction-hard come to"
            ),
        ),
        (
            "topology-manager-policy-options = {max-allowable-numa-nodes = 7}",
            (
                "topology-manager-policy-options.max-allowable-numa-nodes: expected an integer from 8 to"
                " 2147483647, found 7"
            ),
        ),
        (
            "credential-providers.ecr = {enabled = true, image-patterns = ['*.example.com']}",
            'credential-providers.ecr: expected "ecr-credential-provider" as the key',
        ),
        (
            "credential-providers.ecr-credential-provider = {enabled = true, image-patterns = []}",
            (
                "credential-providers.ecr-credential-provider.image-patterns: expected 1 or more items,"
                " found 0"
            ),
        ),
        (
            "reserved-cpus = '0,5-3'",
            'reserved-cpus: expected a set of CPUs as "0,3-5,8", found "0,5-3"',
        ),
    ],
)
def test_what_keeps_the_kubelet_from_starting_is_told(lines: str, expected: str) -> None:
    assert told(lines) == [f"2 settings.kubernetes.{expected}"]


@pytest.mark.parametrize(
    "lines",
    [
        "image-gc-high-threshold-percent = 81",
        "image-gc-low-threshold-percent = 84",
        "image-gc-high-threshold-percent = 70\nimage-gc-low-threshold-percent = 60",
        "image-maximum-gc-age = '0s'",
        "image-maximum-gc-age = '2m1ms'",
        "image-maximum-gc-age = '90s'\nimage-minimum-gc-age = '1m'",
        "container-log-monitor-interval = '3s'",
        f"{WAIT} = '0s'\n{CRITICAL} = '0s'",
        f"{WAIT} = '1s'\n{CRITICAL} = '1s'",
        f"{WAIT} = '30s'\n{CRITICAL} = '0.5m'",
        "cpu-manager-policy-options = []",
        "cpu-manager-policy-options = ['full-pcpus-only']\ncpu-manager-policy = 'static'",
        "memory-manager-policy = 'None'",
        (
            "memory-manager-policy = 'Static'\n"
            "memory-manager-reserved-memory.0 = {enabled = true, memory = '1Gi'}"
        ),
        "topology-manager-policy-options = {max-allowable-numa-nodes = 8}",
        "reserved-cpus = '0,3-3'",
    ],
)
def test_what_the_kubelet_takes_is_not_told(lines: str) -> None:
    assert told(lines) == []
    assert warned(lines) == []


@pytest.mark.parametrize(("here", "other"), [(WAIT, CRITICAL), (CRITICAL, WAIT)])
def test_one_grace_period_without_the_other_is_a_warning(here: str, other: str) -> None:
    assert warned(f"{here} = '10s'") == [
        (
            f"2 settings.kubernetes.{here}: stands without {other}, whose default is another since"
            " Kubernetes 1.34 (2m30s, and 30s for critical pods); the kubelet does not start if critical pods"
            " get more: write both"
        )
    ]


def test_a_grace_period_without_its_threshold_is_a_warning_for_the_kubelet_takes_it() -> None:
    lines = (
        "eviction-soft-grace-period = {'memory.available' = '5s', 'pid.available' = '5s'}\n"
        "eviction-soft = {'pid.available' = '5%'}"
    )
    assert warned(lines) == [
        (
            '2 settings.kubernetes.eviction-soft-grace-period."memory.available": has no eviction-soft, and'
            " the kubelet takes no notice of it"
        )
    ]


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
    assert kubelet_rules.seconds(text) == expected
