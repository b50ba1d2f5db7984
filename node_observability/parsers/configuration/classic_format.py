"""Reads Fluent Bit's classic configuration format (``src/config_format/flb_cf_fluentbit.c``).

Guarantees an error with file and line for what Fluent Bit refuses: a key without a value, indentation that
changes, a header without ``]``. The caller finds the files that ``@INCLUDE`` names.
"""

from collections.abc import Callable

from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import (
    KINDS,
    Configuration,
    Property,
    Section,
)

__all__ = ["OpenFiles", "TextFile", "read_classic"]

# The name and the text of a file, and the number of its first line: not 1 for a file within a manifest.
TextFile = tuple[str, str, int]
# Takes a reference such as that of @INCLUDE and its place; returns the files, or None if there are none.
OpenFiles = Callable[[str, Place], list[TextFile] | None]


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
    section: Section | None = None
    indent = ""
    for number, raw in enumerate(text.split("\n"), first_line):
        line, place = raw.removesuffix("\r"), Place(file, number)
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            _read_directive(line, place, into, open_files)
        elif line.startswith("["):
            section = _read_header(line, place)
            if section.kind in KINDS:
                into.sections.append(section)
        elif line.strip():
            indent = indent or line[: len(line) - len(line.lstrip(" \t"))]
            entry = _without_indent(line, indent, place)
            if not entry.startswith("#"):
                _add_property(entry, place, section)


def _read_directive(line: str, place: Place, into: Configuration, open_files: OpenFiles) -> None:
    word, _, rest = line.partition(" ")
    if word.upper() == "@SET":
        name, _, value = rest.strip().partition("=")
        into.variables[name] = value
    elif word.upper() == "@INCLUDE":
        files = open_files(rest, place)
        if files is None:
            into.missing.append(Property("@INCLUDE", rest, place))
            return
        for name, text, first_line in files:
            read_classic(text, name, into, open_files, first_line)


def _read_header(line: str, place: Place) -> Section:
    name, closing, _ = line[1:].partition("]")
    if not closing or not name:
        raise place.error(f"{line.strip()} is not a section header; write it like [PARSER]")
    return Section(name.strip().lower(), place)


def _without_indent(line: str, indent: str, place: Place) -> str:
    if not indent or not line.startswith(indent):
        raise place.error(f"{line.strip()!r} is not indented like the lines above it")
    entry = line[len(indent) :]
    if entry[:1] in (" ", "\t"):
        raise place.error(f"{line.strip()!r} is indented more than the lines above it")
    return entry


def _add_property(entry: str, place: Place, section: Section | None) -> None:
    key, _, value = entry.partition(" ")
    if not value.strip():
        raise place.error(f"the key {key} has no value; add one or remove the line")
    if section is None:
        raise place.error(f"the key {key} stands before the first [SECTION]")
    section.properties.append(Property(key, value.strip(), place))
