r"""Reads files of cases: lines, and what a parser must make of them.

Guarantees one error for each wrong key or value, with file and line. Bytes that are no UTF-8 are written
as ``!bytes "caf\xe9"``, one byte for each character, and long runs as ``!join ["begin ", [x, 16384]]``.
``casewriter`` writes them.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from node_observability.errors import UsageError
from node_observability.parsers.casting import Value
from node_observability.parsers.nodes import NodeReader, compose
from node_observability.parsers.sections import Place, broken

__all__ = ["Case", "CaseFile", "Expected", "find", "read"]

# What a case expects, as it stands in the file: a record, several, or the word ``unmatched``.
Expected = str | dict[str, Value] | list["Expected"]

_FILE_KEYS = ("parser", "parsers", "multiline", "writer", "note", "cases")
_CASE_KEYS = ("name", "line", "lines", "writer", "note", "expected")
_RECORD_KEYS = ("time", "fields", "unmatched", "lost")
_ROUTES = ("parser", "parsers", "multiline")
_INTEGER = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOLEAN = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"


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
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"{path}: no such file")
    return found


class _Reader(NodeReader):
    def mapping(self, node: yaml.Node, what: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        for key, value in self.items(node, what):
            if not isinstance(key, yaml.ScalarNode):
                raise broken(self.place(key), f"a key of {what} must be a text")
            if key.value not in keys:
                close = difflib.get_close_matches(str(key.value), keys, 1)
                hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(keys)}"
                raise broken(self.place(key), f"{key.value} is no key of {what}; {hint}")
            if key.value in found:
                raise broken(self.place(key), f"{key.value} stands twice in {what}")
            found[key.value] = value
        return found

    def string(self, node: yaml.Node | None, what: str) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise broken(self.place(node), f"{what} must be a text")
        return str(node.value)

    def data(self, node: yaml.Node, what: str) -> bytes:
        if node.tag == "!join":
            return b"".join(self.part(item) for item in self.sequence(node, what))
        if isinstance(node, yaml.ScalarNode):
            try:
                return str(node.value).encode("latin-1" if node.tag == "!bytes" else "utf-8")
            except UnicodeEncodeError:
                place = self.place(node)
                raise broken(
                    place, f"{what}: !bytes takes the characters \\x00 to \\xff only"
                ) from None
        raise broken(self.place(node), f"{what} must be a text")

    def part(self, node: yaml.Node) -> bytes:
        if isinstance(node, yaml.SequenceNode) and node.tag != "!join":
            items = [self.string(item, "a part of !join") for item in node.value]
            if len(items) != 2 or not items[1].isdigit():  # noqa: PLR2004 - a text and a number
                raise broken(self.place(node), "a repeated part of !join is [text, count]")
            return items[0].encode() * int(items[1])
        return self.data(node, "a part of !join")

    def value(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self.value(item) for key, item in node.value}
        if isinstance(node, yaml.SequenceNode) and node.tag != "!join":
            return [self.value(item) for item in node.value]
        if node.tag in (_INTEGER, _FLOAT, _BOOLEAN, _NULL):
            constructed: int | float | bool | None = yaml.safe_load(str(node.value))
            return constructed
        return self.data(node, "a value")

    def expected(self, node: yaml.Node) -> Expected:
        if isinstance(node, yaml.SequenceNode):
            return [self.expected(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            if node.value != "unmatched":
                raise broken(
                    self.place(node), f"expected is a record or unmatched, not {node.value!r}"
                )
            return "unmatched"
        entries = self.mapping(node, "a record", _RECORD_KEYS)
        record: dict[str, Value] = {}
        for key, item in entries.items():
            record[key] = self.string(item, "time").encode() if key == "time" else self.value(item)
        return record

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
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"{path}: {reason}") from None
    roots = compose(text, str(path))
    if len(roots) != 1:
        raise UsageError(f"{path}: a case file is one YAML document")
    try:
        return _Reader(str(path)).case_file(path, roots[0])
    except RecursionError:
        raise UsageError(
            f"{path}: an anchor (&) contains itself, or the nesting is too deep"
        ) from None
