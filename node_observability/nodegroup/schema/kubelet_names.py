"""The kubelet's own names for settings, as ``KubeletConfiguration`` has them. Pure.

People have them in scripts and in ``--kubelet-extra-args``; Bottlerocket's names are in kebab-case and
not always the same words. Source: k8s.io/kubelet, config/v1beta1, and Bottlerocket's templates of the
kubelet configuration.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from node_observability.hints import close_to
from node_observability.nodegroup.schema.bottlerocket_kubernetes import FEATURE_GATES, KUBERNETES
from node_observability.nodegroup.schema.problem import Path, Problem

# Where the words differ, not just their case.
_OTHER_WORDS: Final = {
    "clusterDNS": "cluster-dns-ip",
    "cpuCFSQuota": "cpu-cfs-quota-enforced",
    "eventRecordQPS": "event-qps",
    "imageGCHighThresholdPercent": "image-gc-high-threshold-percent",
    "imageGCLowThresholdPercent": "image-gc-low-threshold-percent",
    "imageMaximumGCAge": "image-maximum-gc-age",
    "imageMinimumGCAge": "image-minimum-gc-age",
    "kubeAPIBurst": "kube-api-burst",
    "kubeAPIQPS": "kube-api-qps",
    "providerID": "provider-id",
    "registryPullQPS": "registry-qps",
    "reservedSystemCPUs": "reserved-cpus",
    "serverTLSBootstrap": "server-tls-bootstrap",
    "shutdownGracePeriodCriticalPods": "shutdown-grace-period-for-critical-pods",
    "singleProcessOOMKill": "single-process-oom-kill",
}
_SAME_WORDS: Final = (
    "allowed-unsafe-sysctls",
    "cluster-domain",
    "container-log-max-files",
    "container-log-max-size",
    "container-log-max-workers",
    "container-log-monitor-interval",
    "container-runtime-endpoint",
    "cpu-manager-policy",
    "cpu-manager-policy-options",
    "cpu-manager-reconcile-period",
    "event-burst",
    "eviction-hard",
    "eviction-max-pod-grace-period",
    "eviction-soft",
    "eviction-soft-grace-period",
    "fail-cgroup-v1",
    "kube-reserved",
    "max-parallel-image-pulls",
    "max-pods",
    "memory-manager-policy",
    "memory-reservation-policy",
    "memory-throttling-factor",
    "pod-pids-limit",
    "registry-burst",
    "seccomp-default",
    "shutdown-grace-period",
    "system-reserved",
    "topology-manager-policy",
    "topology-manager-policy-options",
    "topology-manager-scope",
)


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(part.capitalize() for part in rest)


NAMES: Final[Mapping[str, str]] = {
    **{_camel(name): name for name in _SAME_WORDS},
    **_OTHER_WORDS,
}
KUBELET_NAMES: Final[Mapping[str, str]] = {setting: name for name, setting in NAMES.items()}

WITHOUT_SETTING: Final[Mapping[str, str]] = {
    "featureGates": FEATURE_GATES,
    "feature-gates": FEATURE_GATES,
    "podsPerCore": "Bottlerocket has no setting for it; set max-pods",
    "kubeReservedCgroup": "Bottlerocket fixes it (/runtime); leave it out",
    "systemReservedCgroup": "Bottlerocket fixes it (/system); leave it out",
    "enforceNodeAllocatable": "Bottlerocket has no setting for it; leave it out",
    "cgroupDriver": "Bottlerocket fixes it (systemd); leave it out",
    "staticPodPath": "Bottlerocket fixes it; use static-pods",
    "memorySwap": "write memory-swap-behavior, with the value of swapBehavior",
    "reservedMemory": "write memory-manager-reserved-memory, a table by NUMA node",
}
REFUSED: Final[Mapping[str, str]] = {
    **WITHOUT_SETTING,
    "registerWithTaints": "write taints in the description",
    "node-labels": "write labels in the description, each target has its own place for them",
    "node-taints": "write taints in the description, each target has its own place for them",
}


IN_SETTINGS: Final[Mapping[str, str]] = {
    **{
        name: f"is the kubelet's name; Bottlerocket's is {setting}"
        for name, setting in NAMES.items()
        if name != setting
    },
    **WITHOUT_SETTING,
}
"""What to say of the kubelet's own names where only Bottlerocket's count."""


def problems(settings: Mapping[str, object], path: Path) -> Iterator[Problem]:
    """Yield the names that are neither the kubelet's nor Bottlerocket's, and those said twice."""
    met: dict[str, str] = {}
    for name in settings:
        setting = NAMES.get(name, name)
        here = (*path, name)
        if name in REFUSED:
            yield Problem(here, REFUSED[name])
        elif setting not in KUBERNETES.fields:
            hint = close_to(name, [*KUBERNETES.fields, *NAMES])
            yield Problem(here, f"Bottlerocket has no setting for it{hint}")
        elif setting in met:
            yield Problem(here, f"{met[setting]} says the same; keep one of them")
        else:
            met[setting] = name


def translated(settings: Mapping[str, object]) -> dict[str, object]:
    """Return kubelet settings under Bottlerocket's names and in its shapes."""
    return {
        NAMES.get(name, name): _reshaped(NAMES.get(name, name), value)
        for name, value in settings.items()
    }


def _reshaped(setting: str, value: object) -> object:
    """Turn the kubelet's maps of strings into the list and the table that Bottlerocket wants."""
    if setting == "cpu-manager-policy-options" and isinstance(value, Mapping):
        return [name for name, on in value.items() if on in (True, "true")]
    if setting == "topology-manager-policy-options" and isinstance(value, Mapping):
        return {name: _parsed(inner) for name, inner in value.items()}
    return value


def _parsed(value: object) -> object:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
