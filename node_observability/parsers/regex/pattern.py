"""Runs Fluent Bit's regular expressions over bytes, with Python's ``re``.

Fluent Bit compiles a pattern with Onigmo 6.2 (Ruby's syntax, UTF-8, no options) and takes its named groups
(``src/flb_regex.c``). Here the pattern is translated twice: for ASCII texts, where each byte is a character,
and for all other texts. Guarantees the same groups for the same bytes. A pattern that can't be translated
exactly is an error that names the character of the pattern. Decision 0005 explains why this is not a
binding of the C library.
"""

import re
from collections.abc import Callable, Iterator

from node_observability.parsers.regex.balance import check_balance
from node_observability.parsers.regex.characters import boundaries
from node_observability.parsers.regex.syntax_tree import (
    PatternError,
    Prefix,
    UnsupportedError,
    prefixes,
    render,
)
from node_observability.parsers.regex.translation import LINE_START, Translation

__all__ = ["Pattern", "split_delimiters"]

_OPTIONS = {"m", "i", "x", "o"}


def split_delimiters(pattern: str) -> tuple[str, str, int]:
    """Split ``/pattern/options`` as Fluent Bit does.

    Returns the bare pattern, its options, and the offset of the bare pattern in the text. Without slashes,
    or with options that Fluent Bit does not know, the whole text is the pattern.
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
        names: the named groups, in the order of their numbers. Two groups may share a name.
        find_ascii: searches an ASCII text. A match is what ``search`` finds; on None, ``search`` may still
            find one.

    Raises:
        PatternError: Fluent Bit rejects the pattern.
        UnsupportedError: Fluent Bit accepts it, but the kit can't translate it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        bare, options, self._offset = split_delimiters(source)
        try:
            for_ascii, for_bytes = _translate(bare, options)
        except PatternError as error:
            raise type(error)(error.offset + self._offset, error.reason) from None
        self.names: tuple[str, ...] = tuple(for_ascii.names)
        self._branches = for_bytes.branches
        self._has_branches = len(for_ascii.branches) > 1
        self._ascii = _compile("|".join(map(render, for_ascii.branches)))
        self._bytes = _compile("|".join(map(render, for_bytes.branches)))
        self._is_anchored = for_bytes.is_anchored
        self._unicode_at = for_bytes.unicode_at
        self.find_ascii = self._match_at_start() or self._ascii.search

    def search(self, text: bytes) -> re.Match[bytes] | None:
        """Return the leftmost match, or None.

        Raises:
            UnsupportedError: the pattern asks for Unicode properties and the text is not ASCII.
        """
        if text.isascii():
            return self._ascii.search(text)
        if self._unicode_at is not None:
            raise UnsupportedError(
                self._unicode_at + self._offset,
                "this part depends on Unicode properties; it is supported for ASCII lines only",
            )
        if self._is_anchored:
            return self._bytes.search(text)
        for offset in boundaries(text):
            if found := self._bytes.match(text, offset):
                return found
        return None

    def _match_at_start(self) -> Callable[[bytes], re.Match[bytes] | None] | None:
        """Return a faster matcher for a pattern that begins with ``^``: most texts are one line."""
        text = self._ascii.pattern.decode("latin-1")
        if self._has_branches or not text.startswith(LINE_START):
            return None
        return _compile(text.removeprefix(LINE_START)).match

    def prefixes(self) -> Iterator[Prefix]:
        """Yield each prefix of the pattern, with its place in the bare pattern."""
        return prefixes(self._branches)

    def part(self, start: int, stop: int) -> str:
        """Return a part of the source, by the places that ``prefixes`` yields."""
        return self.source[start + self._offset : stop + self._offset]


def _translate(bare: str, options: str) -> tuple[Translation, Translation]:
    try:
        for_ascii = Translation(bare, options, ascii_only=True)
        return for_ascii, Translation(bare, options, ascii_only=False)
    except UnsupportedError:
        # The translation stops at the first part that it can't translate; behind it may be a mistake.
        if "x" not in options:
            check_balance(bare)
        raise


def _compile(text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode("latin-1"), re.MULTILINE | re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsupportedError(0, f"Python can't run this pattern: {error}") from None
