"""Programs that tests need: missing ones are a skip on a laptop and a failure in CI."""

import os
import shutil

import pytest

__all__ = ["in_ci", "need"]

_SYSTEMD = "/usr/lib/systemd:/lib/systemd"
_SBIN = "/usr/sbin:/sbin"


def in_ci() -> bool:
    """Whether this is a run of the whole check, where nothing may be left out."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def need(name: str) -> str:
    """Return the path of a program; without it skip the test, or in CI fail it."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SBIN, _SYSTEMD))
    found = shutil.which(name, path=path)
    if found is not None:
        return found
    if in_ci():
        pytest.fail(f"{name} is not installed, and CI leaves no test out")
    pytest.skip(f"{name} is not installed")
