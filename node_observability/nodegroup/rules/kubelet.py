"""What the kubelet refuses, though each setting by itself is one that it takes. Pure.

A node whose kubelet does not start never joins, and nobody is told. Source: Kubernetes,
pkg/kubelet/apis/config/validation and pkg/kubelet/cm; Bottlerocket's templates of the kubelet's
configuration, which write no default for what is judged here.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from node_observability.nodegroup.schema import kubernetes_values
from node_observability.nodegroup.schema.problem import Problem

_PATH: Final = ("settings", "kubernetes")
_DEFAULT_LOW_PERCENT: Final = 80
_DEFAULT_HIGH_PERCENT: Final = 85
_DEFAULT_LEAST_AGE: Final = "2m"
_LEAST_INTERVAL_S: Final = 3
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
    """Yield what does not go together in ``settings.kubernetes``."""
    for key in kubernetes.get("node-labels", {}):
        if not kubernetes_values.is_for_the_kubelet(key):
            text = "the kubelet may not set labels of Kubernetes' own domains, and does not start with it"
            yield Problem((*_PATH, "node-labels", key), text)
    yield from _eviction(kubernetes)
    yield from _images(kubernetes)
    yield from _durations(kubernetes)
    yield from _managers(kubernetes)


def warnings(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what stops the kubelet of some versions and not of others, and what none of them uses."""
    if (_SHUTDOWN in kubernetes) != (_CRITICAL in kubernetes):
        here, other = (_SHUTDOWN, _CRITICAL) if _SHUTDOWN in kubernetes else (_CRITICAL, _SHUTDOWN)
        text = (
            f"stands without {other}, whose default is another since Kubernetes 1.34 (2m30s, and 30s for"
            " critical pods); the kubelet does not start if critical pods get more: write both"
        )
        yield Problem((*_PATH, here), text)
    for signal in ungrounded(kubernetes):
        text = "has no eviction-soft, and the kubelet takes no notice of it"
        yield Problem((*_PATH, "eviction-soft-grace-period", signal), text)


def ungrounded(kubernetes: Mapping[str, Any]) -> list[str]:
    """Return the signals that have a grace period and no soft threshold, which the kubelet takes."""
    soft = kubernetes.get("eviction-soft", {})
    return [
        signal for signal in kubernetes.get("eviction-soft-grace-period", {}) if signal not in soft
    ]


def _eviction(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    soft = kubernetes.get("eviction-soft", {})
    grace = kubernetes.get("eviction-soft-grace-period", {})
    for signal in soft:
        if signal not in grace:
            text = "has no eviction-soft-grace-period, and the kubelet does not start without"
            yield Problem((*_PATH, "eviction-soft", signal), text)


def _images(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    names = [f"image-gc-{which}-threshold-percent" for which in ("low", "high")]
    low = int(kubernetes.get(names[0], _DEFAULT_LOW_PERCENT))
    high = int(kubernetes.get(names[1], _DEFAULT_HIGH_PERCENT))
    given = [name for name in names if name in kubernetes]
    if given and low >= high:
        if names[0] in given:
            rest = "" if len(given) > 1 else " by default; write both"
            text = f"is {low}, and must be below the high threshold, which is {high}{rest}"
        else:
            text = f"is {high}, and must be above the low threshold, which is {low} by default; write both"
        yield Problem((*_PATH, given[0]), text)
    longest = kubernetes.get("image-maximum-gc-age")
    least = kubernetes.get("image-minimum-gc-age", _DEFAULT_LEAST_AGE)
    if longest is not None and 0 < seconds(longest) <= seconds(least):
        text = f"is {longest}, and must be above image-minimum-gc-age, which is {least}"
        yield Problem((*_PATH, "image-maximum-gc-age"), text)


def _durations(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    interval = kubernetes.get("container-log-monitor-interval")
    if interval is not None and seconds(interval) < _LEAST_INTERVAL_S:
        text = f"is {interval}, and the kubelet wants {_LEAST_INTERVAL_S}s at least"
        yield Problem((*_PATH, "container-log-monitor-interval"), text)
    for name in (_SHUTDOWN, _CRITICAL):
        if name in kubernetes and 0 < seconds(kubernetes[name]) < 1:
            text = f"is {kubernetes[name]}, and the kubelet wants 0s, or 1s at least"
            yield Problem((*_PATH, name), text)
    if _SHUTDOWN in kubernetes and _CRITICAL in kubernetes:
        whole, critical = kubernetes[_SHUTDOWN], kubernetes[_CRITICAL]
        if seconds(critical) > seconds(whole):
            text = f"is {critical}, and is part of {_SHUTDOWN}, which is {whole}"
            yield Problem((*_PATH, _CRITICAL), text)


def _managers(kubernetes: Mapping[str, Any]) -> Iterator[Problem]:
    policy = kubernetes.get("cpu-manager-policy", "none")
    if kubernetes.get("cpu-manager-policy-options") and policy.lower() != "static":
        text = "the kubelet does not start with options of the policy none; write cpu-manager-policy static"
        yield Problem((*_PATH, "cpu-manager-policy-options"), text)
    reserved = kubernetes.get("memory-manager-reserved-memory", {})
    static = kubernetes.get("memory-manager-policy", "none").lower() == "static"
    if static and not any(node.get("enabled") for node in reserved.values()):
        text = (
            "Bottlerocket leaves it out unless a node of memory-manager-reserved-memory is enabled; write"
            " one, with what kube-reserved, system-reserved and eviction-hard come to"
        )
        yield Problem((*_PATH, "memory-manager-policy"), text)


def seconds(duration: str) -> Fraction:
    """Return a duration that ``grammar.DURATION`` accepts, in seconds."""
    return sum(
        (Fraction(number) * _UNITS_S[unit] for number, unit in _PART.findall(duration)),
        Fraction(0),
    )
