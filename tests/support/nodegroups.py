"""Node groups for tests: the shipped examples, and small descriptions made in place."""

from collections.abc import Mapping
from typing import Any

from node_observability.nodegroup import assembly, credentials, render
from node_observability.nodegroup.description import NodeGroup, parse
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.rules.targets import TARGETS
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs" / "examples"
NAMES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
MINIMAL: Mapping[str, Any] = {"name": "workers", "cluster": {"name": "demo"}}


def group_of(document: object) -> NodeGroup:
    """Return a description that has to be right."""
    group, problems = parse(document)
    assert group is not None, problems
    return group


def described(**parts: Any) -> NodeGroup:  # noqa: ANN401 - what a description may hold
    """Return the smallest description, with these parts in it."""
    return group_of({**MINIMAL, **parts})


def example(name: str) -> NodeGroup:
    """Return a shipped example."""
    return group_of(yaml_document.read((EXAMPLES / f"{name}.yaml").read_text(), name).data)


def tree_of(group: NodeGroup) -> assembly.Settings:
    """Return a group's settings, with placeholders for its secrets."""
    return assembly.settings(group, credentials.placeholder)


def targets_of(name: str) -> list[str]:
    """Return the targets that can carry a shipped example."""
    group = example(name)
    return [target for target in TARGETS if not render.losses(target, group, tree_of(group))]


def rendered(target: str, *groups: NodeGroup) -> str:
    """Return a target's file, with placeholders for secrets."""
    return render.render(target, [(group, tree_of(group)) for group in groups])
