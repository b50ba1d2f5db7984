"""Reads a description: checks what only it has, assembles its settings, and checks these. Pure but for files.

Every problem has the line in the user's file and the path as the user wrote it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.nodegroup import credentials, description
from node_observability.nodegroup.assembly import Assembled, assemble
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.formats.document import Document
from node_observability.nodegroup.node_group import NodeGroup, node_group
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.schema.problem import Problem

# Where a description refers to the secrets that user data has in plain text, by the group of settings.
_PLACES_OF_SECRETS: Final = {
    "container-registry": "write it under registries, as {env: NAME} or {file: PATH}",
    "host-containers": "write its password as adminContainer.passwordHash, {env: NAME} or {file: PATH}",
}
_NO_PLACE: Final = "a description can't have it; add it to the rendered user data"


@dataclass(frozen=True, slots=True)
class Description:
    """A description without problems, the file that it is from, and its node group with placeholders."""

    file: str
    document: Document
    parts: Mapping[str, Any]
    group: NodeGroup

    def with_secrets(self, resolve: credentials.Resolve) -> NodeGroup:
        """Return the node group with its secrets.

        Raises:
            UsageError: a secret can't be read, or is not what its place needs.
        """
        try:
            return node_group(self.parts, assemble(self.parts, resolve))
        except credentials.SecretError as error:
            raise UsageError(*self.lines([error.problem])) from None

    def warnings(self) -> list[str]:
        """Return what the user should know, a line for each."""
        assembled = self.group.assembled
        return self.lines(map(assembled.described, settings_rules.warnings(assembled.settings)))

    def lines(self, problems: Iterable[Problem]) -> list[str]:
        """Return a line for each problem of the description."""
        return _lines(self.file, self.document, problems)


def read_description(file: str) -> Description:
    """Return the description in a file; the file ``-`` is standard input.

    Raises:
        UsageError: the file can't be read, or the description has problems.
    """
    return parse(read_text(file, yaml_document.MAX_BYTES), file)


def parse(text: str, file: str) -> Description:
    """Return the description in a text; ``file`` is its name in errors.

    Raises:
        UsageError: with every problem of the description.
    """
    document = yaml_document.read(text, file)
    parts, found = description.check(document.data)
    assembled = assemble(parts, credentials.placeholder)
    of_settings = settings_rules.problems(
        {"settings": assembled.settings}, kubelet_sets_labels=False
    )
    found += map(assembled.described, of_settings)
    found += [] if of_settings else _misplaced_secrets(assembled)
    if found:
        raise UsageError(*_lines(file, document, found))
    return Description(file, document, parts, node_group(parts, assembled))


def _misplaced_secrets(assembled: Assembled) -> Iterator[Problem]:
    """Yield the secrets that the description itself contains."""
    for path in settings_rules.secrets(assembled.settings):
        origin = assembled.described(Problem(path, "")).path
        if origin[0] in ("settings", "kubelet"):
            text = _PLACES_OF_SECRETS.get(str(origin[1]), _NO_PLACE)
            yield Problem(origin, f"must not contain a secret; {text}")


def _lines(file: str, document: Document, problems: Iterable[Problem]) -> list[str]:
    located = sorted(map(document.located, problems), key=lambda problem: problem.line or 1)
    return [problem.in_file(file) for problem in located]
