r"""Reads a pattern in Onigmo's Ruby syntax and writes it in Python's.

What Ruby's syntax means and Python's does not: named groups switch plain ones off, one name may stand
twice, ``^`` and ``$`` are at lines, ``\Z`` is before a last newline, ``{n}?`` is no lazy ``{n}``,
``(?m)`` is the dot that matches newlines. Sources: Onigmo's ``doc/RE`` and ``regparse.c``.
"""

import re

from node_observability.parsers.regex.characters import ANY, NOT_NEWLINE, escape
from node_observability.parsers.regex.classes import (
    SHORTHANDS,
    CharacterClass,
    read_class,
    read_code,
)
from node_observability.parsers.regex.quantifiers import read_quantifier
from node_observability.parsers.regex.syntax_tree import (
    Atom,
    Group,
    Node,
    PatternError,
    Repeat,
    UnmodelledError,
)

__all__ = ["LINE_START", "Translation"]

_NAMED = re.compile(r"\((?:\?<(?![=!])|\?')")
_OPTIONS = re.compile(r"\(\?([mix]*)(?:-([mix]*))?([:)])")
_NAME = re.compile(r"\(\?(?:<([^>!=]*)>|'([^']*)')")
_BACK_REFERENCE = re.compile(r"\\k(?:<([^>]*)>|'([^']*)')")
_ANCHORS = {
    "A": r"\A",
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "b": r"(?:(?<![0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?![0-9A-Za-z_]))",
    "B": r"(?:(?<![0-9A-Za-z_])(?![0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_]))",
}
# In Ruby ^ and $ are always at lines, and ^ is not behind a newline that ends the text.
LINE_START = r"(?:^(?!(?<=\n)\Z))"
# Onigmo's own limit is 4096; Python's compiler and the walks over the parts recurse.
_DEPTH_LIMIT = 100
# A look-behind over bytes would begin within a character; what stands in one must be plain ASCII.
_PLAIN = ("(?=", "(?!", "(?<=", "(?<!", "(?>")


