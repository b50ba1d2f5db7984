"""YAML both ways: read with the line of every key, written without surprises. Pure.

Reading refuses what PyYAML passes over in silence (a key twice: the last wins) and what has no place in
a description (keys that are no strings, tags, numbers that YAML 1.1 and 1.2 read differently), and what is
nested or repeated by aliases without bound. Writing puts every string in quotes that any of the readers
of its output (YAML 1.1 and 1.2, Go's and Python's) could take for something else: ``y``, ``1e3``, ``on``.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from node_observability.nodegroup.schema.problem import Path, Problem

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*", re.ASCII)
# YAML 1.1 reads these as booleans, null or numbers.
_WORDS: Final = frozenset(
    "y n yes no on off true false null nan inf none".split()  # noqa: SIM905 - a list reads worse
)
# Lines, of which the last ends, and is not empty.
_BLOCK = re.compile(r"(?s:.*)[^\n]\n")
# Line ends to YAML, which a block would be torn at.
_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_WIDTH = 2**31
# Of a description, or a chart's values: etcd takes no more of a release, and YAML is slow to read.
MAX_BYTES: Final = 1024 * 1024
_DEEPEST: Final = 100
# With aliases written out; the largest chart's values have some thousands.
_MOST_VALUES: Final = 100_000
_TAG: Final = "tag:yaml.org,2002:"
_NO_TAG: Final = (
    "has a tag, or is read by YAML as none of its plain values; leave the tag out, or quote it"
)
_NUMBERS: Final = (f"{_TAG}int", f"{_TAG}float")
# Octal by a zero, base 60 by colons, underscores.
_OLD = re.compile(r"[-+]?(?:0[0-9_]+|.*[:_].*)")
# What PyYAML says with a name, which may be a password: "*" and "!" make an alias and a tag of it.
_WITH_NAME = re.compile(
    r"(found (?:undefined|duplicate) (?:alias|anchor)|could not determine a constructor for the tag"
    r"|found undefined tag handle).*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Document:
    """What a text holds, and the line, from 1, of each path."""

    data: object
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest part around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


class YamlError(Exception):
    """The text is not YAML, or not YAML that we take. Each problem with its line."""

    def __init__(self, problems: list[tuple[Problem, int]]) -> None:
        super().__init__("; ".join(problem.text for problem, _ in problems))
        self.problems = problems


def read(text: str, *, old_numbers: bool = False) -> Document:
    """Parse one YAML document; ``old_numbers`` takes what only YAML 1.1 reads as it does (010 is 8).

    Raises:
        YamlError: if it is not YAML, has a key twice, a key that is no string, a tag, or too much in it.
    """
    try:
        with contextlib.closing(_Loader(text)) as loader:
            node = loader.get_single_node()
            lines: dict[Path, int] = {}
            walk = _Walk(loader, lines, old_numbers=old_numbers)
            found = list(walk.problems(node, (), ())) if node is not None else []
            if found:
                raise YamlError(found)
            return Document(None if node is None else loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        text = _WITH_NAME.sub(r"\1; quote a value that begins with * or !", str(error.problem))
        raise YamlError([(Problem((), f"not YAML: {text}"), line)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        wrong = f"not YAML: the character {ord(text[error.position]):#06x}"
        raise YamlError([(Problem((), wrong), line)]) from None
    except (yaml.YAMLError, ValueError) as error:
        # Of a value as 2026-99-99, or of a number with more digits than Python reads.
        first = str(error).splitlines()[0]
        raise YamlError([(Problem((), f"not YAML: {first}"), 1)]) from None


def block(value: object, indent: int) -> str:
    """Return what stands after a key's colon: a scalar on its line, or a block below it."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True
    ).removesuffix("...\n")
    text = text.rstrip("\n")
    if isinstance(value, Mapping | list) and value:
        pad = " " * indent
        return "\n" + "\n".join(f"{pad}{line}" if line else line for line in text.split("\n"))
    if text.startswith(("|", ">")):
        # PyYAML indents a block scalar at the top by two; the rest is the place where it stands.
        pad = " " * (indent - 2)
        first, *rest = text.split("\n")
        return "\n".join([f" {first}", *(f"{pad}{line}" if line else line for line in rest)])
    return f" {text}"


class _Walk:
    """One walk over composed nodes: notes the lines, and yields what is refused."""

    def __init__(self, loader: "_Loader", lines: dict[Path, int], *, old_numbers: bool) -> None:
        self._old_numbers = old_numbers
        self._loader = loader
        self._lines = lines
        self._values = 0

    def problems(
        self, node: yaml.Node, path: Path, around: tuple[int, ...]
    ) -> Iterator[tuple[Problem, int]]:
        """Yield the problems at and below a node, each with its line."""
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        self._values += 1
        if self._values == _MOST_VALUES + 1:
            text = f"holds more than {_MOST_VALUES} values, with aliases written out"
            yield Problem((), text), line
        if self._values > _MOST_VALUES:
            return
        if id(node) in around:
            yield Problem(path, "refers to itself"), line
            return
        inside = (*around, id(node))
        if isinstance(node, yaml.MappingNode):
            if node.tag != f"{_TAG}map":
                yield Problem(path, _NO_TAG), line
            yield from self._mapping(node, path, inside)
        elif isinstance(node, yaml.SequenceNode):
            if node.tag != f"{_TAG}seq":
                yield Problem(path, _NO_TAG), line
            for index, item in enumerate(node.value):
                yield from self.problems(item, (*path, index), inside)
        else:
            yield from self._scalar(node, path, line)

    def _scalar(self, node: yaml.Node, path: Path, line: int) -> Iterator[tuple[Problem, int]]:
        # Without a tag it would be this, or a string (in quotes).
        plain = self._loader.resolve(  # type: ignore[no-untyped-call]
            yaml.ScalarNode, node.value, (True, False)
        )
        if node.tag not in (plain, f"{_TAG}str") or plain == f"{_TAG}value":
            yield Problem(path, _NO_TAG), line
        elif not self._old_numbers and node.tag in _NUMBERS and _OLD.fullmatch(node.value):
            text = "is another number to YAML 1.1 than to 1.2; write it in decimal, or in quotes"
            yield Problem(path, text), line

    def _mapping(
        self, node: yaml.MappingNode, path: Path, inside: tuple[int, ...]
    ) -> Iterator[tuple[Problem, int]]:
        met: set[str] = set()
        for key, inner in node.value:
            at = key.start_mark.line + 1
            if key.tag == f"{_TAG}merge":
                yield from self.problems(inner, path, inside)
            elif key.tag != f"{_TAG}str":
                text = key.value if isinstance(key, yaml.ScalarNode) else "a list or table"
                yield Problem(path, f'the key {text} must be a string: write it as "{text}"'), at
            elif key.value in met:
                yield Problem((*path, key.value), "stands here twice; keep one"), at
            else:
                met.add(key.value)
                self._lines[(*path, key.value)] = at
                yield from self.problems(inner, (*path, key.value), inside)


class _Loader(yaml.SafeLoader):
    """Closable, which is how it lets go of the text; of a bounded depth, since it composes recursively."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:  # noqa: ANN401 - as PyYAML has it
        """Compose a node unless it is too deep."""
        self.depth += 1
        if self.depth > _DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                problem=f"nested more than {_DEEPEST} deep", problem_mark=mark
            )
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def close(self) -> None:
        """Break the parser's cycles of references."""
        self.dispose()


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
