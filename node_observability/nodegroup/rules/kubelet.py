"""Checks combinations of ``settings.kubernetes`` with which the kubelet does not start. Pure.

A node whose kubelet does not start never joins, and nothing reports why. Source: Kubernetes,
pkg/kubelet/apis/config/validation and pkg/kubelet/cm; Bottlerocket's templates of the kubelet's
configuration, which write no default for what is checked here.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from node_observability.nodegroup.schema.problem import Problem

_PATH: Final = ("settings", "kubernetes")
_DEFAULT_LOW_PERCENT: Final = 80
_DEFAULT_HIGH_PERCENT: Final = 85
_DEFAULT_MIN_AGE: Final = "2m"
_MIN_INTERVAL_S: Final = 3
_SHUTDOWN: Final = "shutdown-grace-period"
_CRITICAL: Final = "shutdown-grace-period-for-critical-pods"
_UNITS_S: Final = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
}
_PART: Final = re.compile(r"([0-9.]+)(ms|h|m|s)")


def problems(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the settings that contradict each other or a default."""
    yield from _eviction(kubernetes)
    yield from _images(kubernetes)
    yield from _durations(kubernetes)
    yield from _managers(kubernetes)


def warnings(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what stops only some versions of the kubelet, and what no version uses."""
    if (_SHUTDOWN in kubernetes) != (_CRITICAL in kubernetes):
        here, other = (_SHUTDOWN, _CRITICAL) if _SHUTDOWN in kubernetes else (_CRITICAL, _SHUTDOWN)
        text = (
            f"is set without {other}. Their defaults changed in Kubernetes 1.34 (to 2m30s, and 30s for"
            " critical pods), and the kubelet does not start if critical pods get more; write both"
        )
        yield Problem((*_PATH, here), text)
    for signal in without_threshold(kubernetes):
        text = "has no eviction-soft, so the kubelet ignores it"
        yield Problem((*_PATH, "eviction-soft-grace-period", signal), text)


def without_threshold(kubernetes: Mapping[str, Any]) -> list[str]:
    """Return the signals that have a grace period and no soft threshold."""
    soft = kubernetes.get("eviction-soft", {})
    return [
        signal for signal in kubernetes.get("eviction-soft-grace-period", {}) if signal not in soft
    ]


def _eviction(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    soft = kubernetes.get("eviction-soft", {})
    grace = kubernetes.get("eviction-soft-grace-period", {})
    for signal in soft:
        if signal not in grace:
            text = "has no eviction-soft-grace-period, without which the kubelet does not start"
            yield Problem((*_PATH, "eviction-soft", signal), text)


def _images(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    names = [f"image-gc-{which}-threshold-percent" for which in ("low", "high")]
    low = int(kubernetes.get(names[0], _DEFAULT_LOW_PERCENT))
    high = int(kubernetes.get(names[1], _DEFAULT_HIGH_PERCENT))
    given = [name for name in names if name in kubernetes]
    if given and low >= high:
        if names[0] in given:
            rest = "" if len(given) > 1 else " by default; write both"
            text = f"{low} is not below the high threshold, which is {high}{rest}"
        else:
            text = f"{high} is not above the low threshold, which is {low} by default; write both"
        yield Problem((*_PATH, given[0]), text)
    longest = kubernetes.get("image-maximum-gc-age")
    least = kubernetes.get("image-minimum-gc-age", _DEFAULT_MIN_AGE)
    if longest is not None and 0 < seconds(longest) <= seconds(least):
        text = f"{longest} is not above image-minimum-gc-age, which is {least}"
        yield Problem((*_PATH, "image-maximum-gc-age"), text)


def _durations(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    interval = kubernetes.get("container-log-monitor-interval")
    if interval is not None and seconds(interval) < _MIN_INTERVAL_S:
        text = f"{interval} is below the kubelet's minimum of {_MIN_INTERVAL_S}s"
        yield Problem((*_PATH, "container-log-monitor-interval"), text)
    for name in (_SHUTDOWN, _CRITICAL):
        if name in kubernetes and 0 < seconds(kubernetes[name]) < 1:
            text = f"{kubernetes[name]} is below the kubelet's minimum of 1s; 0s switches it off"
            yield Problem((*_PATH, name), text)
    if _SHUTDOWN in kubernetes and _CRITICAL in kubernetes:
        whole, critical = kubernetes[_SHUTDOWN], kubernetes[_CRITICAL]
        if seconds(critical) > seconds(whole):
            text = f"{critical} exceeds {_SHUTDOWN} ({whole}), of which it is a part"
            yield Problem((*_PATH, _CRITICAL), text)


def _managers(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    policy = kubernetes.get("cpu-manager-policy", "none")
    if kubernetes.get("cpu-manager-policy-options") and policy.lower() != "static":
        text = "needs cpu-manager-policy static, without which the kubelet does not start"
        yield Problem((*_PATH, "cpu-manager-policy-options"), text)
    reserved = kubernetes.get("memory-manager-reserved-memory", {})
    static = kubernetes.get("memory-manager-policy", "none").lower() == "static"
    if static and not any(node.get("enabled") for node in reserved.values()):
        text = (
            "Bottlerocket ignores it unless memory-manager-reserved-memory has an enabled NUMA node; add"
            " one, with the sum of kube-reserved, system-reserved and eviction-hard"
        )
        yield Problem((*_PATH, "memory-manager-policy"), text)


def seconds(duration: str) -> Fraction:
    """Return the seconds of a duration that ``kubernetes_values.DURATION`` accepts."""
    return sum(
        (Fraction(number) * _UNITS_S[unit] for number, unit in _PART.findall(duration)),
        Fraction(0),
    )
