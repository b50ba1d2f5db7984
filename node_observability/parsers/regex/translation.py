r"""Reads a pattern in Onigmo's Ruby syntax and writes it in Python's.

Where the two syntaxes differ, this module follows Ruby's: named groups turn unnamed ones off, two groups
may share a name, ``^`` and ``$`` match at lines, ``\Z`` matches before a final newline, ``{n}?`` is not a
lazy ``{n}``, ``(?m)`` lets the dot match newlines. Sources: Onigmo's ``doc/RE`` and ``regparse.c``.
"""

import re

from node_observability.parsers.regex.character_classes import (
    SHORTHANDS,
    CharacterClass,
    read_character_escape,
    read_class,
)
from node_observability.parsers.regex.characters import ANY, NOT_NEWLINE, escape
from node_observability.parsers.regex.quantifiers import read_quantifier
from node_observability.parsers.regex.syntax_tree import (
    Atom,
    Group,
    Node,
    PatternError,
    Repeat,
    UnsupportedError,
)

__all__ = ["LINE_START", "Translation"]

_NAMED_GROUP = re.compile(r"\((?:\?<(?![=!])|\?')")
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
# In Ruby, ^ and $ always match at lines, but ^ does not match after a newline that ends the text.
LINE_START = r"(?:^(?!(?<=\n)\Z))"
# Onigmo's own limit is 4096; Python's compiler and the functions that walk the parts recurse.
_DEPTH_LIMIT = 100
_UNNAMED_GROUPS = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>")


