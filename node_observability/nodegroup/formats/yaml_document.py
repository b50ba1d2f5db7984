"""Reads YAML with the line of every key, and writes values as YAML. Pure.

Reading refuses duplicate keys, keys that are not strings, tags, and numbers that YAML 1.1 and 1.2 read
differently. Writing quotes every string that a YAML 1.1 or 1.2 parser could take for something else: ``y``,
``1e3``, ``on``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.yaml_nodes import compose_one, construct
from node_observability.nodegroup.formats.document import Document
from node_observability.nodegroup.schema.problem import Path, Problem

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*", re.ASCII)
# YAML 1.1 reads these as booleans, null or numbers.
_WORDS: Final = frozenset(
    "y n yes no on off true false null nan inf none".split()  # noqa: SIM905 - a list reads worse
)
# Lines, of which the last is not empty and has a line end.
_BLOCK = re.compile(r"(?s:.*)[^\n]\n")
# Line ends to YAML, at which a block would break.
_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_WIDTH = 2**31
# Of a description or the chart's values: etcd's limit for a release, and YAML is slow to read.
MAX_BYTES: Final = 1024 * 1024
# With aliases written out; the values of large charts have some thousands.
_MAX_VALUES: Final = 100_000
_TAG: Final = "tag:yaml.org,2002:"
_NO_TAG: Final = (
    "has a tag, or is not a plain value to YAML; remove the tag, or put the value in quotes"
)
_NUMBERS: Final = (f"{_TAG}int", f"{_TAG}float")
# Octal with a leading zero, base 60 with colons, underscores.
_ONLY_YAML_1_1 = re.compile(r"[-+]?(?:0[0-9_]+|.*[:_].*)")


def read(text: str, file: str, *, old_numbers: bool = False) -> Document:
    """Return one YAML document; with ``old_numbers``, numbers are those of YAML 1.1 (010 is 8).

    Raises:
        UsageError: it is not YAML, or has something that is refused (see above), or too many values.
    """
    node = compose_one(text, file, _MAX_VALUES)
    if node is None:
        return Document(None, {})
    lines: dict[Path, int] = {}
    found = _Validation(lines, old_numbers=old_numbers).problems(node, ())
    if errors := [f"{file}:{line}: {problem.sentence}" for problem, line in found]:
        raise UsageError(*errors)
    return Document(construct(node, file), lines)


def block(value: object, indent: int) -> str:
    """Return the text after a key's colon: a scalar on the same line, or a block below it."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True
    ).removesuffix("...\n")
    text = text.rstrip("\n")
    if isinstance(value, Mapping | list) and value:
        pad = " " * indent
        return "\n" + "\n".join(f"{pad}{line}" if line else line for line in text.split("\n"))
    if text.startswith(("|", ">")):
        # PyYAML indents a block scalar of the top level by two.
        pad = " " * (indent - 2)
        first, *rest = text.split("\n")
        return "\n".join([f" {first}", *(f"{pad}{line}" if line else line for line in rest)])
    return f" {text}"


class _Validation:
    """Records the lines of a document's nodes, and finds what is refused."""

    def __init__(self, lines: dict[Path, int], *, old_numbers: bool) -> None:
        self._old_numbers = old_numbers
        self._resolver = yaml.SafeLoader("")
        self._lines = lines

    def problems(self, node: yaml.Node, path: Path) -> Iterator[tuple[Problem, int]]:
        """Yield the problems at and below a node, each with its line."""
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            if node.tag != f"{_TAG}map":
                yield Problem(path, _NO_TAG), line
            yield from self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            if node.tag != f"{_TAG}seq":
                yield Problem(path, _NO_TAG), line
            for index, item in enumerate(node.value):
                yield from self.problems(item, (*path, index))
        else:
            yield from self._scalar(node, path, line)

    def _scalar(self, node: yaml.Node, path: Path, line: int) -> Iterator[tuple[Problem, int]]:
        # Without a tag, the value is of this type, or a string (in quotes).
        plain = self._resolver.resolve(  # type: ignore[no-untyped-call]
            yaml.ScalarNode, node.value, (True, False)
        )
        if node.tag not in (plain, f"{_TAG}str") or node.tag == f"{_TAG}value":
            yield Problem(path, _NO_TAG), line
        elif (
            not self._old_numbers and node.tag in _NUMBERS and _ONLY_YAML_1_1.fullmatch(node.value)
        ):
            text = "differs between YAML 1.1 and 1.2; write the number in decimal, or in quotes"
            yield Problem(path, text), line

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[Problem, int]]:
        seen: set[str] = set()
        for key, inner in node.value:
            at = key.start_mark.line + 1
            if key.tag == f"{_TAG}merge":
                yield from self.problems(inner, path)
            elif key.tag != f"{_TAG}str":
                text = key.value if isinstance(key, yaml.ScalarNode) else "a list or table"
                yield Problem(path, f'the key {text} must be a string: write it as "{text}"'), at
            elif key.value in seen:
                yield Problem((*path, key.value), "is here twice; keep one"), at
            else:
                seen.add(key.value)
                self._lines[(*path, key.value)] = at
                yield from self.problems(inner, (*path, key.value))


class _Dumper(yaml.SafeDumper):
    """Block style, list items indented, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - as PyYAML has it
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        del indentless
        super().increase_indent(flow, False)


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if _BLOCK.fullmatch(text) and not _BREAKS.search(text):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _string)
