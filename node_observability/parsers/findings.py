"""``parsers lint``: what Fluent Bit starts with and nobody wants.

A mistyped parser name costs Fluent Bit one line of log, and it ships raw records from then on; a mistyped
group or key costs not even that. Guarantees no finding about what it can't see: a parser of a file that
is not there may exist.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from node_observability.parsers.casting import read_types
from node_observability.parsers.definitions import BUILT_IN_MULTILINE, Definitions
from node_observability.parsers.parser import Parser
from node_observability.parsers.sections import Configuration, Place, Property, Section, is_on
from node_observability.parsers.stock import STOCK_PARSERS, is_stock_file

__all__ = ["Finding", "lint"]

_PARSER_KEYS = (
    *("name", "format", "regex", "skip_empty_values", "time_key", "time_format", "time_keep"),
    *(
        "time_strict",
        "time_offset",
        "time_zone",
        "time_system_timezone",
        "types",
        "logfmt_no_bare_keys",
    ),
    *("decode_field", "decode_field_as"),
)
_MULTILINE_KEYS = (
    *(
        "name",
        "type",
        "match_string",
        "negate",
        "key_content",
        "key_pattern",
        "key_group",
        "parser",
    ),
    *("flush_timeout", "rule", "rules"),
)
_SWITCHES = ("skip_empty_values", "time_keep", "time_strict", "time_system_timezone", "negate")
_DIRECTIVES = "%aAbBcCdDeEFgGhHIjklLmMnOprRsStTuUVwWxXyYzZ"
_REFERENCES = ("parser", "multiline.parser", "parser_firstline", "docker_mode_parser")
_SECRETS = re.compile(r"passw|secret|shared_key|api_key|token$|bearer|aws_secret", re.IGNORECASE)
_SECRETS_NOT = ("kube_token_file", "tls.key_file")
_JUNK = (b"", b"\x01junk", b"{", b"2016 a b c")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. ``is_error``: data is lost or wrong, or Fluent Bit does not start; else a warning."""

    place: Place
    code: str
    text: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.place}: {'error' if self.is_error else 'warning'}: {self.text} [{self.code}]"


@dataclass(frozen=True, slots=True)
class _Use:
    """A place that names a parser."""

    section: Section
    reference: Property
    name: str
    is_multiline: bool


def lint(configuration: Configuration, definitions: Definitions) -> list[Finding]:
    """Return the findings of a configuration, by place."""
    uses = list(_uses(configuration))
    found = [
        *_duplicates(configuration),
        *_stock(configuration),
        *_undefined(configuration, definitions, uses),
        *_unused(configuration, definitions, uses),
        *_shadowed(definitions, uses),
        *_secrets(configuration),
        *_missing(configuration),
        *_inherited(configuration),
    ]
    for section in configuration.of("parser"):
        found += _mistyped(section, _PARSER_KEYS)
        found += _time(section, definitions.parsers.get(section.name))
        found += _unnamed(section, definitions.parsers.get(section.name))
    for section in configuration.of("multiline_parser"):
        found += _mistyped(section, _MULTILINE_KEYS)
    return sorted(set(found))


def _uses(configuration: Configuration) -> Iterator[_Use]:
    for section in configuration.sections:
        if section.kind not in ("input", "filter"):
            continue
        for item in section.properties:
            key = item.key.lower()
            if key in _REFERENCES or (key.startswith("parser_") and key[7:].isdigit()):
                for name in filter(None, map(str.strip, item.value.split(","))):
                    yield _Use(section, item, name, key == "multiline.parser")


