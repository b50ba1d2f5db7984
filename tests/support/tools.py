"""Programs that tests need: missing ones are a skip on a laptop and a failure in CI."""

import os
import shutil
from typing import NoReturn

import pytest

__all__ = ["in_ci", "need", "skip_outside_ci"]

_SYSTEMD = "/usr/lib/systemd:/lib/systemd"
_SBIN = "/usr/sbin:/sbin"


def in_ci() -> bool:
    """Whether this is a run of the whole check, which must not leave a test out."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def need(name: str) -> str:
    """Return the path of a program; without it skip the test, or in CI fail it."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SBIN, _SYSTEMD))
    return shutil.which(name, path=path) or skip_outside_ci(f"{name} is not installed")


def skip_outside_ci(reason: str) -> NoReturn:
    """Skip the test for something that is missing; in CI fail it."""
    if in_ci():
        pytest.fail(f"{reason}, and CI must run every test")
    pytest.skip(reason)
