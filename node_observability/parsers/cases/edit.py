"""Changes what is expected in the text of a case file, and nothing else.

Guarantees that comments, order, quotes and spaces around the changes are kept. A change that would lose a
comment, or would change several cases through an alias, is an error with its line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import children, compose
from node_observability.parsers.cases.diff import Path, is_same
from node_observability.parsers.cases.dump import block_text, flow_text
from node_observability.parsers.cases.values import Expected
from node_observability.parsers.model.types import Value

__all__ = ["Change", "apply_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a case expects now, None for nothing, and what it shall expect."""

    old: Expected | None
    new: Expected
    path: Path = ()

    def within(self, step: str | int) -> "Change":
        """Return the change of one value of the record or the list."""
        return Change(_at(self.old, step), _at(self.new, step), (*self.path, step))


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    start: int
    end: int
    text: str


class _Editor:
    """Collects the edits of one case file."""

    def __init__(self, text: str, file: str, root: yaml.Node) -> None:
        self._text = text
        self._file = file
        self._aliased = set(_aliased_nodes(root))
        self.edits: list[_Edit] = []

    def change_case(self, node: yaml.MappingNode, change: Change) -> None:
        entries: list[tuple[yaml.Node, yaml.Node]] = node.value
        for key, item in entries:
            if key.value == "expected":
                self._patch(key, item, change, is_in_flow=bool(node.flow_style))
                return
        last = self._end(entries[-1][1])
        if node.flow_style:
            self.edits.append(_Edit(last, last, f", expected: {flow_text(change.new)}"))
            return
        line_end = self._text.find("\n", last)
        at = len(self._text) if line_end < 0 else line_end
        indent = entries[0][0].start_mark.column
        text = f"\n{' ' * indent}expected:{self._after_key(change.new, indent)}"
        self.edits.append(_Edit(at, at, text))

    def _after_key(self, value: Expected | Value, indent: int) -> str:
        is_block = isinstance(value, dict | list) and bool(value)
        return "\n" + block_text(value, indent + 2) if is_block else " " + flow_text(value)

    def _patch(
        self, key: yaml.Node | None, node: yaml.Node, change: Change, *, is_in_flow: bool
    ) -> None:
        old, new = change.old, change.new
        if is_same(old, new, change.path):
            return
        self._refuse_alias(node)
        inner_flow = is_in_flow or bool(getattr(node, "flow_style", False))
        if isinstance(node, yaml.MappingNode) and _has_same_keys(old, new):
            for name, item in node.value:
                self._patch(name, item, change.within(name.value), is_in_flow=inner_flow)
        elif _has_same_length(old, new) and node.tag != "!join":
            for index, item in enumerate(node.value):
                self._patch(None, item, change.within(index), is_in_flow=inner_flow)
        else:
            self._replace(key, node, new, is_in_flow=is_in_flow)

    def _replace(
        self, key: yaml.Node | None, node: yaml.Node, new: Expected, *, is_in_flow: bool
    ) -> None:
        start, end = node.start_mark.index, self._end(node)
        is_collection = isinstance(new, dict | list) and bool(new)
        is_flow = bool(getattr(node, "flow_style", False))
        was_block = isinstance(node, yaml.CollectionNode) and not is_flow
        if is_in_flow or is_flow or not (was_block or is_collection):
            text = (" " if start == end else "") + flow_text(new)
        elif key is not None:
            start = self._text.index(":", key.end_mark.index) + 1
            text = self._after_key(new, key.start_mark.column)
        elif is_collection:
            text = block_text(new, node.start_mark.column).lstrip()
        else:
            text = flow_text(new)
        self.edits.append(_Edit(start, end, text))

    def _end(self, node: yaml.Node) -> int:
        # PyYAML ends a block where the next token begins, after comments; what counts is its last value.
        self._refuse_alias(node)
        end = int(node.end_mark.index)
        if isinstance(node, yaml.CollectionNode):
            if node.flow_style or not node.value:
                return end
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return len(self._text[:end].rstrip())
        return end

    def _refuse_alias(self, node: yaml.Node) -> None:
        if id(node) in self._aliased:
            place = Place(self._file, node.start_mark.line + 1)
            raise place.error(
                "several values share this one through an alias (*); update it by hand"
            )


def _at(value: Expected | None, step: str | int) -> Expected:
    found: Expected = value[step]  # type: ignore[index, assignment]
    return found


def _has_same_keys(old: Expected | None, new: Expected) -> bool:
    return isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys()


def _has_same_length(old: Expected | None, new: Expected) -> bool:
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def _aliased_nodes(root: yaml.Node) -> Iterator[int]:
    """Yield the id of each node to which an alias refers."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            yield id(node)
            continue
        seen.add(id(node))
        waiting += children(node)


def _comments(text: str) -> Iterator[int]:
    """Yield the index of each comment: a # between two tokens."""
    end = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        gap = text[end : token.start_mark.index]
        yield from (end + found.start() for found in re.finditer(r"(?:^|(?<=\s))#[^\n]*", gap))
        end = max(end, token.end_mark.index)


def apply_changes(text: str, file: str, changes: Mapping[int, Change]) -> str:
    """Return the text with the changes applied to its cases, whose indices begin with 0.

    Raises:
        UsageError: a comment would be lost, or an alias would change several cases.
    """
    # libyaml skips a byte order mark and does not count it.
    mark = text[: text.startswith("\ufeff")]
    text = text[len(mark) :]
    (root,) = compose(text, file)
    editor = _Editor(text, file, root)
    cases = next(node for key, node in root.value if key.value == "cases").value
    for index, change in changes.items():
        editor.change_case(cases[index], change)
    for at in _comments(text):
        if any(edit.start <= at < edit.end for edit in editor.edits):
            place = Place(file, text.count("\n", 0, at) + 1)
            raise place.error("--update would remove this comment; move it out of expected")
    for edit in sorted(editor.edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return mark + text
