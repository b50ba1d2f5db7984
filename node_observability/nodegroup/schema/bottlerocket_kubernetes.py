"""The table of ``settings.kubernetes``.

Source: bottlerocket-settings-sdk, settings-extensions/kubernetes (struct ``KubernetesSettingsV1``) and
modeled-types, up to release 0.28.0; the keys of its last releases (Kubernetes 1.37) from its changelog.
Where the model has no range, the kubelet's applies (k8s.io/kubelet, ``KubeletConfiguration``, and its
validation). The page of the settings: https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/
"""

from collections.abc import Mapping
from typing import Final

from node_observability.nodegroup.schema import kubernetes_values
from node_observability.nodegroup.schema.kinds import (
    ADDRESS,
    BASE64,
    BOOLEAN,
    HOSTNAME,
    I32_MAX,
    I64_MAX,
    IDENTIFIER,
    LINE,
    U8_MAX,
    U32_MAX,
    URL,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    choice,
    integer,
    pattern,
    secret,
)

FEATURE_GATES: Final = (
    "Bottlerocket has no setting for feature gates: its kubelet configuration fixes them for each Kubernetes"
    " version; leave this out, or use a version in which the gate is on"
)
_COUNT: Final = integer(0, I32_MAX)
_RESERVED: Final = MapOf(kubernetes_values.RESERVABLE, kubernetes_values.QUANTITY)
_THRESHOLDS: Final = MapOf(kubernetes_values.SIGNAL, kubernetes_values.THRESHOLD)
# The kubelet allocates user namespaces in blocks of 64 Ki ids (its validation of idsPerPod).
_IDS_PER_POD: Final = integer(65536, U32_MAX, step=65536)
_FACTOR: Final = Scalar(
    "a number above 0, up to 1",
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1,
)
TAINTS: Final = MapOf(
    kubernetes_values.LABEL_KEY,
    # One string is the older form, from before a key could have several taints.
    OneOf((ListOf(kubernetes_values.TAINT, least=1), kubernetes_values.TAINT)),
)

