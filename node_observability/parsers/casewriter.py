"""Writes what is expected into the text of a case file, and leaves all else as it stands.

Guarantees that comments, order, quotes and spaces around what changes are kept. What would lose a comment,
or change more than the case (an alias), is refused with its line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from node_observability.parsers.casevalues import Expected
from node_observability.parsers.casting import Value
from node_observability.parsers.differences import Path, is_same
from node_observability.parsers.nodes import compose
from node_observability.parsers.sections import Place, broken

__all__ = ["Change", "edited"]

_RUN = re.compile(rb"(.)\1{63,}", re.DOTALL)
_SHORT = 200


@dataclass(frozen=True, slots=True)
class Change:
    """What a case expects so far, None for nothing, and what it is to expect."""

    old: Expected | None
    new: Expected
    path: Path = ()

    def within(self, step: str | int) -> "Change":
        """Return the change of one value of the record or the list."""
        return Change(_at(self.old, step), _at(self.new, step), (*self.path, step))


class _Bytes(bytes):
    """Bytes that are no UTF-8."""


class _Join(list[object]):
    """Parts, of which some are repeated."""


class _Dumper(yaml.SafeDumper):
    """Writes ``!bytes`` and ``!join``, and long texts on one line."""

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        # A byte is read best by its number.
        allowed = self.allow_unicode
        self.allow_unicode = allowed and getattr(self.event, "tag", "") != "!bytes"
        super().write_double_quoted(text, split)
        self.allow_unicode = allowed

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - each case stands by itself
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Other styles go on in a second line, whose indentation would depend on the place.
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style='"' if not text.isprintable() else None
    )


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(
    _Bytes,
    lambda dumper, data: dumper.represent_scalar("!bytes", data.decode("latin-1"), style='"'),
)
_Dumper.add_representer(
    _Join, lambda dumper, data: dumper.represent_sequence("!join", data, flow_style=True)
)


def _plain(value: Expected | Value) -> object:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _text(data: bytes) -> object:
    if len(data) > _SHORT and _RUN.search(data):
        parts, at = _Join(), 0
        for run in _RUN.finditer(data):
            if run.start() > at:
                parts.append(_text(data[at : run.start()]))
            parts.append(
                [run[1].decode("latin-1"), len(run[0])] if run[1].isascii() else _Bytes(run[0])
            )
            at = run.end()
        if at < len(data):
            parts.append(_text(data[at:]))
        return parts
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _Bytes(data)


def _dumped(value: object, *, flow: bool) -> str:
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**9,
        default_flow_style=flow,
    )


def _flow(value: Expected | Value) -> str:
    # Within a list, for what is plain there is plain everywhere.
    return _dumped([_plain(value)], flow=True).strip()[1:-1]


def _block(value: Expected | Value, indent: int) -> str:
    lines = _dumped(_plain(value), flow=False).splitlines()
    return "\n".join(" " * indent + line for line in lines)


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    start: int
    end: int
    text: str


class _Editor:
    """The edits of one case file."""

    def __init__(self, text: str, file: str, root: yaml.Node) -> None:
        self._text = text
        self._file = file
        self._shared = set(_shared(root))
        self.edits: list[_Edit] = []

    def case(self, node: yaml.MappingNode, change: Change) -> None:
        entries: list[tuple[yaml.Node, yaml.Node]] = node.value
        for key, item in entries:
            if key.value == "expected":
                self._patch(key, item, change, is_in_flow=bool(node.flow_style))
                return
        last = self._end(entries[-1][1])
        if node.flow_style:
            self.edits.append(_Edit(last, last, f", expected: {_flow(change.new)}"))
            return
        line_end = self._text.find("\n", last)
        at = len(self._text) if line_end < 0 else line_end
        indent = entries[0][0].start_mark.column
        text = f"\n{' ' * indent}expected:{self._entry(change.new, indent)}"
        self.edits.append(_Edit(at, at, text))

    def _entry(self, value: Expected | Value, indent: int) -> str:
        is_block = isinstance(value, dict | list) and bool(value)
        return "\n" + _block(value, indent + 2) if is_block else " " + _flow(value)

    def _patch(
        self, key: yaml.Node | None, node: yaml.Node, change: Change, *, is_in_flow: bool
    ) -> None:
        old, new = change.old, change.new
        if is_same(old, new, change.path):
            return
        if id(node) in self._shared:
            raise broken(
                self._place(node),
                "an anchor (&) makes this stand at several places; update by hand",
            )
        inner_flow = is_in_flow or bool(getattr(node, "flow_style", False))
        if isinstance(node, yaml.MappingNode) and _has_keys(old, new):
            for name, item in node.value:
                self._patch(name, item, change.within(name.value), is_in_flow=inner_flow)
        elif _has_length(old, new) and node.tag != "!join":
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
            text = (" " if start == end else "") + _flow(new)
        elif key is not None:
            start = self._text.index(":", key.end_mark.index) + 1
            text = self._entry(new, key.start_mark.column)
        elif is_collection:
            text = _block(new, node.start_mark.column).lstrip()
        else:
            text = _flow(new)
        self.edits.append(_Edit(start, end, text))

    def _end(self, node: yaml.Node) -> int:
        # A block ends where the next thing begins, comments and all; what counts is its last value.
        if id(node) in self._shared:
            raise broken(
                self._place(node),
                "an anchor (&) makes this stand at several places; update by hand",
            )
        end = int(node.end_mark.index)
        if isinstance(node, yaml.CollectionNode):
            if node.flow_style or not node.value:
                return end
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return len(self._text[:end].rstrip())
        return end

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1)


def _at(value: Expected | None, step: str | int) -> Expected:
    found: Expected = value[step]  # type: ignore[index, assignment]
    return found


def _has_keys(old: Expected | None, new: Expected) -> bool:
    return isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys()


def _has_length(old: Expected | None, new: Expected) -> bool:
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def _shared(root: yaml.Node) -> Iterator[int]:
    """Yield the id of each node that stands at several places."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            yield id(node)
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _comments(text: str) -> Iterator[int]:
    """Yield where each comment begins: a # between two tokens."""
    end = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        gap = text[end : token.start_mark.index]
        yield from (end + found.start() for found in re.finditer(r"(?:^|(?<=\s))#[^\n]*", gap))
        end = max(end, token.end_mark.index)


def edited(text: str, file: str, changes: Mapping[int, Change]) -> str:
    """Return the text with the changes to its cases, which are counted from 0.

    Raises:
        UsageError: a comment would be lost, or an alias makes the change one of several cases.
    """
    (root,) = compose(text, file)
    editor = _Editor(text, file, root)
    cases = next(node for key, node in root.value if key.value == "cases").value
    for index, change in changes.items():
        editor.case(cases[index], change)
    for at in _comments(text):
        if any(edit.start <= at < edit.end for edit in editor.edits):
            place = Place(file, text.count("\n", 0, at) + 1)
            raise broken(place, "--update would lose this comment; move it out of what is expected")
    for edit in sorted(editor.edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
