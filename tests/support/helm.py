"""Runs ``helm``: the one that ``tools/install_helm`` built, or else the one on the PATH."""

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT
from tests.support.tools import need

__all__ = [
    "BUILT",
    "CHART",
    "Manifest",
    "RenderError",
    "helm",
    "objects",
    "render_text",
    "rendered",
]

CHART = ROOT / "charts" / "node-observability"
BUILT = ROOT / ".cache" / "bin" / "helm"
KUBE_VERSION = "1.34.0"
RELEASE, NAMESPACE = "node-observability", "logging"

Manifest = dict[str, Any]


class RenderError(Exception):
    """helm failed; the text is its error output."""


def helm(*arguments: str) -> str:
    """Run helm; return what it printed.

    Raises:
        RenderError: helm failed.
    """
    program = str(BUILT) if BUILT.exists() else need("helm")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


@functools.cache
def render_text(
    *values: Path,
    sets: tuple[str, ...] = (),
    json_sets: tuple[str, ...] = (),
    chart: Path = CHART,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    show: Sequence[str] = (),
) -> str:
    """Return what ``helm template`` prints for values files, ``--set`` and ``--set-json`` texts.

    Raises:
        RenderError: helm failed.
    """
    return helm(
        *("template", release, str(chart), "--namespace", namespace),
        *("--kube-version", KUBE_VERSION),
        *(text for path in values for text in ("--values", str(path))),
        *(text for one in sets for text in ("--set", one)),
        *(text for one in json_sets for text in ("--set-json", one)),
        *(text for one in show for text in ("--show-only", one)),
    )


def objects(text: str) -> list[Manifest]:
    """Return the objects of a rendered text."""
    return [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def rendered(
    *values: Path, sets: tuple[str, ...] = (), json_sets: tuple[str, ...] = ()
) -> list[Manifest]:
    """Return the objects that ``helm template`` prints."""
    return objects(render_text(*values, sets=sets, json_sets=json_sets))
