"""The image, built once for the same sources, and containers of it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.image.containers import Container, StartContainer
from tests.support.paths import ROOT
from tests.support.tools import need, skip_outside_ci
from tools.image_rootfs import PROGRAMS, Image, build

_CACHE = ROOT / ".cache/image"


def _built(stage: str) -> Image:
    if os.geteuid():
        skip_outside_ci("needs root, to build a root file system and to start containers")
    for program in (*PROGRAMS, "runc", "unshare", "systemd-journal-remote"):
        need(program)
    return build(_CACHE, stage)


@pytest.fixture(scope="session")
def image() -> Image:
    return _built("")


@pytest.fixture(scope="session")
def toolbox_image() -> Image:
    return _built("toolbox")


@pytest.fixture
def start(image: Image, tmp_path: Path) -> Iterator[StartContainer]:
    """Start a container; it ends with the test. The arguments are those of ``Container``."""
    with ExitStack() as stack:

        def begin(**arguments: Any) -> Container:  # noqa: ANN401 - as they are
            return stack.enter_context(Container(image, tmp_path, **arguments))

        yield begin
