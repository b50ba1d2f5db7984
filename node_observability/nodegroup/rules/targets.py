"""Checks what each target, a way of creating nodes, does to settings on their way to the node. Pure.

Sources, each read in its code: Karpenter ``pkg/providers/amifamily/bootstrap/bottlerocket.go`` and
``bottlerocketsettings.go`` (1.14.1); eksctl ``pkg/apis/eksctl.io/v1alpha5/validation.go`` and
``pkg/nodebootstrap`` (August 2026). For managed node groups with a launch template: the EKS user guide,
"Customize managed nodes with launch templates".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from node_observability.nodegroup.schema.problem import Problem

KUBERNETES_PATH: Final = ("settings", "kubernetes")
# What Karpenter reads (struct BottlerocketKubernetes); it drops other keys of settings.kubernetes, with a
# line in its log.
KARPENTER_KEYS: Final = frozenset(
    {
        "allowed-unsafe-sysctls",
        "api-server",
        "cloud-provider",
        "cluster-certificate",
        "cluster-dns-ip",
        "cluster-domain",
        "cluster-name",
        "container-log-max-files",
        "container-log-max-size",
        "container-log-max-workers",
        "container-log-monitor-interval",
        "cpu-cfs-quota-enforced",
        "cpu-manager-policy",
        "cpu-manager-policy-options",
        "cpu-manager-reconcile-period",
        "credential-providers",
        "device-ownership-from-security-context",
        "event-burst",
        "event-qps",
        "eviction-hard",
        "eviction-max-pod-grace-period",
        "eviction-soft",
        "eviction-soft-grace-period",
        "hostname-override-source",
        "ids-per-pod",
        "image-gc-high-threshold-percent",
        "image-gc-low-threshold-percent",
        "kube-api-burst",
        "kube-api-qps",
        "kube-reserved",
        "log-level",
        "max-pods",
        "memory-manager-policy",
        "memory-manager-reserved-memory",
        "node-labels",
        "node-taints",
        "pod-pids-limit",
        "registry-burst",
        "registry-qps",
        "seccomp-default",
        "server-tls-bootstrap",
        "shutdown-grace-period",
        "shutdown-grace-period-for-critical-pods",
        "single-process-oom-kill",
        "static-pods",
        "system-reserved",
        "topology-manager-policy",
        "topology-manager-policy-options",
        "topology-manager-scope",
    }
)
CLUSTER: Final = ("api-server", "cluster-certificate", "cluster-name")
LABELS_AND_TAINTS: Final = ("node-labels", "node-taints")
# Karpenter plans with these, so it must know them: EC2NodeClass spec.kubelet, not user data.
KARPENTER_PLANS_WITH: Final = {
    "max-pods": "maxPods",
    "kube-reserved": "kubeReserved",
    "system-reserved": "systemReserved",
    "eviction-hard": "evictionHard",
}
# What else spec.kubelet carries to Bottlerocket.
KARPENTER_KUBELET: Final = {
    **KARPENTER_PLANS_WITH,
    "eviction-soft": "evictionSoft",
    "eviction-soft-grace-period": "evictionSoftGracePeriod",
    "eviction-max-pod-grace-period": "evictionMaxPodGracePeriod",
    "image-gc-high-threshold-percent": "imageGCHighThresholdPercent",
    "image-gc-low-threshold-percent": "imageGCLowThresholdPercent",
    "cpu-cfs-quota-enforced": "cpuCFSQuota",
}


@dataclass(frozen=True, slots=True)
class Effect(Problem):
    """What a target does to one setting. ``loses``: the node would not get what is written."""

    loses: bool = True


def _karpenter(kubernetes: Mapping[str, Any]) -> Iterator[Effect]:
    for key, value in kubernetes.items():
        path = (*KUBERNETES_PATH, key)
        if key == "node-taints":
            if isinstance(value, Mapping) and any(isinstance(one, str) for one in value.values()):
                text = (
                    "can't read a taint that is not a list, and rejects the user data; write a list"
                )
                yield Effect(path, text)
            yield Effect(path, "resets it; write taints in NodePool spec.template.spec.taints")
        elif key == "node-labels":
            text = "merges it, and labels of the NodePool take precedence; write them there"
            yield Effect(path, text, loses=False)
        elif key in CLUSTER:
            yield Effect(path, "overwrites it with its own; leave it out")
        elif key == "cluster-dns-ip" and isinstance(value, list):
            yield Effect(path, "can't read a list, and rejects the user data; write one address")
        elif key.startswith("image-gc-") and key.endswith("-percent") and isinstance(value, int):
            yield Effect(path, f'reads only a string, and rejects the user data; write "{value}"')
        elif key not in KARPENTER_KEYS:
            yield Effect(path, "does not know the key and drops it; leave it out")
        elif key in KARPENTER_PLANS_WITH:
            text = f"plans without it; write it as {KARPENTER_PLANS_WITH[key]} in EC2NodeClass spec.kubelet"
            yield Effect(path, text, loses=False)


def _by_table(
    table: Mapping[str, tuple[str, bool]],
) -> Callable[[Mapping[str, Any]], Iterator[Effect]]:
    """Return the rule of a target for which keys matter and values do not.

    ``table`` has the text and whether the target loses the key.
    """

    def rule(kubernetes: Mapping[str, Any]) -> Iterator[Effect]:
        for key in kubernetes:
            if key in table:
                text, loses = table[key]
                yield Effect((*KUBERNETES_PATH, key), text, loses=loses)

    return rule


def _rejected(**places: str) -> dict[str, tuple[str, bool]]:
    return {
        key.replace("_", "-"): (f"rejects it; write it as {place} of the node group", True)
        for key, place in places.items()
    }


_eksctl: Final = _by_table(
    {
        **_rejected(node_labels="labels", node_taints="taints", max_pods="maxPodsPerNode"),
        **dict.fromkeys(CLUSTER, ("overwrites it with its own; leave it out", True)),
    }
)
_eksctl_managed: Final = _by_table(
    {
        **_rejected(node_labels="labels", node_taints="taints"),
        **dict.fromkeys(
            (*CLUSTER, "cluster-dns-ip"), ("rejects it, as EKS fills it in; leave it out", True)
        ),
    }
)
_cloudformation: Final = _by_table(
    {
        **{
            key: (f"EKS does not know it; write it as {place} of AWS::EKS::Nodegroup", False)
            for key, place in {"node-labels": "Labels", "node-taints": "Taints"}.items()
        },
        **dict.fromkeys(CLUSTER, ("overrides what EKS fills in; leave it out", True)),
    }
)


def _user_data(kubernetes: Mapping[str, Any]) -> Iterator[Effect]:
    for key in CLUSTER:
        if key not in kubernetes:
            text = (
                "is missing, and nothing adds it on nodes of your own Auto Scaling group; write it"
            )
            yield Effect((*KUBERNETES_PATH, key), text)


_RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Effect]]]] = {
    "user-data": _user_data,
    "eksctl": _eksctl,
    "eksctl-managed": _eksctl_managed,
    "cloudformation": _cloudformation,
    "karpenter": _karpenter,
}
TARGETS: Final = tuple(_RULES)


def effects(target: str, settings: Mapping[str, Any]) -> list[Effect]:
    """Return what a target does to settings, almost all of it to ``settings.kubernetes``."""
    kubernetes = settings.get("kubernetes", {})
    found = list(_RULES[target](kubernetes if isinstance(kubernetes, Mapping) else {}))
    if target == "karpenter":
        found += _karpenter_commands(settings.get("bootstrap-commands", {}))
    return found


def _karpenter_commands(commands: Mapping[str, Any]) -> Iterator[Effect]:
    """Yield the commands without a mode: Karpenter parses them and writes all fields, an empty mode too."""
    for name, command in commands.items():
        if "mode" not in command:
            text = 'writes mode = "", and Bottlerocket rejects the user data; write a mode'
            yield Effect(("settings", "bootstrap-commands", name), text)
