"""The journals that all of the chaos test reads."""

from pathlib import Path

import pytest

from tests.support.chaos import oracle


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> oracle.Oracle:
    """Four files' worth of messages of 4096 bytes, one of which holds a single line."""
    return oracle.Oracle.written(tmp_path_factory.mktemp("small"), count=110, huge={51})


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> oracle.Oracle:
    """Messages that fill a file beyond the checkpoint's size, for limits on the size of files."""
    return oracle.Oracle.written(tmp_path_factory.mktemp("wide"), count=1800)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return where output and state of one test go."""
    return tmp_path
