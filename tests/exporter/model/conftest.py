"""Fixtures of the model: a directory in memory, and the library that shifts clocks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.journald import unavailable
from tests.support.machine.clock import build_shim
from tests.support.tools import skip_outside_ci


@pytest.fixture
def base() -> Iterator[Path]:
    """Return an empty directory in memory, because a sequence syncs files hundreds of times."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the library that shifts journald's clocks; skip where no journald can run."""
    if reason := unavailable():
        skip_outside_ci(reason)
    return build_shim(tmp_path_factory.mktemp("shim"))
