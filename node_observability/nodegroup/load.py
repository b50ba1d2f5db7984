"""A description as a file: read, checked whole, and ready to be rendered."""

from collections.abc import Iterable
from dataclasses import dataclass

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.nodegroup import assembly, credentials
from node_observability.nodegroup.description import ROTATION, NodeGroup, parse
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.schema import kubelet_names
from node_observability.nodegroup.schema.problem import Problem


@dataclass(frozen=True, slots=True)
class Described:
    """A node group, the file it is from, and its settings with placeholders for secrets."""

    name: str
    group: NodeGroup
    tree: assembly.Settings
    document: yaml_document.Document

    @property
    def has_secrets(self) -> bool:
        """Whether it names any."""
        return any(True for _ in settings_rules.secrets(self.tree))

    def warnings(self) -> list[str]:
        """Return what has to be known of it, each with its place in the file."""
        return self.at(self._origin(one) for one in settings_rules.warnings(self.tree))

    def _origin(self, warning: Problem) -> Problem:
        match warning.path:
            case ("settings", "kubernetes", *_):
                return _from_settings(warning)
            case ("settings", "container-registry", _, int(index), form):
                # Registries that are mirrors alone have no login.
                logins = [
                    number
                    for number, registry in enumerate(self.group.registries)
                    if set(registry) - {"registry", "mirrors"}
                ]
                return Problem(("registries", logins[index], form), warning.text)
            case ("settings", "host-containers", "admin", _, "ssh"):
                return Problem(("adminContainer",), warning.text)
            case ("settings", "host-containers", "admin", *_):
                return Problem(("adminContainer", "passwordHash"), warning.text)
            case _:
                return warning

    def at(self, problems: Iterable[Problem]) -> list[str]:
        """Return problems as lines, each with its place in the file."""
        return [_line(self.name, self.document, problem) for problem in problems]


def read_description(name: str) -> Described:
    """Return the node group that a file describes.

    Raises:
        UsageError: with every problem of the file.
    """
    document = yaml_document.read(read_text(name, yaml_document.MAX_BYTES), name)
    group, problems = parse(document.data)
    if group is None:
        raise UsageError(*(_line(name, document, problem) for problem in problems))
    tree = assembly.settings(group, credentials.placeholder)
    problems = [_from_settings(one) for one in settings_rules.problems(tree)]
    if problems:
        raise UsageError(*(_line(name, document, problem) for problem in problems))
    return Described(name, group, tree, document)


def _from_settings(problem: Problem) -> Problem:
    """Return a problem of assembled settings with the path that the description has for it."""
    # What comes of registries and adminContainer has been judged in the description's own terms.
    _, group, *rest = problem.path
    return Problem(("kubelet", *rest), problem.text) if group == "kubernetes" else problem


def _line(name: str, document: yaml_document.Document, problem: Problem) -> str:
    problem = _as_written(document, problem)
    line = document.line(problem.path)
    return f"{name}:{line or 1}: {problem.sentence}"


def _as_written(document: yaml_document.Document, problem: Problem) -> Problem:
    """Return a problem of a kubelet setting under the name that the description has for it."""
    match problem.path:
        case ("kubelet", str(setting), *rest) if isinstance(document.data, dict):
            places = {name: ("kubelet", name) for name in document.data.get("kubelet", {})}
            places |= {
                short: ("logRotation", short) for short in document.data.get("logRotation", {})
            }
            found = [
                place
                for name, place in places.items()
                if setting in (name, kubelet_names.NAMES.get(name), ROTATION.get(name))
            ]
            return Problem((*found[0], *rest), problem.text) if found else problem
        case _:
            return problem
