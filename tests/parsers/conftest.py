"""Files, a project and its parsers, for the tests of the parser kit."""

from pathlib import Path

import pytest

from node_observability.parsers.model.definitions import Definitions
from tests.support.parsers import CASES, CONFIGURATION, Write, definitions_of


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes a file of the test's directory."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def project(write: Write, tmp_path: Path) -> Path:
    """Return a directory with a configuration and cases, where the command looks for them."""
    write("fluentbit/a.conf", CONFIGURATION)
    write("fluentbit/cases/p.yaml", CASES)
    return tmp_path


@pytest.fixture
def definitions(write: Write) -> Definitions:
    """Return the parsers ``p`` and ``j`` of ``a.conf``."""
    return definitions_of(write("a.conf", CONFIGURATION))
