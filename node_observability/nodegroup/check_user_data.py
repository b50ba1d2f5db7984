"""Checks existing user data. Pure.

Guarantees: as strict as Bottlerocket, and stricter where the kubelet would not start; every problem at once,
with its line. No problem shows a secret. Not here: files and the command line (``check_command``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from node_observability.nodegroup.formats import envelope, toml_reader
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.rules.targets import Effect, effects
from node_observability.nodegroup.schema.problem import Problem
from node_observability.nodegroup.targets.cloudformation import merge_problems

MERGED_BY_EKS: Final = ("cloudformation", "eksctl-managed")
"""The targets whose user data EKS merges with its own."""
# Far more than any user data, compressed or not.
MAX_BYTES: Final = 4 * 1024 * 1024
# Above it the size is the only problem that is reported: no gzip makes such settings fit.
_NEVER_FITS_BYTES: Final = 16 * LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. ``size_bytes`` is what EC2 counts; ``settings`` is empty after an error."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    size_bytes: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    document: toml_reader.TomlDocument | None = None


def check(data: bytes) -> Report:
    """Return the problems of user data as EC2 passes it to the node: TOML, or gzip of it."""
    size_bytes = len(data)
    errors = []
    if size_bytes > LIMIT_BYTES:
        text = f"{size_bytes} bytes, {size_bytes - LIMIT_BYTES} above EC2's limit of {LIMIT_BYTES}; gzip it"
        errors.append(Problem((), text))
    if size_bytes > _NEVER_FITS_BYTES:
        return Report(tuple(errors), size_bytes=size_bytes)
    try:
        text = envelope.text_of(data)
        document = toml_reader.read(text.removeprefix(envelope.MARK))
    except envelope.NotUserDataError as error:
        # The size of base64, a script or YAML does not matter.
        return Report((Problem((), str(error)),), size_bytes=size_bytes)
    except toml_reader.TomlError as error:
        return Report((*errors, error.problem), size_bytes=size_bytes)
    found = settings_rules.problems(document.data, kubelet_sets_labels=True)
    errors += [document.located(one) for one in found]
    settings = document.data.get("settings")
    checked = settings if isinstance(settings, dict) and not errors else {}
    warnings = [document.located(one) for one in settings_rules.warnings(checked)]
    if text.startswith(envelope.MARK):
        marked = "begins with a byte order mark, which some programs can't read; remove it"
        warnings.insert(0, Problem((), marked, 1))
    return Report(tuple(errors), tuple(warnings), size_bytes, checked, document)


def target_effects(report: Report, target: str) -> list[Effect]:
    """Return what a target does to user data without errors, each effect with its line."""
    if report.document is None:
        return []
    found = [report.document.located(one) for one in effects(target, report.settings)]
    if target in MERGED_BY_EKS:
        found += [Effect(one.path, one.text, one.line) for one in merge_problems(report.document)]
    return found
