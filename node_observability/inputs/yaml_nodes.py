"""Reads YAML as nodes, which know their lines, and as values.

Guarantees an error with file and line for a text that is not YAML, and for one that would take too much time
or memory: nested too deep, or with aliases that multiply. Errors show no name of an alias or a tag: it may be
a password that begins with ``*`` or ``!``. What the nodes mean is the callers' business.
"""

import re
from typing import Final

import yaml

from node_observability.errors import UsageError, reason_of
from node_observability.inputs.places import Place

__all__ = [
    "NodeReader",
    "children",
    "compose",
    "compose_one",
    "construct",
    "first_alias",
    "load_all",
]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Far deeper than any configuration. libyaml's composer recurses in C: 200,000 brackets end the process.
_MAX_DEPTH: Final = 100
# Each alias counts as what it stands for: nine lists of nine aliases are 387 million.
_MAX_VALUES: Final = 1_000_000
# YAML 1.1, "c-printable".
_NOT_ALLOWED: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_NAMED: Final = re.compile(
    r"(found (?:undefined|duplicate) (?:alias|anchor)|could not determine a constructor for the tag"
    r"|found undefined tag handle).*",
    re.DOTALL,
)


def compose(
    text: str, file: str, first_line: int = 1, max_values: int = _MAX_VALUES
) -> list[yaml.Node]:
    """Return the root node of each document; ``first_line`` is the number of the first line in the file.

    Raises:
        UsageError: it is not YAML, is nested too deep, has too many values, or contains itself.
    """
    if found := _NOT_ALLOWED.search(text):
        place = Place(file, first_line + text.count("\n", 0, found.start()))
        raise place.error(f"not YAML: the character U+{ord(found[0]):04X} is not allowed")
    try:
        _check_nesting(text, file, first_line, max_values)
        return [node for node in yaml.compose_all(text, _LOADER) if node is not None]
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, file, first_line) from None


def compose_one(text: str, file: str, max_values: int = _MAX_VALUES) -> yaml.Node | None:
    """Return the root node of the only document, None for a text without one.

    Raises:
        UsageError: as ``compose``, or there is a second document.
    """
    roots = compose(text, file, max_values=max_values)
    if len(roots) > 1:
        raise Place(file, roots[1].start_mark.line + 1).error("a second YAML document; keep one")
    return roots[0] if roots else None


def construct(node: yaml.Node, file: str) -> object:
    """Return the value of a document's root node.

    Raises:
        UsageError: a value does not fit its tag.
    """
    try:
        value: object = yaml.SafeLoader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, file) from None
    except ValueError as error:
        # A date such as 2026-99-99, or a number with more digits than Python reads.
        place = Place(file, node.start_mark.line + 1)
        raise place.error(f"not YAML: {reason_of(error)}") from None
    return value


def load_all(text: str, file: str) -> list[object]:
    """Return the value of each document.

    Raises:
        UsageError: as ``compose`` and ``construct``.
    """
    return [construct(node, file) for node in compose(text, file)]


def _not_yaml(error: yaml.MarkedYAMLError, file: str, first_line: int = 1) -> UsageError:
    mark = error.problem_mark or error.context_mark
    text = _NAMED.sub(r"\1; quote a value that begins with * or !", str(error.problem))
    return Place(file, first_line + (mark.line if mark else 0)).error(f"not YAML: {text}")


def _check_nesting(text: str, file: str, first_line: int, max_values: int) -> None:
    """Refuse what a recursion over the nodes, libyaml's included, could not finish soon."""
    open_anchors: list[str | None] = []
    sizes = [0]
    known: dict[str, int] = {}
    for event in yaml.parse(text, _LOADER):
        mark = event.start_mark
        place = Place(file, first_line + (mark.line if mark else 0))
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            sizes.append(0)
            if len(open_anchors) > _MAX_DEPTH:
                raise place.error(f"nested more than {_MAX_DEPTH} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            size, anchor = sizes.pop() + 1, open_anchors.pop()
            sizes[-1] += size
            if anchor is not None:
                known[anchor] = size
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise place.error("an alias (*) refers to the value that contains it")
            sizes[-1] += known.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            sizes[-1] += 1
        if sizes[-1] > max_values:
            raise place.error(f"more than {max_values:,} values, with aliases (*) written out")


def first_alias(text: str) -> int | None:
    """Return the line of the first alias (``*name``), from 0 up; None if a valid text has none."""
    aliases = (event for event in yaml.parse(text, _LOADER) if isinstance(event, yaml.AliasEvent))
    return next((event.start_mark.line for event in aliases if event.start_mark), None)


def children(node: yaml.Node) -> list[yaml.Node]:
    """Return the keys and values of a mapping, or the items of a list."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class NodeReader:
    """Reads the nodes of a file whose first line has the number ``first_line``."""

    def __init__(self, file: str, first_line: int = 1) -> None:
        self.file = file
        self._first_line = first_line

    def place(self, node: yaml.Node) -> Place:
        """Return where the node begins."""
        return Place(self.file, self._first_line + node.start_mark.line)

    def items(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, yaml.Node]]:
        """Return the pairs of a mapping.

        Raises:
            UsageError: it is not a mapping.
        """
        if not isinstance(node, yaml.MappingNode):
            raise self.place(node).error(f"{what} must be a mapping of keys and values")
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        return pairs

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """Return the items of a list.

        Raises:
            UsageError: it is not a list.
        """
        if not isinstance(node, yaml.SequenceNode):
            raise self.place(node).error(f"{what} must be a list")
        nodes: list[yaml.Node] = node.value
        return nodes
