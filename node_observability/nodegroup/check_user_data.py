"""Existing user data, and descriptions, judged before a node has to. Pure.

Guarantees: strict as Bottlerocket itself, and beyond it where the kubelet would fail; every problem at
once, with its line. Nothing here shows a secret. Not here: files and the command line (``cli``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup.formats import envelope, toml_reader
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.rules.targets import Effect, effects
from node_observability.nodegroup.schema import validate
from node_observability.nodegroup.schema.bottlerocket import USER_DATA
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets.cloudformation import form_problems

# EKS merges user data for these two.
MERGED_BY_EKS: Final = ("cloudformation", "eksctl-managed")
# Far more than any user data, packed or not.
MAX_BYTES: Final = 4 * 1024 * 1024
# Above it the size is all that is told: no gzip makes such settings fit.
_NEVER_FITS_BYTES: Final = 16 * LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say, with its place in the file."""

    problem: Problem
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. ``size_bytes`` is what EC2 counts; ``settings`` is empty after an error."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    size_bytes: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    document: toml_reader.Document | None = None


def check(data: bytes) -> Report:
    """Judge user data as EC2 would hand it to the node: TOML, or gzip of it."""
    size = len(data)
    errors = []
    if size > LIMIT_BYTES:
        text = f"is {size} bytes, {size - LIMIT_BYTES} more than EC2 takes ({LIMIT_BYTES}); gzip it"
        errors.append(Finding(Problem((), text)))
    if size > _NEVER_FITS_BYTES:
        return Report(tuple(errors), size_bytes=size)
    try:
        text = envelope.text_of(data)
        document = toml_reader.read(text.removeprefix(envelope.MARK))
    except envelope.NotUserDataError as error:
        # Of base64, a script or YAML the size says nothing.
        return Report((Finding(Problem((), str(error))),), size_bytes=size)
    except toml_reader.TomlError as error:
        return Report((*errors, Finding(error.problem, error.line)), size_bytes=size)
    found = list(validate.problems(USER_DATA, document.data))
    settings = document.data.get("settings")
    if not found and isinstance(settings, dict):
        found = list(settings_rules.problems(settings))
    errors += [Finding(problem, document.line(problem.path)) for problem in found]
    known = settings if isinstance(settings, dict) and not errors else {}
    warnings = [Finding(one, document.line(one.path)) for one in settings_rules.warnings(known)]
    if text.startswith(envelope.MARK):
        marked = "begins with a byte order mark, which not all that merge user data read; save it without"
        warnings.insert(0, Finding(Problem((), marked), 1))
    return Report(tuple(errors), tuple(warnings), size, known, document)


def target_effects(report: Report, target: str) -> list[tuple[Effect, int | None]]:
    """Return what a target does to checked user data, each with its line."""
    found = [
        (effect, report.document.line(effect.path) if report.document else None)
        for effect in effects(target, report.settings)
    ]
    if target in MERGED_BY_EKS and report.document:
        found += [
            (Effect(("settings",), text), line) for line, text in form_problems(report.document)
        ]
    return found


def labels_and_taints(settings: Mapping[str, Any]) -> tuple[dict[str, str], list[Taint]]:
    """Return what checked settings put on a node."""
    kubernetes = settings.get("kubernetes", {})
    taints = []
    for key, values in kubernetes.get("node-taints", {}).items():
        for one in [values] if isinstance(values, str) else values:
            value, _, effect = one.rpartition(":")
            taints.append(Taint(key=key, value=value, effect=effect))
    return dict(kubernetes.get("node-labels", {})), taints
