"""Computes what the kubelet reserves for Kubernetes' own programs on a node. Pure integers.

Bottlerocket sets this by itself (schnauzer's helpers ``kube_reserve_cpu`` and ``kube_reserve_memory``).
Amazon Linux 2023 (nodeadm) has another formula; a test shows that both give the same figures.
"""

from dataclasses import dataclass

# Of a node with none to four cores.
_FEW_CORES_MILLICPU = (0, 60, 70, 75, 80)
# schnauzer adds 2.5 millicpu per further core, and drops a half that is left.
_TENTHS_MILLICPU_PER_CORE = 25
_MIB_PER_POD = 11
_MIB_BASE = 255


@dataclass(frozen=True, slots=True)
class KubeReserved:
    """The three reservations of a node."""

    cpu_millicpu: int
    memory_mib: int
    ephemeral_storage_gib: int = 1

    def settings(self) -> dict[str, str]:
        """Return the value of ``settings.kubernetes.kube-reserved``."""
        return {
            "cpu": f"{self.cpu_millicpu}m",
            "memory": f"{self.memory_mib}Mi",
            "ephemeral-storage": f"{self.ephemeral_storage_gib}Gi",
        }


def cpu_millicpu(cores: int) -> int:
    """Return the CPU reserved on a node with ``cores`` cores."""
    if cores < len(_FEW_CORES_MILLICPU):
        return _FEW_CORES_MILLICPU[cores]
    more = cores - len(_FEW_CORES_MILLICPU) + 1
    return _FEW_CORES_MILLICPU[-1] + _TENTHS_MILLICPU_PER_CORE * more // 10


def memory_mib(max_pods: int) -> int:
    """Return the memory reserved on a node that takes ``max_pods`` pods."""
    return _MIB_PER_POD * max_pods + _MIB_BASE


def kube_reserved(cores: int, max_pods: int) -> KubeReserved:
    """Return what a node with ``cores`` cores and at most ``max_pods`` pods reserves."""
    return KubeReserved(cpu_millicpu(cores), memory_mib(max_pods))