_FIELDS: Final[Mapping[str, Kind]] = {
    # The cluster.
    "api-server": URL,
    "cluster-certificate": BASE64,
    "cluster-name": kubernetes_values.CLUSTER_NAME,
    "cluster-dns-ip": OneOf((ADDRESS, ListOf(ADDRESS))),
    "cluster-domain": pattern(
        "a domain name without a leading dot", r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,252}"
    ),
    "authentication-mode": choice("aws", "tls"),
    "bootstrap-token": secret(kubernetes_values.BOOTSTRAP_TOKEN),
    "standalone-mode": BOOLEAN,
    "cloud-provider": choice("aws", "external", ""),
    "provider-id": URL,
    "server-certificate": BASE64,
    "server-key": secret(BASE64),
    "server-tls-bootstrap": BOOLEAN,
    # The node.
    "node-labels": MapOf(kubernetes_values.LABEL_KEY, kubernetes_values.LABEL_VALUE),
    "node-taints": TAINTS,
    "node-ip": ADDRESS,
    "hostname-override": HOSTNAME,
    "hostname-override-source": choice("private-dns-name", "instance-id"),
    # Pods.
    "max-pods": integer(0, U32_MAX),
    "pod-pids-limit": integer(-1, I64_MAX),
    "ids-per-pod": _IDS_PER_POD,
    "allowed-unsafe-sysctls": ListOf(LINE),
    "seccomp-default": BOOLEAN,
    "single-process-oom-kill": BOOLEAN,
    "device-ownership-from-security-context": BOOLEAN,
    "static-pods": MapOf(
        IDENTIFIER, Struct({"enabled": BOOLEAN, "manifest": secret(BASE64)}, hides_keys=True)
    ),
    "static-pods-enabled": BOOLEAN,
    "shutdown-grace-period": kubernetes_values.DURATION,
    "shutdown-grace-period-for-critical-pods": kubernetes_values.DURATION,
    # Reservations and eviction.
    "kube-reserved": _RESERVED,
    "system-reserved": _RESERVED,
    "eviction-hard": _THRESHOLDS,
    "eviction-soft": _THRESHOLDS,
    "eviction-soft-grace-period": MapOf(kubernetes_values.SIGNAL, kubernetes_values.DURATION),
    "eviction-max-pod-grace-period": _COUNT,
    # Logs of containers. The kubelet refuses to rotate with fewer than two files.
    "container-log-max-size": kubernetes_values.QUANTITY,
    "container-log-max-files": integer(2, I32_MAX),
    "container-log-max-workers": integer(1, I32_MAX),
    "container-log-monitor-interval": kubernetes_values.DURATION,
    # CPU, memory, topology.
    "cpu-cfs-quota-enforced": BOOLEAN,
    "cpu-manager-policy": choice("none", "static", "None", "Static"),
    "cpu-manager-reconcile-period": kubernetes_values.DURATION,
    # The options in beta or general availability; alpha options need a feature gate.
    "cpu-manager-policy-options": ListOf(
        choice(
            "full-pcpus-only",
            "distribute-cpus-across-numa",
            "strict-cpu-reservation",
            "prefer-align-cpus-by-uncorecache",
        )
    ),
    "reserved-cpus": kubernetes_values.CPU_SET,
    "memory-manager-policy": choice("None", "Static", "none", "static"),
    "memory-manager-reserved-memory": MapOf(
        IDENTIFIER,
        Struct(
            {
                "enabled": BOOLEAN,
                "memory": kubernetes_values.QUANTITY,
                "hugepages-2Mi": kubernetes_values.QUANTITY,
                "hugepages-1Gi": kubernetes_values.QUANTITY,
            },
            required=("enabled",),
        ),
    ),
    # Since Kubernetes 1.30, the kubelet does not start with another value.
    "memory-swap-behavior": choice("LimitedSwap", "NoSwap"),
    "memory-reservation-policy": LINE,
    "memory-throttling-factor": _FACTOR,
    "topology-manager-policy": choice("none", "restricted", "best-effort", "single-numa-node"),
    "topology-manager-scope": choice("container", "pod"),
    "topology-manager-policy-options": Struct(
        {
            "prefer-closest-numa-nodes": BOOLEAN,
            # The kubelet's own default, below which it does not start.
            "max-allowable-numa-nodes": integer(8, I32_MAX),
        }
    ),
    # Images.
    "image-gc-high-threshold-percent": kubernetes_values.PERCENT,
    "image-gc-low-threshold-percent": kubernetes_values.PERCENT,
    "image-minimum-gc-age": kubernetes_values.DURATION,
    "image-maximum-gc-age": kubernetes_values.DURATION,
    "max-parallel-image-pulls": integer(1, I32_MAX),
    "registry-qps": _COUNT,
    "registry-burst": _COUNT,
    # The image has no other program, and the kubelet does not start if the named program is missing.
    "credential-providers": MapOf(
        choice("ecr-credential-provider"),
        Struct(
            {
                "enabled": BOOLEAN,
                "image-patterns": ListOf(LINE, least=1),
                "cache-duration": kubernetes_values.DURATION,
                "environment": secret(MapOf(LINE, LINE)),
            },
            required=("enabled", "image-patterns"),
        ),
    ),
    "pod-infra-container-image": LINE,
    # The rest.
    "event-qps": _COUNT,
    "event-burst": _COUNT,
    "kube-api-qps": _COUNT,
    "kube-api-burst": _COUNT,
    "log-level": integer(0, U8_MAX),
    "container-runtime-endpoint": LINE,
    "fail-cgroup-v1": BOOLEAN,
}

KUBERNETES: Final = Struct(
    _FIELDS,
    aliases={"fail-cgroupv1": "fail-cgroup-v1"},
    refused={"feature-gates": FEATURE_GATES, "featureGates": FEATURE_GATES},
)
