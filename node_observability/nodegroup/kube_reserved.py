"""What the kubelet reserves for Kubernetes' own programs on a node. Pure integers.

Bottlerocket sets this by itself (schnauzer's helpers ``kube_reserve_cpu`` and ``kube_reserve_memory``),
and so does Amazon Linux 2023 (nodeadm). Both are kept here as published, and a test compares them:
two formulas that agree for every size are a fact, one is a claim.
"""

from dataclasses import dataclass

_FEW_CORES_MILLICPU = (0, 60, 70, 75, 80)
_MIB_A_POD = 11
_MIB_BASE = 255
# schnauzer takes 2.5 thousandths for each core after the fourth, and drops the half that may be left.
_TENTHS_A_CORE = 25
# nodeadm: shares, in ten-thousandths, of the first core, the second, the third and fourth, and the rest.
_SHARES = (600, 100, 50, 25)
_BOUNDS_MILLICPU = (0, 1000, 2000, 4000)


@dataclass(frozen=True, slots=True)
class KubeReserved:
    """The three reservations, as the kubelet reads them."""

    cpu_millicpu: int
    memory_mib: int
    ephemeral_storage_gib: int = 1

    def settings(self) -> dict[str, str]:
        """Return them as ``settings.kubernetes.kube-reserved`` has them."""
        return {
            "cpu": f"{self.cpu_millicpu}m",
            "memory": f"{self.memory_mib}Mi",
            "ephemeral-storage": f"{self.ephemeral_storage_gib}Gi",
        }


def cpu_millicpu(cores: int) -> int:
    """Return the CPU reserved on a node, by Bottlerocket's formula."""
    if cores < len(_FEW_CORES_MILLICPU):
        return _FEW_CORES_MILLICPU[cores]
    more = cores - len(_FEW_CORES_MILLICPU) + 1
    return _FEW_CORES_MILLICPU[-1] + _TENTHS_A_CORE * more // 10


def cpu_millicpu_by_shares(cores: int) -> int:
    """Return the CPU reserved on a node, by nodeadm's formula: a share of each range of cores."""
    total = cores * 1000
    ends = (*_BOUNDS_MILLICPU[1:], total)
    return sum(
        max(0, min(total, end) - start) * share // 10_000
        for start, end, share in zip(_BOUNDS_MILLICPU, ends, _SHARES, strict=True)
    )


def memory_mib(max_pods: int) -> int:
    """Return the memory reserved for as many pods, by the formula that both have."""
    return _MIB_A_POD * max_pods + _MIB_BASE


def kube_reserved(cores: int, max_pods: int) -> KubeReserved:
    """Return what a node of ``cores`` that takes ``max_pods`` pods reserves."""
    return KubeReserved(cpu_millicpu(cores), memory_mib(max_pods))