class Translation:
    """One pattern, translated.

    Attributes:
        branches: the alternatives of the whole pattern.
        names: the named groups by number.
        is_anchored: it can only match at the beginning of a line.
        unicode_at: where the pattern asks for a property of Unicode beyond ASCII, else None.
    """

    def __init__(self, source: str, options: str, *, offset: int, ascii_only: bool) -> None:
        self._source = source
        self._ascii_only = ascii_only
        self._offset = offset
        self._at = 0
        self._depth = 0
        self._options = frozenset(options) - {"o"}
        self._has_names = _NAMED.search(re.sub(r"\\.|\[[^\]]*\]", "", source)) is not None
        self.names: list[str] = []
        self.unicode_at: int | None = None
        if "i" in self._options:
            self.unicode_at = offset
        branches = self._branches()
        if self._at < len(source):
            raise self._error("a ) without its (")
        if "i" in self._options:
            branches = ((Group("(?i:", branches, 0, len(source)),),)
        self.branches: tuple[tuple[Node, ...], ...] = branches
        self.is_anchored = all(_begins_line(branch) for branch in branches)

    def _error(self, text: str, kind: type[PatternError] = PatternError) -> PatternError:
        return kind(self._at + self._offset, text)

    def _branches(self) -> tuple[tuple[Node, ...], ...]:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            text = f"groups within groups, more than {_DEPTH_LIMIT} deep, are not modelled"
            raise self._error(text, UnmodelledError)
        branches: list[tuple[Node, ...]] = []
        nodes: list[Node] = []
        while self._at < len(self._source) and self._source[self._at] != ")":
            if self._source[self._at] == "|":
                self._at += 1
                branches.append(tuple(nodes))
                nodes = []
            elif not self._skipped():
                node = self._node()
                nodes.append(self._repeated(node))
        self._depth -= 1
        return (*branches, tuple(nodes))

    def _skipped(self) -> bool:
        rest = self._source[self._at :]
        if rest.startswith("(?#"):
            stop = rest.find(")")
            if stop < 0:
                raise self._error("the (?# is not closed")
            self._at += stop + 1
            return True
        if "x" in self._options and (rest[0].isspace() or rest[0] == "#"):
            self._at += (len(rest.split("\n", 1)[0]) if rest[0] == "#" else 1) or 1
            return True
        return False

    def _node(self) -> Atom | Group:
        char, start = self._source[self._at], self._at
        if char == "(":
            return self._group()
        if char == "[":
            found, self._at = self._class()
            return self._of_class(found, start)
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise self._error(f"there is nothing for {char} to repeat")
        self._at += 1
        if char == ".":
            dot = ANY if "m" in self._options else NOT_NEWLINE
            if self._ascii_only:
                dot = r"[\x00-\x7f]" if "m" in self._options else r"[^\n]"
            return Atom(dot, start, self._at)
        if char == "^":
            return Atom(LINE_START, start, self._at)
        return Atom("$" if char == "$" else self._literal(char, start), start, self._at)

    def _literal(self, char: str, start: int) -> str:
        if not char.isascii() and "i" in self._options:
            raise UnmodelledError(
                start + self._offset, f"{char} without regard to case is not modelled"
            )
        text = escape(char.encode())
        return text if char.isascii() else f"(?:{text})"

    def _class(self) -> tuple[CharacterClass, int]:
        try:
            return read_class(self._source, self._at, fold="i" in self._options)
        except PatternError as error:
            raise type(error)(
                error.offset + self._offset, str(error).split(" (at character")[0]
            ) from None

    def _of_class(self, found: CharacterClass, start: int) -> Atom:
        if found.is_unicode:
            self.unicode_at = start + self._offset
        return Atom(found.text(ascii_only=self._ascii_only), start, self._at)

    def _escape(self) -> Atom:
        start, letter = self._at, self._source[self._at + 1 : self._at + 2]
        if not letter:
            raise self._error("the pattern ends with \\")
        if letter in SHORTHANDS:
            self._at += 2
            return self._of_class(
                CharacterClass(SHORTHANDS[letter], rest_beyond=letter.isupper()), start
            )
        if letter in _ANCHORS:
            if letter in "bB":
                self.unicode_at = start + self._offset
            self._at += 2
            return Atom(_ANCHORS[letter], start, self._at)
        if letter == "k":
            return self._back_reference()
        if letter in "123456789" and self._has_names:
            raise self._error(
                "numbered references are not allowed beside named groups; use \\k<name>"
            )
        if letter in "gpPGKRXyYcCM123456789":
            raise self._error(f"\\{letter} is not modelled", UnmodelledError)
        try:
            char, self._at = read_code(self._source, self._at + 1) or (letter, self._at + 2)
        except PatternError as error:
            raise type(error)(
                error.offset + self._offset, str(error).split(" (at character")[0]
            ) from None
        return Atom(self._literal(char, start), start, self._at)

    def _back_reference(self) -> Atom:
        found = _BACK_REFERENCE.match(self._source, self._at)
        name = (found[1] or found[2]) if found else ""
        if not found or self.names.count(name) == 0:
            raise self._error(f"\\k<{name}> names no group before it")
        if self.names.count(name) > 1:
            raise self._error(
                f"\\k<{name}> of a name that stands twice is not modelled", UnmodelledError
            )
        start, self._at = self._at, found.end()
        return Atom(f"(?:\\{self.names.index(name) + 1})", start, self._at)

    def _group(self) -> Group:
        start, saved = self._at, self._options
        rest = self._source[self._at :]
        to_end = False
        if found := _NAME.match(rest):
            opening = self._named(found[1] or found[2] or "")
            self._at += found.end()
        elif plain := next((text for text in ("(?:", *_PLAIN) if rest.startswith(text)), None):
            opening = plain
            self._at += len(plain)
        elif found := _OPTIONS.match(rest):
            self._options = (self._options | set(found[1])) - set(found[2] or "")
            opening = self._with_case(saved)
            self._at += found.end()
            to_end = found[3] == ")"
        elif rest.startswith("(?"):
            raise self._error(f"{rest[:3]} is not modelled", UnmodelledError)
        else:
            self._at += 1
            opening = "(?:" if self._has_names else "("
        branches = self._branches()
        if not to_end:
            if self._at >= len(self._source):
                self._at = start
                raise self._error("the ( is not closed")
            self._at += 1
        self._options = saved
        if opening in ("(?<=", "(?<!") and not self._ascii_only:
            self._check_look_behind(start)
        return Group(opening, branches, start, self._at)

    def _named(self, name: str) -> str:
        if (
            not name
            or not (name[0].isalpha() or name[0] == "_")
            or not name.replace("_", "a").isalnum()
        ):
            raise self._error(f"{name!r} is no name for a group: letters, digits and _ only")
        self.names.append(name)
        return "("

    def _with_case(self, before: frozenset[str]) -> str:
        if "i" in self._options and "i" not in before:
            self.unicode_at = self._at + self._offset
            return "(?i:"
        return "(?-i:" if "i" in before and "i" not in self._options else "(?:"

    def _check_look_behind(self, start: int) -> None:
        inside = self._source[start + 4 : self._at - 1]
        if not inside.isascii() or re.search(r"(?<!\\)(?:\.|\[\^|\\[DWSH])", inside):
            raise UnmodelledError(
                start + self._offset, "a look-behind over characters beyond ASCII is not modelled"
            )

    def _repeated(self, node: Atom | Group) -> Node:
        quantifier, after = read_quantifier(self._source, self._at, self._offset)
        self._at = after
        if not quantifier:
            return node
        # A class or an anchor in Python's syntax may be several things in a row.
        if (
            isinstance(node, Atom)
            and not node.text.startswith(("[", "(", "\\"))
            and len(node.text) > 1
        ):
            node = Atom(f"(?:{node.text})", node.start, node.stop)
        return Repeat(node, quantifier, node.start, after)


def _begins_line(branch: tuple[Node, ...]) -> bool:
    if not branch:
        return False
    first = branch[0]
    if isinstance(first, Group) and first.opening in ("(", "(?:", "(?>", "(?i:", "(?-i:"):
        return all(_begins_line(inner) for inner in first.branches)
    return isinstance(first, Atom) and first.text in (LINE_START, r"\A")
