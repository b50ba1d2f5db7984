"""Findings about names: the parsers that inputs and filters ask for, and those that are there."""

from collections.abc import Iterator
from dataclasses import dataclass

from node_observability.hints import close_to
from node_observability.parsers.configuration.sections import (
    Configuration,
    Place,
    Property,
    Section,
    is_on,
)
from node_observability.parsers.configuration.stock import STOCK_PARSERS
from node_observability.parsers.lint.finding import Finding
from node_observability.parsers.model.definitions import BUILT_IN_MULTILINE, Definitions
from node_observability.parsers.model.parser import Parser

__all__ = ["of_references", "stock_copy"]

_REFERENCES = (
    *("parser", "multiline.parser", "parser_firstline", "docker_mode_parser"),
    *("merge_parser", "regex_parser"),
)
# What happens where the name is not there, measured; the rest says so once and ships raw lines.
_STOPS = ("multiline.parser", "parser_firstline", "regex_parser")
_JUNK = (b"", b"\x01junk", b"{", b"2016 a b c")


@dataclass(frozen=True, slots=True)
class _Use:
    """A place that names a parser."""

    section: Section
    reference: Property
    name: str
    is_multiline: bool


def of_references(configuration: Configuration, definitions: Definitions) -> Iterator[Finding]:
    """Yield what is undefined, never named, or never asked."""
    uses = list(_uses(configuration))
    yield from _undefined(configuration, definitions, uses)
    yield from _unused(configuration, definitions, uses)
    yield from _shadowed(definitions, uses)


def stock_copy(configuration: Configuration) -> set[Place]:
    """Return the places of the parsers of a file that is Fluent Bit's own ``parsers.conf``, of any version.

    Such a file, on disk, has at least half of the names: nobody wrote it, and nobody uses all of it.
    """
    by_file: dict[str, list[Section]] = {}
    for section in configuration.of("parser"):
        by_file.setdefault(section.origin, []).append(section)
    return {
        section.place
        for sections in by_file.values()
        if 2 * len(STOCK_PARSERS & {section.name for section in sections}) >= len(STOCK_PARSERS)
        for section in sections
        if section.name in STOCK_PARSERS
    }


def _uses(configuration: Configuration) -> Iterator[_Use]:
    for section in configuration.sections:
        if section.kind not in ("input", "filter", "processor"):
            continue
        for item in section.properties:
            key = item.key.lower()
            if key in _REFERENCES or (key.startswith("parser_") and key[7:].isdigit()):
                for name in filter(None, map(str.strip, item.value.split(","))):
                    yield _Use(section, item, name, key == "multiline.parser")


def _undefined(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    absent = [item.value for item in configuration.missing]
    for use in uses:
        if use.is_multiline:
            known = [*definitions.multiline, *BUILT_IN_MULTILINE]
            known += [section.name.lower() for section in configuration.of("multiline_parser")]
        else:
            known = [*definitions.parsers, *definitions.unmodelled]
        name = use.name.lower() if use.is_multiline else use.name
        if name in known or "${" in use.name:
            continue
        if absent and use.name in STOCK_PARSERS:
            continue
        kind = "multiline parser" if use.is_multiline else "parser"
        where = f" here, nor is {', '.join(absent)}" if absent else ""
        text = f"the {kind} {use.name} is not defined{where}{close_to(use.name, known)}"
        key = use.reference.key.lower()
        effect = "does not start" if key in _STOPS else "says so once and ships raw lines"
        if key == "parser" and use.section.kind != "input":
            effect = "does not start, unless the filter names others too"
        yield Finding(
            use.reference.place,
            "undefined-parser",
            f"{text}; Fluent Bit {effect}",
            is_error=not absent,
        )


def _unused(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    if not any(configuration.of("input")):
        return
    # Then pods name parsers in their annotations.
    by_annotation = any(
        is_on(section.value("k8s-logging.parser")) for section in configuration.sections
    )
    named = {use.name for use in uses if not use.is_multiline}
    if by_annotation:
        named |= {section.name for section in configuration.of("parser")}
    named |= {section.value("parser") for section in configuration.of("multiline_parser")}
    joining = {use.name.lower() for use in uses if use.is_multiline}
    stock = stock_copy(configuration)
    for name, place in definitions.places.items():
        if place not in stock and name not in named and name.lower() not in joining:
            yield Finding(
                place, "unused-parser", f"no input and no filter names {name}", is_error=False
            )


def _shadowed(definitions: Definitions, uses: list[_Use]) -> Iterator[Finding]:
    by_section: dict[int, list[_Use]] = {}
    for use in uses:
        by_section.setdefault(id(use.section), []).append(use)
    for members in by_section.values():
        joining = [use for use in members if use.is_multiline]
        chain = [use for use in members if use.reference.key.lower() == "parser"]
        for use in chain if joining else []:
            instead = joining[0].reference.place
            text = f"{use.name} is never asked: multiline.parser at {instead} takes its place"
            yield Finding(use.reference.place, "unreachable-parser", text, is_error=True)
        yield from _behind(definitions, joining)
        yield from _behind(definitions, chain if members[0].section.kind != "input" else [])
        if members[0].section.kind == "input" and len(chain) > 1:
            text = "tail has one Parser, the first; several go into a filter parser"
            yield Finding(chain[1].reference.place, "unreachable-parser", text, is_error=True)


def _behind(definitions: Definitions, chain: list[_Use]) -> Iterator[Finding]:
    seen: set[str] = set()
    greedy = ""
    for use in chain:
        if use.name in seen:
            text = f"{use.name} stands in this chain already"
            yield Finding(use.reference.place, "unreachable-parser", text, is_error=True)
        elif greedy:
            text = f"{use.name} is never asked: {greedy} before it takes every line"
            yield Finding(use.reference.place, "unreachable-parser", text, is_error=True)
        seen.add(use.name)
        parser = definitions.parsers.get(use.name)
        if not use.is_multiline and parser and parser.pattern and _takes_all(parser):
            greedy = use.name


def _takes_all(parser: Parser) -> bool:
    return all(parser.parse(line) is not None for line in _JUNK)
