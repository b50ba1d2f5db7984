r"""Reads files of cases: lines, and what a parser must make of them.

Guarantees one error for each wrong key or value, with file and line. Bytes that are no UTF-8 are written
as ``!bytes "caf\xe9"``, one byte for each character, and long runs as ``!join ["begin ", [x, 16384]]``.
``casewriter`` writes them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.files import check_readable, read_text
from node_observability.inputs.yaml_nodes import compose
from node_observability.parsers.cases.values import Expected, ValueReader
from node_observability.parsers.configuration.sections import Place, broken

__all__ = ["Case", "CaseFile", "Expected", "find", "parse", "read"]

_FILE_KEYS = ("parser", "parsers", "multiline", "writer", "note", "cases")
_CASE_KEYS = ("name", "line", "lines", "writer", "note", "expected")
_ROUTES = ("parser", "parsers", "multiline")


@dataclass(slots=True)
class Case:
    """One case. ``expected`` is None until it is known."""

    name: str
    lines: list[bytes]
    is_sequence: bool
    writer: str
    note: str
    expected: Expected | None
    place: Place


@dataclass(slots=True)
class CaseFile:
    """A file: how its lines are read (``route`` is parser, parsers or multiline), and the cases."""

    path: Path
    route: str
    names: list[str]
    writer: str
    note: str
    cases: list[Case] = field(default_factory=list)


def find(paths: Iterable[Path]) -> list[Path]:
    """Return the case files among files and directories, those in directories in order of name.

    Raises:
        UsageError: one is not there, or holds none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
            if not inside:
                raise UsageError(f"{path}: no case file (*.yaml) in this directory")
            found += inside
        else:
            check_readable(path)
            found.append(path)
    return found


class _Reader(ValueReader):
    def case_file(self, path: Path, root: yaml.Node) -> CaseFile:
        entries = self.mapping(root, "a case file", _FILE_KEYS)
        routes = [key for key in _ROUTES if key in entries]
        if len(routes) != 1:
            raise broken(self.place(root), f"a case file names one of {', '.join(_ROUTES)}")
        node = entries[routes[0]]
        names = self.sequence(node, routes[0]) if isinstance(node, yaml.SequenceNode) else [node]
        found = CaseFile(
            path,
            routes[0],
            [self.string(name, routes[0]) for name in names],
            self.string(entries.get("writer"), "writer"),
            self.string(entries.get("note"), "note"),
        )
        if "cases" not in entries:
            raise broken(self.place(root), "a case file needs the key cases, a list")
        found.cases = [self.case(item) for item in self.sequence(entries["cases"], "cases")]
        if not found.cases:
            # All of none would pass, for ever.
            raise broken(self.place(entries["cases"]), "cases is empty; give it a case")
        return found

    def case(self, node: yaml.Node) -> Case:
        entries = self.mapping(node, "a case", _CASE_KEYS)
        if ("line" in entries) == ("lines" in entries):
            raise broken(self.place(node), "a case has a line, or lines")
        if not self.string(entries.get("name"), "name"):
            raise broken(self.place(node), "a case needs a name")
        if "line" in entries:
            lines = [self.data(entries["line"], "line")]
        else:
            lines = [self.data(item, "a line") for item in self.sequence(entries["lines"], "lines")]
        if any(b"\n" in line for line in lines):
            raise broken(
                self.place(node), "a line ends at its newline; give the lines apart, under lines"
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
        UsageError: it can't be read, or holds a key or a value that no case has.
    """
    return parse(read_text(path, keep_mark=True), path)


def parse(text: str, path: Path) -> CaseFile:
    """Return the cases of a text; ``path`` is what its file is called.

    Raises:
        UsageError: it holds a key or a value that no case has.
    """
    roots = compose(text, str(path))
    if len(roots) != 1:
        raise UsageError(f"{path}: a case file is one YAML document")
    return _Reader(str(path)).case_file(path, roots[0])
