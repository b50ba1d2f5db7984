"""Fluent Bit's regular expressions over bytes, run by Python's ``re``.

Fluent Bit compiles a pattern with Onigmo 6.2, Ruby's syntax, UTF-8 and no options, and takes the named
groups (``src/flb_regex.c``). Here the pattern is translated, once for ASCII texts, where bytes are
characters, and once for all others. Guarantees the same groups for the same bytes; what it can't
translate exactly it refuses, with the character of the pattern at which that is. Decision 0005 says why
this is no binding of the C library.
"""

import re
from collections.abc import Callable, Iterator

from node_observability.parsers.regex.characters import boundaries
from node_observability.parsers.regex.syntax_tree import Prefix, UnmodelledError, prefixes, render
from node_observability.parsers.regex.translation import LINE_START, Translation

__all__ = ["Pattern", "delimited"]

_OPTIONS = {"m", "i", "x", "o"}


def delimited(pattern: str) -> tuple[str, str, int]:
    """Take ``/pattern/options`` apart as Fluent Bit does.

    Returns the bare pattern, its options and the offset of the pattern's first character. Without
    slashes, or with options that Fluent Bit does not know, the text is the pattern as it stands.
    """
    last = pattern.rfind("/")
    options = pattern[last + 1 :]
    if pattern.startswith("/") and last > 0:
        if not options:
            return pattern[1:-1], "", 1
        if set(options) <= _OPTIONS and options.strip("o"):
            return pattern[1:last], options, 1
    return pattern, "", 0


class Pattern:
    """A compiled pattern.

    Attributes:
        names: the named groups, in the order of their numbers. A name may come twice.

    Raises:
        PatternError: Fluent Bit would refuse it.
        UnmodelledError: Fluent Bit accepts it and the kit can't.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        bare, options, offset = delimited(source)
        self._offset = offset
        plain = Translation(bare, options, offset=offset, ascii_only=True)
        exact = Translation(bare, options, offset=offset, ascii_only=False)
        self.names: tuple[str, ...] = tuple(plain.names)
        self._branches = exact.branches
        self._has_branches = len(plain.branches) > 1
        self._ascii = _compile("|".join(map(render, plain.branches)))
        self._bytes = _compile("|".join(map(render, exact.branches)))
        self._is_anchored = exact.is_anchored
        self._unicode_at = exact.unicode_at
        # For ASCII texts: what it finds, ``search`` finds; where it finds nothing, ``search`` may.
        self.find_ascii = self._at_the_beginning() or self._ascii.search

    def search(self, text: bytes) -> re.Match[bytes] | None:
        """Return the leftmost match, or None.

        Raises:
            UnmodelledError: the pattern asks for properties of Unicode and the text is not ASCII.
        """
        if text.isascii():
            return self._ascii.search(text)
        if self._unicode_at is not None:
            raise UnmodelledError(
                self._unicode_at, "this asks for Unicode, which is modelled for ASCII lines only"
            )
        if self._is_anchored:
            return self._bytes.search(text)
        for offset in boundaries(text):
            if found := self._bytes.match(text, offset):
                return found
        return None

    def _at_the_beginning(self) -> Callable[[bytes], re.Match[bytes] | None] | None:
        """Return a quicker way for a pattern that begins with ``^``: most texts are one line."""
        text = self._ascii.pattern.decode("latin-1")
        if self._has_branches or not text.startswith(LINE_START):
            return None
        return _compile(text.removeprefix(LINE_START)).match

    def prefixes(self) -> Iterator[Prefix]:
        """Return each beginning of the pattern, with its place in the bare pattern."""
        return prefixes(self._branches)

    def part(self, start: int, stop: int) -> str:
        """Return a part of the source, by the places that ``prefixes`` gives."""
        return self.source[start + self._offset : stop + self._offset]


def _compile(text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode("latin-1"), re.MULTILINE | re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnmodelledError(0, f"Python can't run this pattern: {error}") from None
