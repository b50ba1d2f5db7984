"""The exporter and the journald that the integration tests share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.exporter import Exporter
from tests.support.journald import Journald, unavailable
from tests.support.tools import skip_outside_ci


@pytest.fixture(autouse=True, scope="session")
def _real_journald() -> None:
    if reason := unavailable():
        skip_outside_ci(reason)


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Callable[..., Exporter]]:
    """Make exporters that read below ``tmp_path/host`` and are ended with the test."""
    with ExitStack() as stack:

        def make(*arguments: str, prefix: tuple[str, ...] = ()) -> Exporter:
            root = ("--journal-root", str(tmp_path / "host"))
            made = Exporter(tmp_path / "out", *root, *arguments, prefix=prefix)
            stack.callback(made.end)
            return made

        yield make


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    """Run a journald whose journal is below ``tmp_path/host``."""
    with Journald(tmp_path / "host") as daemon:
        yield daemon
