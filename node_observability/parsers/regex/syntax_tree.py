"""The parts of a translated pattern: each part's place in the source, and its text in Python's syntax.

``prefixes`` serves ``parsers explain``: the longest prefix of the pattern that matches shows where a line
stopped matching.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "Atom",
    "Group",
    "PatternError",
    "Prefix",
    "Repeat",
    "UnsupportedError",
    "prefixes",
    "render",
]


class PatternError(ValueError):
    """Fluent Bit rejects the pattern too. ``offset`` counts characters from 0."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        self.reason = reason
        super().__init__(f"{reason} (at character {offset + 1} of the pattern)")


class UnsupportedError(PatternError):
    """Onigmo accepts the pattern, but the kit can't translate it exactly."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A part without parts of its own; ``[start:stop]`` is its place in the source."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Group:
    """``opening`` branch ``|`` branch ``)``."""

    opening: str
    branches: tuple[tuple["Node", ...], ...]
    start: int
    stop: int

    @property
    def text(self) -> str:
        """The group in Python's syntax."""
        return self.opening + "|".join(render(branch) for branch in self.branches) + ")"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A node and its quantifier."""

    node: "Atom | Group"
    quantifier: str
    start: int
    stop: int

    @property
    def text(self) -> str:
        """The repetition in Python's syntax."""
        return self.node.text + self.quantifier


Node = Atom | Group | Repeat


def render(nodes: Sequence[Node]) -> str:
    """Return the nodes in Python's syntax."""
    return "".join(node.text for node in nodes)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The pattern up to one of its parts.

    ``text`` is the prefix in Python's syntax. The next part of the source is ``[start:stop]``, which lies
    within ``[outer_start:outer_stop]``.
    """

    text: str
    start: int
    stop: int
    outer_start: int
    outer_stop: int


def prefixes(branches: Sequence[Sequence[Node]]) -> Iterator[Prefix]:
    """Yield each prefix of the pattern, shortest first within a branch. Each is a valid pattern."""
    for branch in branches:
        before = ""
        for node in branch:
            for text, inner in _prefixes_within(node):
                yield Prefix(before + text, inner.start, inner.stop, node.start, node.stop)
            before += node.text


def _prefixes_within(node: Node) -> Iterator[tuple[str, Node]]:
    yield "", node
    # A lookaround consumes no text: a prefix within it would show progress that the match does not make.
    inner = node.node if isinstance(node, Repeat) else node
    if isinstance(inner, Group) and inner.opening in ("(", "(?:", "(?>"):
        for branch in inner.branches:
            before = ""
            for part in branch:
                for text, innermost in _prefixes_within(part):
                    yield f"(?:{before}{text})", innermost
                before += part.text
