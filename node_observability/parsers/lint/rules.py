"""``parsers lint``: what Fluent Bit starts with and nobody wants.

A mistyped parser name costs Fluent Bit one line of log, and it ships raw records from then on; a mistyped
group or key costs not even that. Guarantees no finding about what it can't see: a parser of a file that
is not there may exist.
"""

import re
from collections.abc import Iterator

from node_observability.hints import close_to
from node_observability.parsers.configuration.sections import Configuration, Place, Section, is_on
from node_observability.parsers.configuration.stock import STOCK_PARSERS, is_stock_file
from node_observability.parsers.lint.finding import Finding
from node_observability.parsers.lint.references import of_references, stock_copy
from node_observability.parsers.model.definitions import BUILT_IN_MULTILINE, Definitions
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.model.types import read_types

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
_SECRETS = re.compile(r"passw|secret|shared_key|api_key|token$|bearer|aws_secret", re.IGNORECASE)
_SECRETS_NOT = ("kube_token_file", "tls.key_file")


def lint(configuration: Configuration, definitions: Definitions) -> list[Finding]:
    """Return the findings of a configuration, by place."""
    found = [
        *_duplicates(configuration),
        *_stock(configuration),
        *of_references(configuration, definitions),
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


def _duplicates(configuration: Configuration) -> Iterator[Finding]:
    seen: dict[str, Place] = {}
    for section in configuration.of("parser"):
        if section.name in seen:
            text = f"{section.name} is defined before, at {seen[section.name]}; Fluent Bit does not start"
            yield Finding(section.place_of("name"), "duplicate-parser", text, is_error=True)
        seen.setdefault(section.name, section.place)
    # Of multiline parsers the first counts, and Fluent Bit says nothing. Their case does not count.
    seen = {}
    for section in configuration.of("multiline_parser"):
        place, name = section.place_of("name"), section.name.lower()
        if name in BUILT_IN_MULTILINE:
            text = f"{section.name} is built into Fluent Bit, which uses its own and never this one"
            yield Finding(place, "stock-name", f"{text}; choose another Name", is_error=True)
        elif name in seen:
            text = f"{section.name} is defined before, at {seen[name]}; Fluent Bit uses that one"
            yield Finding(place, "duplicate-parser", text, is_error=True)
        seen.setdefault(name, section.place)


def _stock(configuration: Configuration) -> Iterator[Finding]:
    has_stock = any(
        item.value.rpartition("/")[2].startswith("parsers") for item in configuration.missing
    )
    own = set() if has_stock else stock_copy(configuration)
    for section in configuration.of("parser"):
        if section.name in STOCK_PARSERS and section.place not in own:
            tail = (
                "which this configuration loads too; Fluent Bit does not start"
                if has_stock
                else ("and loading both ends Fluent Bit; choose a name of your own")
            )
            text = f"{section.name} is also a parser of Fluent Bit's own parsers.conf, {tail}"
            yield Finding(section.place_of("name"), "stock-name", text, is_error=has_stock)


def _mistyped(section: Section, keys: tuple[str, ...]) -> Iterator[Finding]:
    for item in section.properties:
        key = item.key.lower()
        if key not in keys:
            text = f"{item.key} is no key of a {section.kind}; Fluent Bit ignores it"
            text += close_to(key, list(keys))
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
        text += f"{close_to(parser.time_key, list(parser.pattern.names))}; records are stamped when read"
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
