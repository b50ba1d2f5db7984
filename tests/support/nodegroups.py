"""Node groups for tests: the shipped examples, small descriptions made in place, and what checks report."""

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

from node_observability.errors import UsageError
from node_observability.nodegroup import check_user_data, load, render
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.targets import TARGETS
from node_observability.nodegroup.schema.problem import Problem
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs" / "examples"
NAMES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
Case = Mapping[str, Any]
MINIMAL: Mapping[str, Any] = {"name": "workers", "cluster": {"name": "demo"}}


def described(**parts: Any) -> NodeGroup:  # noqa: ANN401 - what a description may hold
    """Return the node group of the smallest description, with these parts in it."""
    return load.parse(yaml.safe_dump({**MINIMAL, **parts}), "described").group


def example(name: str) -> NodeGroup:
    """Return the node group of a shipped example."""
    return load.read_description(str(EXAMPLES / f"{name}.yaml")).group


def targets_of(name: str) -> list[str]:
    """Return the targets that can carry a shipped example."""
    return [target for target in TARGETS if not render.losses(target, example(name))]


def rendered(target: str, *groups: NodeGroup) -> str:
    """Return a target's file, with placeholders for secrets."""
    return render.render(target, groups)


def cases(name: str) -> pytest.MarkDecorator:
    """Parametrize a test by ``case`` with a file of cases."""
    text = (ROOT / "tests/nodegroup/cases" / f"{name}.yaml").read_text()
    found = yaml.safe_load(re.sub(r"base64\((\{.*\})\)", lambda one: encoded(one[1]), text))
    return pytest.mark.parametrize("case", found, ids=lambda case: str([*case.values()][-1])[:60])


def description_errors(text: str) -> list[str]:
    """Return the problems of a description, each as ``LINE PATH: TEXT``."""
    try:
        load.parse(text, "a")
    except UsageError as error:
        return [_line(problem) for problem in error.problems]
    return []


def description_warnings(text: str) -> list[str]:
    """Return the warnings of a description without problems, each as ``LINE PATH: TEXT``."""
    return [_line(warning) for warning in load.parse(text, "a").warnings()]


def _line(problem: str) -> str:
    return problem.removeprefix("a:").replace(": ", " ", 1)


def user_data_errors(text: str) -> list[str]:
    """Return the problems of user data, each as ``LINE PATH: TEXT``."""
    return _lines(check_user_data.check(text.encode()).errors)


def user_data_warnings(text: str) -> list[str]:
    """Return the warnings of user data without problems, each as ``LINE PATH: TEXT``."""
    report = check_user_data.check(text.encode())
    assert report.errors == ()
    return _lines(report.warnings)


def _lines(problems: Iterable[Problem]) -> list[str]:
    return [f"{one.line or ''} {one.sentence}".strip() for one in problems]


def encoded(text: str) -> str:
    """Return a text in base64, as the user data of the admin container."""
    return base64.b64encode(text.encode()).decode()
