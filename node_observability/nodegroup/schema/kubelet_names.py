"""Maps other names of ``settings.kubernetes`` to Bottlerocket's: the kubelet's and our description's.

People have the kubelet's names in scripts and in ``--kubelet-extra-args``; Bottlerocket's are in
kebab-case and not always the same words. Source: k8s.io/kubelet, config/v1beta1 (``KubeletConfiguration``),
and Bottlerocket's templates of the kubelet's configuration.
"""

from collections.abc import Mapping
from typing import Final

from node_observability.nodegroup.schema.bottlerocket_kubernetes import FEATURE_GATES, KUBERNETES
from node_observability.nodegroup.schema.kinds import ANY, Struct

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
"""Bottlerocket's settings by the kubelet's names."""
LOG_ROTATION: Final = {
    "maxSize": "container-log-max-size",
    "maxFiles": "container-log-max-files",
}
"""Bottlerocket's settings by the names under ``logRotation``."""
CLUSTER: Final = {
    "apiServer": "api-server",
    "certificate": "cluster-certificate",
    "name": "cluster-name",
    "dnsIp": "cluster-dns-ip",
}
"""Bottlerocket's settings by the names under ``cluster``."""

_WITHOUT_SETTING: Final[Mapping[str, str]] = {
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
_REFUSED: Final = {
    **_WITHOUT_SETTING,
    "registerWithTaints": "write taints at the top of the description",
    "node-labels": "write labels at the top of the description; each target has its own place for them",
    "node-taints": "write taints at the top of the description; each target has its own place for them",
    **{setting: f"write it as cluster.{name}" for name, setting in CLUSTER.items()},
}

KUBELET: Final = Struct(
    {name: ANY for name in KUBERNETES.fields if name not in _REFUSED},
    aliases=NAMES,
    refused=_REFUSED,
    unknown="Bottlerocket has no such setting",
)
"""The names that a description may use under ``kubelet``. Values are checked as settings."""

IN_SETTINGS: Final[Mapping[str, str]] = {
    **{
        name: f"is the kubelet's name; Bottlerocket's is {setting}"
        for name, setting in NAMES.items()
        if name != setting
    },
    **_WITHOUT_SETTING,
}
"""The kubelet's names that user data may not use, each with what to write instead."""


def reshaped(setting: str, value: object) -> object:
    """Return a value with the list or table that Bottlerocket needs for the kubelet's map of strings."""
    if setting == "cpu-manager-policy-options" and isinstance(value, Mapping):
        return [name for name, on in value.items() if on in (True, "true")]
    if setting == "topology-manager-policy-options" and isinstance(value, Mapping):
        return {name: _parsed(inner) for name, inner in value.items()}
    return value


def _parsed(value: object) -> object:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
