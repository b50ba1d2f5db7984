"""The valid cases of the chart by name, and its invalid cases."""

from pathlib import Path

import pytest

from tests.support.helm import CHART

__all__ = ["ALL", "INVALID", "each_case"]

ALL = {
    path.name.removesuffix("-values.yaml"): path for path in sorted(CHART.glob("ci/*-values.yaml"))
}
INVALID = sorted(CHART.glob("ci/invalid/*.yaml"))

each_case = pytest.mark.parametrize(
    "case", [pytest.param(path, id=name) for name, path in ALL.items()]
)


def name_of(case: Path) -> str:
    """Return the name of a case."""
    return case.name.removesuffix("-values.yaml")
