"""Reads Fluent Bit's classic configuration form (``src/config_format/flb_cf_fluentbit.c``).

Guarantees that what Fluent Bit refuses is refused here, with file and line: a key without a value,
indentation that changes, a header without ``]``. ``@INCLUDE`` is followed by whoever gives ``open_file``.
"""

from collections.abc import Callable

from node_observability.parsers.configuration.sections import (
    KINDS,
    Configuration,
    Place,
    Property,
    Section,
    broken,
)

__all__ = ["Included", "read_classic"]

# Given what @INCLUDE names and its place: the names and texts of the files, or None where there is none.
Included = Callable[[str, Place], list[tuple[str, str, int]] | None]


def read_classic(
    text: str, file: str, into: Configuration, open_file: Included, first_line: int = 1
) -> None:
    """Add the sections of ``text`` to ``into``; ``first_line`` is the number of its first line in ``file``.

    Raises:
        UsageError: Fluent Bit would not read it.
    """
    if text.startswith("\ufeff"):
        fix = (
            "begins with a byte order mark, which Fluent Bit refuses; save it as UTF-8 without one"
        )
        raise broken(Place(file, first_line), f"the file {fix}")
    section: Section | None = None
    indent = ""
    for number, raw in enumerate(text.split("\n"), first_line):
        line, place = raw.removesuffix("\r"), Place(file, number)
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            _directive(line, place, into, open_file)
        elif line.startswith("["):
            section = _header(line, place)
            if section.kind in KINDS:
                into.sections.append(section)
        elif line.strip():
            indent = indent or line[: len(line) - len(line.lstrip(" \t"))]
            body = _body(line, indent, place)
            if not body.startswith("#"):
                _add(body, place, section)


def _directive(line: str, place: Place, into: Configuration, open_file: Included) -> None:
    word, _, rest = line.partition(" ")
    if word.upper() == "@SET":
        name, _, value = rest.strip().partition("=")
        into.variables[name] = value
    elif word.upper() == "@INCLUDE":
        files = open_file(rest, place)
        if files is None:
            into.missing.append(Property("@INCLUDE", rest, place))
            return
        for name, text, first_line in files:
            read_classic(text, name, into, open_file, first_line)


def _header(line: str, place: Place) -> Section:
    name, closing, _ = line[1:].partition("]")
    if not closing or not name:
        raise broken(place, f"{line.strip()} is no section header; write it like [PARSER]")
    return Section(name.strip().lower(), place)


def _body(line: str, indent: str, place: Place) -> str:
    if not indent or not line.startswith(indent):
        raise broken(place, f"{line.strip()!r} is not indented like the lines above it")
    body = line[len(indent) :]
    if body[:1] in (" ", "\t"):
        raise broken(
            place,
            f"{line.strip()!r} is indented deeper than the lines above it",
        )
    return body


def _add(body: str, place: Place, section: Section | None) -> None:
    key, _, value = body.partition(" ")
    if not value.strip():
        raise broken(place, f"the key {key} has no value; give it one or remove the line")
    if section is None:
        raise broken(place, f"the key {key} stands before any [SECTION]")
    section.properties.append(Property(key, value.strip(), place))