def _close(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _duplicates(configuration: Configuration) -> Iterator[Finding]:
    for kind in ("parser", "multiline_parser"):
        seen: dict[str, Place] = {}
        for section in configuration.of(kind):
            if section.name in seen:
                text = f"{section.name} is defined before, at {seen[section.name]}; Fluent Bit does not start"
                yield Finding(section.place_of("name"), "duplicate-parser", text, is_error=True)
            seen.setdefault(section.name, section.place)


def _stock(configuration: Configuration) -> Iterator[Finding]:
    has_stock = any(
        item.value.rpartition("/")[2].startswith("parsers") for item in configuration.missing
    )
    for section in configuration.of("parser"):
        if section.name in STOCK_PARSERS:
            tail = (
                "which this configuration loads too; Fluent Bit does not start"
                if has_stock
                else ("and loading both ends Fluent Bit; choose a name of your own")
            )
            text = f"{section.name} is also a parser of Fluent Bit's own parsers.conf, {tail}"
            yield Finding(section.place_of("name"), "stock-name", text, is_error=has_stock)


def _undefined(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    absent = [item.value for item in configuration.missing]
    for use in uses:
        if use.is_multiline:
            known = [*definitions.multiline, *BUILT_IN_MULTILINE]
            known += [section.name for section in configuration.of("multiline_parser")]
        else:
            known = [*definitions.parsers, *definitions.unmodelled]
        if use.name in known or "${" in use.name:
            continue
        if absent and use.name in STOCK_PARSERS:
            continue
        kind = "multiline parser" if use.is_multiline else "parser"
        where = f" here, nor is {', '.join(absent)}" if absent else ""
        text = f"the {kind} {use.name} is not defined{where}{_close(use.name, known)}"
        effect = "" if use.is_multiline else "; Fluent Bit says so once and ships raw lines"
        yield Finding(use.reference.place, "undefined-parser", text + effect, is_error=not absent)


def _unused(
    configuration: Configuration, definitions: Definitions, uses: list[_Use]
) -> Iterator[Finding]:
    if not any(configuration.of("input")):
        return
    named = {use.name for use in uses}
    named |= {section.value("parser") for section in configuration.of("multiline_parser")}
    for name, place in definitions.places.items():
        if name not in named:
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
        yield from _behind(definitions, chain if members[0].section.kind == "filter" else [])
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


def _mistyped(section: Section, keys: tuple[str, ...]) -> Iterator[Finding]:
    for item in section.properties:
        key = item.key.lower()
        if key not in keys:
            text = f"{item.key} is no key of a {section.kind}; Fluent Bit ignores it{_close(key, list(keys))}"
            yield Finding(item.place, "unknown-key", text, is_error=True)
        elif key in _SWITCHES and is_on(item.value) is None and "${" not in item.value:
            text = f"{item.key} is On or Off, not {item.value}; Fluent Bit takes it for On"
            yield Finding(item.place, "mistyped-value", text, is_error=True)
        elif key == "types":
            for word in read_types(item.value)[1]:
                text = f"Types: {word} is no key:type of integer, float, bool, hex, string"
                yield Finding(item.place, "mistyped-value", text, is_error=True)


def _time(section: Section, parser: Parser | None) -> Iterator[Finding]:
    form = section.find("time_format")
    if form is None:
        if key := section.find("time_key"):
            text = f"Time_Key {key.value} without Time_Format has no effect: records are stamped when read"
            yield Finding(key.place, "time-without-format", text, is_error=True)
        return
    for letter in re.findall(r"%[EO]*(.)", form.value):
        if letter not in _DIRECTIVES:
            text = f"Time_Format: Fluent Bit does not know %{letter}, and the time never parses"
            yield Finding(form.place, "time-format", text, is_error=True)
    if parser and parser.pattern and parser.time_key not in parser.pattern.names:
        groups = ", ".join(parser.pattern.names) or "none"
        text = f"the Regex of {parser.name} has no group {parser.time_key} for the time (groups: {groups})"
        text += (
            f"{_close(parser.time_key, list(parser.pattern.names))}; records are stamped when read"
        )
        yield Finding(section.place_of("regex"), "no-time-group", text, is_error=True)


def _unnamed(section: Section, parser: Parser | None) -> Iterator[Finding]:
    if parser and parser.pattern and not parser.pattern.names:
        text = f"the Regex of {parser.name} has no named group, and never matches"
        yield Finding(section.place_of("regex"), "no-groups", text, is_error=True)


def _missing(configuration: Configuration) -> Iterator[Finding]:
    for item in configuration.missing:
        if is_stock_file(item.value):
            continue
        text = f"{item.key}: {item.value.strip()} is not here; what it defines is not looked at"
        yield Finding(item.place, "missing-file", text, is_error=False)


def _inherited(configuration: Configuration) -> Iterator[Finding]:
    above: dict[str, str] = {}
    for section in configuration.of("multiline_parser"):
        own = section.value("parser")
        if not own and (inherited := above.get(section.origin)):
            text = f"{section.name} has no Parser and gets {inherited}, that of the one above it"
            text += ": Fluent Bit does not forget it; put this one first"
            yield Finding(section.place, "inherited-parser", text, is_error=False)
        above[section.origin] = own or above.get(section.origin, "")


def _secrets(configuration: Configuration) -> Iterator[Finding]:
    for section in configuration.of("output"):
        for item in section.properties:
            is_secret = _SECRETS.search(item.key) and item.key.lower() not in _SECRETS_NOT
            if is_secret and "${" not in item.value:
                text = f"{item.key} is written out; take it from the environment, as ${{NAME}}"
                yield Finding(item.place, "secret-in-file", text, is_error=False)
