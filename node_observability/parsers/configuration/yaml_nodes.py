"""YAML as nodes, which know their lines."""

from typing import Final

import yaml

from node_observability.errors import UsageError
from node_observability.parsers.configuration.sections import Place, broken

__all__ = ["NodeReader", "compose"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Far deeper than any configuration. libyaml's composer recurses in C: 200,000 brackets end the process.
_DEPTH_LIMIT: Final = 100
# Values, with each alias counted as what it stands for: nine lists of nine aliases are 387 million.
_SIZE_LIMIT: Final = 1_000_000


def compose(text: str, file: str, first_line: int = 1) -> list[yaml.Node]:
    """Return the root node of each document.

    Raises:
        UsageError: it is no YAML, is nested too deep, or contains itself.
    """
    try:
        _check_nesting(text, file, first_line)
        return [node for node in yaml.compose_all(text, _LOADER) if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = first_line + (mark.line if mark else 0)
        raise broken(Place(file, line), f"this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: this is no YAML: {str(error).splitlines()[0]}") from None


def _check_nesting(text: str, file: str, first_line: int) -> None:
    """Refuse what a recursion over the nodes, libyaml's own included, would not come back from soon."""
    open_anchors: list[str | None] = []
    sizes = [0]
    known: dict[str, int] = {}
    for event in yaml.parse(text, _LOADER):
        mark = event.start_mark
        place = Place(file, first_line + (mark.line if mark else 0))
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            sizes.append(0)
            if len(open_anchors) > _DEPTH_LIMIT:
                raise broken(place, f"the nesting is too deep: more than {_DEPTH_LIMIT} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            size, anchor = sizes.pop() + 1, open_anchors.pop()
            sizes[-1] += size
            if anchor is not None:
                known[anchor] = size
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise broken(place, f"an anchor (&) contains itself: {event.anchor}")
            sizes[-1] += known.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            sizes[-1] += 1
        if sizes[-1] > _SIZE_LIMIT:
            raise broken(place, f"aliases (*) make more than {_SIZE_LIMIT:,} values of this")


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
            UsageError: it is none.
        """
        if not isinstance(node, yaml.MappingNode):
            raise broken(self.place(node), f"{what} must be a mapping of keys and values")
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        return pairs

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """Return the items of a list.

        Raises:
            UsageError: it is none.
        """
        if not isinstance(node, yaml.SequenceNode):
            raise broken(self.place(node), f"{what} must be a list")
        nodes: list[yaml.Node] = node.value
        return nodes
