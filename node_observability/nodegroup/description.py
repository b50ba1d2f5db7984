"""Checks what only a node group's description has: its keys, sizes, sources of secrets. Pure.

What becomes one of Bottlerocket's settings is checked once it is assembled: see ``load``.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from node_observability.nodegroup import credentials
from node_observability.nodegroup.schema.bottlerocket import CREDENTIAL_FORMS
from node_observability.nodegroup.schema.description import DESCRIPTION, UPDATER_LABEL
from node_observability.nodegroup.schema.kubelet_names import LOG_ROTATION, NAMES
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.schema.validate import problems, type_as_text

# A "g" after the generation (EC2 user guide, "Instance type naming conventions"); a1 is older than that.
_GRAVITON: Final = re.compile(r"(?:a1|[a-z]+[0-9]+[a-z]*g[a-z]*)\.")


def check(document: object) -> tuple[Mapping[str, Any], list[Problem]]:
    """Return the parts of a description that are right, and every problem of the others."""
    if not isinstance(document, Mapping):
        text = f"expected a description with name and cluster, found {type_as_text(document)}"
        return {}, [Problem((), text)]
    if "apiVersion" in document or "AWSTemplateFormatVersion" in document:
        text = "is a target's output, not a description (docs/reference/node-groups.md)"
        return {}, [Problem((), text)]
    found = list(problems(DESCRIPTION, document))
    right = _without(document, found)
    more = list(_contradictions(right))
    return _without(right, more), found + more


def _without(document: Mapping[str, Any], found: Sequence[Problem]) -> dict[str, Any]:
    """Return a copy without the keys, at most two levels deep, that have problems."""
    right = {
        key: dict(part) if isinstance(part, Mapping) else part for key, part in document.items()
    }
    for key, *rest in (problem.path for problem in found):
        part = right.get(str(key))
        if rest and isinstance(part, dict):
            part.pop(rest[0], None)
        else:
            right.pop(str(key), None)
    return right


def _contradictions(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what no value shows by itself: values that contradict each other, settings given twice."""
    given = document.get
    yield from _sizes(given("size", {}))
    if set(given("volumes", {})) == {"encrypted"}:
        text = "has no effect without a size; write dataGib beside it"
        yield Problem(("volumes", "encrypted"), text)
    yield from _architecture(given("architecture", "x86_64"), given("instanceTypes", ()))
    kubelet = {NAMES.get(name, name): name for name in given("kubelet", {})}
    for name in given("logRotation", {}):
        if LOG_ROTATION[name] in kubelet:
            text = f"kubelet.{kubelet[LOG_ROTATION[name]]} is the same setting; keep one"
            yield Problem(("logRotation", name), text)
    yield from _registries(given("registries", ()))
    admin = given("adminContainer", {})
    if "passwordHash" in admin:
        path = ("adminContainer", "passwordHash")
        yield from credentials.source_problems(admin["passwordHash"], path)
    extra = given("settings", {})
    if admin and "admin" in extra.get("host-containers", {}):
        text = "adminContainer has the same settings; keep one"
        yield Problem(("settings", "host-containers", "admin"), text)
    if given("registries") and "container-registry" in extra:
        text = "registries has the same settings; keep one"
        yield Problem(("settings", "container-registry"), text)
    if given("updateOperator") and UPDATER_LABEL[0] in given("labels", {}):
        yield Problem(("labels", UPDATER_LABEL[0]), "updateOperator adds this label; keep one")


def _architecture(described: str, instance_types: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(instance_types):
        actual = "arm64" if _GRAVITON.match(name) else "x86_64"
        if actual != described:
            text = f"{name} is {actual} but the group is {described}; write architecture: {actual}"
            yield Problem(("instanceTypes", index), text)


def _sizes(size: Mapping[str, int]) -> Iterator[Problem]:
    given = [(name, size[name]) for name in ("min", "desired", "max") if name in size]
    for (low, least), (high, number) in itertools.pairwise(given):
        if least > number:
            yield Problem(("size", high), f"{number} is below {low}, which is {least}")


def _registries(registries: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    names = [registry["registry"] for registry in registries]
    for index, registry in enumerate(registries):
        path: Path = ("registries", index)
        if names[index] in names[:index]:
            yield Problem((*path, "registry"), "is here twice; keep one")
        if set(registry) == {"registry"}:
            text = "has neither credentials (password, auth, identitytoken) nor mirrors"
            yield Problem(path, text)
        for form in CREDENTIAL_FORMS:
            if form in registry:
                yield from credentials.source_problems(registry[form], (*path, form))
