"""The parts of a translated pattern: what each part was in Onigmo's syntax, and its Python text.

Pure data. ``prefixes`` is what ``parsers explain`` needs: every beginning of the pattern, so that the
longest one that matches shows where a line stopped matching.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "Atom",
    "Group",
    "PatternError",
    "Prefix",
    "Repeat",
    "UnmodelledError",
    "prefixes",
    "render",
]


class PatternError(ValueError):
    """The pattern is broken: Fluent Bit refuses it too. ``offset`` counts characters from 0."""

    def __init__(self, offset: int, text: str) -> None:
        self.offset = offset
        super().__init__(f"{text} (at character {offset + 1} of the pattern)")


class UnmodelledError(PatternError):
    """Onigmo accepts this and the kit can't say what it does there."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that matches by itself; ``start`` and ``stop`` are its place in the source."""

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
    """A beginning of a pattern.

    ``text`` is Python's syntax for it. What comes next in the source is ``[start:stop]``, a part of
    ``[outer_start:outer_stop]``.
    """

    text: str
    start: int
    stop: int
    outer_start: int
    outer_stop: int


def prefixes(branches: Sequence[Sequence[Node]]) -> Iterator[Prefix]:
    """Yield every beginning of the pattern, shortest first within a branch, each valid by itself."""
    for branch in branches:
        done = ""
        for node in branch:
            for text, inner in _within(node):
                yield Prefix(done + text, inner.start, inner.stop, node.start, node.stop)
            done += node.text


def _within(node: Node) -> Iterator[tuple[str, Node]]:
    yield "", node
    # A lookaround takes no text: its inside would show progress that the match does not make.
    inner = node.node if isinstance(node, Repeat) else node
    if isinstance(inner, Group) and inner.opening in ("(", "(?:", "(?>"):
        for branch in inner.branches:
            done = ""
            for part in branch:
                for text, innermost in _within(part):
                    yield f"(?:{done}{text})", innermost
                done += part.text
