"""The reservation formulas: the published table, and nodeadm's formula, which gives the same."""

import pytest

from node_observability.nodegroup.kube_reserved import (
    cpu_millicpu,
    kube_reserved,
    memory_mib,
)

CPU = {
    1: 60,
    2: 70,
    3: 75,
    4: 80,
    5: 82,
    8: 90,
    16: 110,
    32: 150,
    48: 190,
    64: 230,
    96: 310,
    192: 550,
}
MEMORY = {29: 574, 58: 893, 110: 1465, 234: 2829}


@pytest.mark.parametrize(("cores", "millicpu"), CPU.items())
def test_the_cpu_is_that_of_bottlerockets_table(cores: int, millicpu: int) -> None:
    assert cpu_millicpu(cores) == millicpu


@pytest.mark.parametrize(("pods", "mib"), MEMORY.items())
def test_the_memory_is_that_of_bottlerockets_table(pods: int, mib: int) -> None:
    assert memory_mib(pods) == mib


def test_nodeadms_formula_gives_the_same_cpu_for_every_size() -> None:
    # nodeadm: shares, in ten-thousandths, of the first core, the second, the third and fourth, the rest.
    shares = {(0, 1000): 600, (1000, 2000): 100, (2000, 4000): 50, (4000, 2**31): 25}
    for cores in range(1, 4097):
        parts = [
            max(0, min(cores * 1000, end) - start) * share // 10_000
            for (start, end), share in shares.items()
        ]
        assert cpu_millicpu(cores) == sum(parts), cores


def test_the_settings_are_quantities_as_the_kubelet_reads_them() -> None:
    assert kube_reserved(8, 58).settings() == {
        "cpu": "90m",
        "memory": "893Mi",
        "ephemeral-storage": "1Gi",
    }
