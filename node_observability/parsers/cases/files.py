r"""Reads case files: lines, and the records that a parser must make of them.

Guarantees an error with file and line for each wrong key or value. Bytes that are not UTF-8 are written as
``!bytes "caf\xe9"``, one character per byte, and long runs as ``!join ["begin ", [x, 16384]]``. The module
``dump`` writes them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.files import check_readable, is_directory, read_text
from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import compose_one
from node_observability.parsers.cases.values import Expected, ValueReader

__all__ = ["Case", "CaseFile", "find", "parse", "read"]

_FILE_KEYS = ("parser", "parsers", "multiline", "writer", "note", "cases")
_CASE_KEYS = ("name", "line", "lines", "writer", "note", "expected")
_ROUTES = ("parser", "parsers", "multiline")


@dataclass(slots=True)
class Case:
    """One case.

    Attributes:
        is_sequence: whether the case has ``lines`` and expects a list of records.
        writer: the program that writes such lines.
        expected: None if the case does not say it.
    """

    name: str
    lines: list[bytes]
    is_sequence: bool
    writer: str
    note: str
    expected: Expected | None
    place: Place


@dataclass(slots=True)
class CaseFile:
    """A case file.

    Attributes:
        route: how Fluent Bit reads the lines: ``parser``, ``parsers`` (a filter) or ``multiline``.
        names: the parsers of that route, in order.
    """

    path: Path
    route: str
    names: list[str]
    writer: str
    note: str
    cases: list[Case]


def find(paths: Iterable[Path]) -> list[Path]:
    """Return the case files among files and directories; those of a directory are sorted by name.

    Raises:
        UsageError: a file does not exist, or a directory has no case file.
    """
    found: list[Path] = []
    for path in paths:
        if is_directory(path):
            inside = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
            if not inside:
                raise UsageError(f"{path}: no case file (*.yaml) in this directory")
            found += inside
        else:
            check_readable(path)
            found.append(path)
    return found


class _Reader(ValueReader):
    """Reads the nodes of one case file."""

    def read_file(self, path: Path, root: yaml.Node) -> CaseFile:
        entries = self.mapping(root, "a case file", _FILE_KEYS)
        routes = [key for key in _ROUTES if key in entries]
        if len(routes) != 1:
            text = f"a case file needs exactly one of the keys {', '.join(_ROUTES)}"
            raise self.place(root).error(text)
        node = entries[routes[0]]
        names = self.sequence(node, routes[0]) if isinstance(node, yaml.SequenceNode) else [node]
        if "cases" not in entries:
            raise self.place(root).error("a case file needs the key cases, a list")
        cases = self.sequence(entries["cases"], "cases")
        if not cases:
            # Otherwise an empty file would always pass.
            raise self.place(entries["cases"]).error("cases is empty; add a case")
        return CaseFile(
            path,
            routes[0],
            [self.string(name, routes[0]) for name in names],
            self.string(entries.get("writer"), "writer"),
            self.string(entries.get("note"), "note"),
            [self._read_case(item) for item in cases],
        )

    def _read_case(self, node: yaml.Node) -> Case:
        entries = self.mapping(node, "a case", _CASE_KEYS)
        if ("line" in entries) == ("lines" in entries):
            raise self.place(node).error("a case needs either line or lines")
        if not self.string(entries.get("name"), "name"):
            raise self.place(node).error("a case needs a name")
        if "line" in entries:
            lines = [self.data(entries["line"], "line")]
        else:
            lines = [self.data(item, "a line") for item in self.sequence(entries["lines"], "lines")]
        if any(b"\n" in line for line in lines):
            raise self.place(node).error(
                "a line can't contain a newline; list several lines under lines"
            )
        return Case(
            name=self.string(entries["name"], "name"),
            lines=lines,
            is_sequence="lines" in entries,
            writer=self.string(entries.get("writer"), "writer"),
            note=self.string(entries.get("note"), "note"),
            expected=self.expected(entries["expected"]) if "expected" in entries else None,
            place=self.place(node),
        )


def read(path: Path) -> CaseFile:
    """Return the cases of a file.

    Raises:
        UsageError: the file can't be read, or has a wrong key or value.
    """
    return parse(read_text(path, keep_mark=True), path)


def parse(text: str, path: Path) -> CaseFile:
    """Return the cases of a text; ``path`` is the name of its file.

    Raises:
        UsageError: the text has a wrong key or value.
    """
    root = compose_one(text, str(path))
    if root is None:
        raise UsageError(f"{path}: is empty; a case file must be a YAML document")
    return _Reader(str(path)).read_file(path, root)
