"""Findings about names: parsers that inputs and filters use, and parsers that the configuration defines."""

from collections.abc import Iterator
from dataclasses import dataclass

from node_observability.hints import close_to
from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import (
    Configuration,
    Property,
    Section,
    read_switch,
)
from node_observability.parsers.configuration.stock import STOCK_PARSERS
from node_observability.parsers.lint.finding import Finding, error, warning
from node_observability.parsers.model.definitions import BUILT_IN_MULTILINE, Definitions
from node_observability.parsers.model.parser import Parser

__all__ = ["check_references", "stock_parser_places"]

# With an undefined parser under one of these keys, or in one of these plugins, Fluent Bit does not start.
_REQUIRED_KEYS = ("multiline.parser", "parser_firstline", "regex_parser")
_REQUIRED_IN = ("docker_events", "stdin", "syslog", "tcp")
_KEYS = ("parser", "docker_mode_parser", "merge_parser", *_REQUIRED_KEYS)
# Each pipeline of this project loads all parsers of fluentbit/parsers.yaml and uses those of its switches.
_OUR_PREFIX = "nodeobs_"
_JUNK = (b"", b"\x01junk", b"{", b"2016 a b c")


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a parser's name."""

    section: Section
    property: Property
    name: str
    is_multiline: bool


def check_references(configuration: Configuration, definitions: Definitions) -> Iterator[Finding]:
    """Yield a finding for each parser that is undefined, unused or unreachable."""
    uses = list(_uses(configuration))
    yield from _undefined(configuration, definitions, uses)
    yield from _undefined_in_multiline(configuration, definitions)
    yield from _unused(configuration, definitions, uses)
    yield from _unreachable(definitions, uses)


def stock_parser_places(configuration: Configuration) -> set[Place]:
    """Return the places of the parsers in copies of Fluent Bit's own ``parsers.conf``, of any version.

    A file that defines at least half of the stock names is such a copy: nobody uses all of its parsers.
    """
    by_file: dict[str, list[Section]] = {}
    for section in configuration.sections_of("parser"):
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
            if key == "multiline.parser":
                for name in filter(None, map(str.strip, item.value.split(","))):
                    yield _Use(section, item, name, is_multiline=True)
            elif key in _KEYS or (key.startswith("parser_") and key[7:].isdigit()):
                yield _Use(section, item, item.value, is_multiline=False)
        yield from _default_of_syslog(section)


def _default_of_syslog(section: Section) -> Iterator[_Use]:
    plugin = section.find("name")
    is_syslog = section.kind == "input" and plugin and plugin.value.lower() == "syslog"
    if plugin and is_syslog and not section.find("parser"):
        is_network = section.value("mode").lower() in ("tcp", "udp")
        default = "syslog-rfc5424" if is_network else "syslog-rfc3164-local"
        yield _Use(section, plugin, default, is_multiline=False)


