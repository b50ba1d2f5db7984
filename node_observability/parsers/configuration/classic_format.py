"""Reads Fluent Bit's classic configuration format (``src/config_format/flb_cf_fluentbit.c``).

Guarantees an error with file and line for what Fluent Bit refuses: a key without a value, indentation that
does not fit, a header without ``]``. The caller finds the files that ``@INCLUDE`` names.
"""

from collections.abc import Callable

from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import (
    Configuration,
    Group,
    Property,
    Section,
    kind_of,
)

__all__ = ["OpenFiles", "TextFile", "read_classic"]

# The name and the text of a file, and the number of its first line: not 1 for a file within a manifest.
TextFile = tuple[str, str, int]
# Takes a reference such as that of @INCLUDE and its place; returns the files, or None if there are none.
OpenFiles = Callable[[str, Place], list[TextFile] | None]

_BLANKS = " \t"
# What C's isspace takes; Python's strip takes more.
_SPACES = " \t\n\v\f\r"
_INCLUDE = "@include "


def read_classic(
    text: str, file: str, into: Configuration, open_files: OpenFiles, first_line: int = 1
) -> None:
    """Add the sections of ``text`` to ``into``; ``first_line`` is the number of the text's first line.

    Raises:
        UsageError: Fluent Bit refuses the text.
    """
    if text.startswith("\ufeff"):
        raise Place(file, first_line).error(
            "the file begins with a byte order mark, which Fluent Bit refuses; save it as UTF-8 without one"
        )
    reader = _Reader(into, open_files)
    lines = text.split("\n")
    # Fluent Bit takes a return off a line only together with the line feed.
    lines[:-1] = [line.removesuffix("\r") for line in lines[:-1]]
    for number, line in enumerate(lines, first_line):
        if line and not line.startswith("#"):
            reader.read_line(line, Place(file, number))


class _Reader:
    """Reads the lines of one file. An included file begins anew, without a section and an indentation."""

    def __init__(self, into: Configuration, open_files: OpenFiles) -> None:
        self._into = into
        self._open_files = open_files
        self._section: Section | None = None
        self._group: Group | None = None
        self._indent = ""

    def read_line(self, line: str, place: Place) -> None:
        if len(line) > len(_INCLUDE) and line.lower().startswith(_INCLUDE):
            self._include(line[len(_INCLUDE) :], place)
        elif line.startswith("@"):
            self._set_variable(line, place)
        elif line.startswith("["):
            name, closing, _ = line[1:].partition("]")
            if not closing:
                raise place.error(f"{line.strip()} is not a section header; write it like [PARSER]")
            self._section = Section(kind_of(name), place, title=name, is_classic=True)
            self._group = None
            self._into.sections.append(self._section)
        else:
            entry = self._without_indent(line, place)
            if entry and not entry.startswith("#"):
                self._add(entry, place)

    def _include(self, name: str, place: Place) -> None:
        if name != name.strip():
            raise place.error(f"@INCLUDE {name!r}: remove the spaces around the name")
        files = self._open_files(name, place)
        if files is None:
            self._into.missing.append(Property("@INCLUDE", name, place))
            return
        for found, text, first_line in files:
            read_classic(text, found, self._into, self._open_files, first_line)

    def _set_variable(self, line: str, place: Place) -> None:
        word, space, rest = line.partition(" ")
        if not space or not rest.strip(_SPACES):
            raise place.error(f"{word} has no value; write it like @SET NAME=VALUE")
        if word == "@":
            raise place.error(f"{line} is not a command; write it like @SET NAME=VALUE")
        name, equals, value = rest.strip().partition("=")
        if word.upper() == "@SET" and equals:
            self._into.variables[name] = value
            # The space belongs to the name, so ${NAME} is another variable.
            if name != name.strip():
                self._into.misnamed.append(Property(word, rest, place))
        else:
            self._into.ignored.append(Property(word, rest, place))

    def _without_indent(self, line: str, place: Place) -> str:
        bare = line.lstrip(_BLANKS)
        blanks = line[: len(line) - len(bare)]
        if not self._indent:
            if not blanks:
                raise place.error(f"{line.strip()!r} is not indented; indent each key")
            # A line of blanks only sets it, too.
            self._indent = blanks
        if not blanks.startswith(self._indent):
            what = repr(bare) if bare else "this blank line"
            raise place.error(f"{what} is not indented like the lines above it")
        extra = len(blanks) - len(self._indent)
        if not extra:
            self._group = None
        elif extra != len(self._indent):
            # Twice the indentation is that of a group; without one, the key belongs to the section.
            what = repr(bare) if bare else "this blank line"
            problem = (
                f"{what} is indented by {len(blanks)}; the first line is by {len(self._indent)}"
            )
            raise place.error(f"{problem}: use the same, twice as much, or an empty line")
        return bare

    def _add(self, entry: str, place: Place) -> None:
        key, space, value = entry.partition(" ")
        if space and key.startswith("["):
            self._begin_group(entry, place)
            return
        if not value.strip(_SPACES):
            fix = "add one or remove the line"
            if "\t" in key:
                fix = "separate them by a space, which is what Fluent Bit expects, not by a tab"
                key = key.partition("\t")[0]
            raise place.error(f"the key {key} has no value; {fix}")
        if self._section is None:
            raise place.error(f"the key {key} stands before the first [SECTION]")
        properties = (self._group or self._section).properties
        properties.append(Property(key, value.strip(_SPACES), place))

    def _begin_group(self, entry: str, place: Place) -> None:
        name, closing, _ = entry[1:].partition("]")
        if not closing or not name or self._section is None:
            raise place.error(f"{entry} is not a group of a section; write it like [NAME]")
        self._group = Group(name, place)
        self._section.groups.append(self._group)