class Translation:
    """One pattern in Python's syntax, for ASCII texts only or for any bytes.

    Attributes:
        branches: the alternatives of the whole pattern.
        names: the named groups, in the order of their numbers.
        is_anchored: whether the pattern can match only at the beginning of a line.
        unicode_at: the offset at which the pattern asks for a Unicode property beyond ASCII, or None.

    Raises:
        PatternError: Onigmo rejects the pattern.
        UnsupportedError: the pattern can't be translated exactly.
    """

    def __init__(self, source: str, options: str, *, ascii_only: bool) -> None:
        self._source = source
        self._ascii_only = ascii_only
        self._at = 0
        self._depth = 0
        self._options = frozenset(options) - {"o"}
        self._has_names = _NAMED_GROUP.search(re.sub(r"\\.|\[[^\]]*\]", "", source)) is not None
        self.names: list[str] = []
        self.unicode_at = 0 if "i" in self._options else None
        branches = self._read_branches()
        if self._at < len(source):
            raise self._error("unmatched )")
        if "i" in self._options:
            branches = ((Group("(?i:", branches, 0, len(source)),),)
        self.branches: tuple[tuple[Node, ...], ...] = branches
        self.is_anchored = all(_starts_at_line(branch) for branch in branches)

    def _error(self, reason: str) -> PatternError:
        return PatternError(self._at, reason)

    def _unsupported(self, reason: str, at: int | None = None) -> UnsupportedError:
        return UnsupportedError(self._at if at is None else at, f"{reason} is not supported")

    def _read_branches(self) -> tuple[tuple[Node, ...], ...]:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise self._unsupported(f"nesting groups more than {_DEPTH_LIMIT} deep")
        branches: list[tuple[Node, ...]] = []
        nodes: list[Node] = []
        while self._at < len(self._source) and self._source[self._at] != ")":
            if self._source[self._at] == "|":
                self._at += 1
                branches.append(tuple(nodes))
                nodes = []
            elif not self._skip_comment():
                nodes.append(self._with_quantifier(self._read_node()))
        self._depth -= 1
        return (*branches, tuple(nodes))

    def _skip_comment(self) -> bool:
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

    def _read_node(self) -> Atom | Group:
        char, start = self._source[self._at], self._at
        if char == "(":
            return self._read_group()
        if char == "[":
            found, self._at = read_class(self._source, start, ignore_case="i" in self._options)
            return self._class_atom(found, start)
        if char == "\\":
            return self._read_escape()
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
            raise self._unsupported(f"{char} with the option i", start)
        text = escape(char.encode())
        return text if char.isascii() else f"(?:{text})"

    def _class_atom(self, found: CharacterClass, start: int) -> Atom:
        if found.is_unicode:
            self.unicode_at = start
        return Atom(found.to_python(ascii_only=self._ascii_only), start, self._at)

    def _read_escape(self) -> Atom:
        start, letter = self._at, self._source[self._at + 1 : self._at + 2]
        if not letter:
            raise self._error("the pattern ends with \\")
        if letter in SHORTHANDS:
            self._at += 2
            found = CharacterClass()
            found.add_shorthand(letter)
            return self._class_atom(found, start)
        if letter in _ANCHORS:
            if letter in "bB":
                self.unicode_at = start
            self._at += 2
            return Atom(_ANCHORS[letter], start, self._at)
        if letter == "k":
            return self._read_back_reference()
        if letter in "123456789" and self._has_names:
            raise self._error("with named groups, \\k<name> must replace a numbered reference")
        if letter in "gpPGKRXyYcCM123456789":
            raise self._unsupported(f"\\{letter}")
        found_char = read_character_escape(self._source, self._at + 1)
        char, self._at = found_char or (letter, self._at + 2)
        return Atom(self._literal(char, start), start, self._at)

    def _read_back_reference(self) -> Atom:
        found = _BACK_REFERENCE.match(self._source, self._at)
        name = (found[1] or found[2]) if found else ""
        if not found or self.names.count(name) == 0:
            raise self._error(f"\\k<{name}> does not name a group before it")
        if self.names.count(name) > 1:
            raise self._unsupported(f"\\k<{name}> with several groups {name}")
        start, self._at = self._at, found.end()
        return Atom(f"(?:\\{self.names.index(name) + 1})", start, self._at)

    def _read_group(self) -> Group:
        start, options_before = self._at, self._options
        rest = self._source[self._at :]
        to_end = False
        if found := _NAME.match(rest):
            opening = self._open_named_group(found[1] or found[2] or "")
            self._at += found.end()
        elif unnamed := next((text for text in _UNNAMED_GROUPS if rest.startswith(text)), None):
            opening = unnamed
            self._at += len(unnamed)
        elif found := _OPTIONS.match(rest):
            self._options = (self._options | set(found[1])) - set(found[2] or "")
            opening = self._open_option_group(options_before)
            self._at += found.end()
            to_end = found[3] == ")"
        elif rest.startswith("(?"):
            raise self._unsupported(rest[:3])
        else:
            self._at += 1
            opening = "(?:" if self._has_names else "("
        branches = self._read_branches()
        if not to_end:
            if self._at >= len(self._source):
                self._at = start
                raise self._error("the ( is not closed")
            self._at += 1
        self._options = options_before
        if opening in ("(?<=", "(?<!") and not self._ascii_only:
            self._check_look_behind(start)
        return Group(opening, branches, start, self._at)

    def _open_named_group(self, name: str) -> str:
        is_word = name.replace("_", "a").isalnum()
        if not is_word or not (name[0].isalpha() or name[0] == "_"):
            raise self._error(
                f"{name!r} is not a valid group name; use letters, digits and _, not beginning with a digit"
            )
        self.names.append(name)
        return "("

    def _open_option_group(self, before: frozenset[str]) -> str:
        if "i" in self._options and "i" not in before:
            self.unicode_at = self._at
            return "(?i:"
        return "(?-i:" if "i" in before and "i" not in self._options else "(?:"

    def _check_look_behind(self, start: int) -> None:
        # Over bytes, a look-behind could begin within a character.
        inside = self._source[start + 4 : self._at - 1]
        if not inside.isascii() or re.search(r"(?<!\\)(?:\.|\[\^|\\[DWSH])", inside):
            raise self._unsupported("a look-behind for characters beyond ASCII", start)

    def _with_quantifier(self, node: Atom | Group) -> Node:
        quantifier, after = read_quantifier(self._source, self._at)
        self._at = after
        if not quantifier:
            return node
        # In Python's syntax, a class or an anchor may consist of several parts.
        is_atom = isinstance(node, Atom) and len(node.text) > 1
        if is_atom and not node.text.startswith(("[", "(", "\\")):
            node = Atom(f"(?:{node.text})", node.start, node.stop)
        return Repeat(node, quantifier, node.start, after)


def _starts_at_line(branch: tuple[Node, ...]) -> bool:
    if not branch:
        return False
    first = branch[0]
    if isinstance(first, Group) and first.opening in ("(", "(?:", "(?>", "(?i:", "(?-i:"):
        return all(_starts_at_line(inner) for inner in first.branches)
    return isinstance(first, Atom) and first.text in (LINE_START, r"\A")