def _undefined(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    missing = [item.value for item in configuration.missing]
    sections = configuration.sections_of("multiline_parser")
    multiline = {
        *definitions.multiline,
        *BUILT_IN_MULTILINE,
        *(each.name.lower() for each in sections),
    }
    parsers = {*definitions.parsers, *definitions.unsupported}
    for use in uses:
        kind, known, name = "parser", parsers, use.name
        if use.is_multiline:
            kind, known, name = "multiline parser", multiline, use.name.lower()
        if name in known or "${" in use.name or (missing and use.name in STOCK_PARSERS):
            continue
        prevents_start = _prevents_start(
            use, [one for one in uses if one.section is use.section], known
        )
        effect = "does not start" if prevents_start else "logs one error and ships raw lines"
        text = f"the {kind} {use.name} is not defined"
        text += f" here; unless {', '.join(missing)} defines it," if missing else ":"
        text += f" Fluent Bit {effect}{_fix(use, known)}"
        is_error = not missing
        yield Finding(
            use.property.place, "undefined-parser", text, is_error, is_error and prevents_start
        )


def _undefined_in_multiline(
    configuration: Configuration, definitions: Definitions
) -> Iterator[Finding]:
    known = {*definitions.parsers, *definitions.unsupported}
    for section in configuration.sections_of("multiline_parser"):
        item = section.find("parser")
        if (
            item
            and item.value not in known
            and "${" not in item.value
            and not configuration.missing
        ):
            text = f"the parser {item.value} is not defined: Fluent Bit starts, and ends when"
            text += f" it uses {section.name}{close_to(item.value, sorted(known))}"
            yield error(item.place, "undefined-parser", text)


def _prevents_start(use: _Use, of_section: list[_Use], known: set[str]) -> bool:
    key, section = use.property.key.lower(), use.section
    if key in ("name", *_REQUIRED_KEYS) or key.startswith("parser_"):
        return True
    if section.kind == "input":
        return section.name.lower() in _REQUIRED_IN
    # A filter goes on with those of its parsers that are defined.
    is_chain = key == "parser"
    return is_chain and not any(one.name in known for one in of_section)


def _fix(use: _Use, known: set[str]) -> str:
    parts = [part.strip() for part in use.name.split(",")]
    if len(parts) > 1 and all(part in known for part in parts):
        if use.section.kind == "input":
            return "; an input takes one Parser only: use a filter parser for several"
        return f"; write {use.property.key} once for each of {', '.join(parts)}"
    return close_to(use.name, sorted(known))


def _unused(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    if not any(configuration.sections_of("input")):
        return
    used = {use.name for use in uses if not use.is_multiline}
    if any(read_switch(section.value("k8s-logging.parser")) for section in configuration.sections):
        # Pods name parsers in their annotations.
        used |= {section.name for section in configuration.sections_of("parser")}
    used |= {section.value("parser") for section in configuration.sections_of("multiline_parser")}
    used_multiline = {use.name.lower() for use in uses if use.is_multiline}
    stock = stock_parser_places(configuration)
    for name, place in definitions.places.items():
        if name.startswith(_OUR_PREFIX):
            continue
        if place not in stock and name not in used and name.lower() not in used_multiline:
            yield warning(place, "unused-parser", f"no input or filter uses the parser {name}")


def _unreachable(definitions: Definitions, uses: list[_Use]) -> Iterator[Finding]:
    by_section: dict[int, list[_Use]] = {}
    for use in uses:
        by_section.setdefault(id(use.section), []).append(use)
    for members in by_section.values():
        is_input = members[0].section.kind == "input"
        multiline = [use for use in members if use.is_multiline]
        chain = [use for use in members if use.property.key.lower() == "parser"]
        for use in chain if multiline else []:
            winner = f"multiline.parser at {multiline[0].property.place}"
            text = f"Fluent Bit ignores the parser {use.name}: {winner} takes precedence"
            yield _unreachable_error(use, text)
        yield from _unreachable_in_chain(definitions, multiline)
        if not is_input:
            yield from _unreachable_in_chain(definitions, chain)


def _unreachable_in_chain(definitions: Definitions, chain: list[_Use]) -> Iterator[Finding]:
    seen: set[str] = set()
    catch_all = ""
    for use in chain:
        if use.name in seen:
            yield _unreachable_error(use, f"the parser {use.name} is already in this chain")
        elif catch_all:
            text = f"Fluent Bit never tries the parser {use.name}: {catch_all} before it matches every line"
            yield _unreachable_error(use, text)
        seen.add(use.name)
        parser = definitions.parsers.get(use.name)
        if not use.is_multiline and parser and parser.pattern and _matches_everything(parser):
            catch_all = use.name


def _unreachable_error(use: _Use, text: str) -> Finding:
    return error(use.property.place, "unreachable-parser", text)


def _matches_everything(parser: Parser) -> bool:
    return all(parser.parse(line) is not None for line in _JUNK)
