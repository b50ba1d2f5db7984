"""The reservation formulas: the published table, and two implementations that agree."""

import pytest

from node_observability.nodegroup.kube_reserved import (
    cpu_millicpu,
    cpu_millicpu_by_shares,
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


def test_bottlerockets_formula_and_nodeadms_agree_for_every_size() -> None:
    sizes = range(1, 4097)
    assert [cpu_millicpu(cores) for cores in sizes] == [
        cpu_millicpu_by_shares(cores) for cores in sizes
    ]


def test_the_settings_are_quantities_as_the_kubelet_reads_them() -> None:
    assert kube_reserved(8, 58).settings() == {
        "cpu": "90m",
        "memory": "893Mi",
        "ephemeral-storage": "1Gi",
    }
