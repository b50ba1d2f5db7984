"""``parsers lint``: finds mistakes with which Fluent Bit does not start, or loses or spoils records.

With a mistyped parser name, Fluent Bit logs one error and ships raw lines from then on; with a mistyped group
or key, it logs nothing. Guarantees no error about what this configuration does not show: a missing file may
define a parser.
"""

import re
from collections.abc import Iterator

from node_observability.hints import close_to
from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import Configuration, Section, read_switch
from node_observability.parsers.configuration.stock import STOCK_PARSERS, is_stock_file
from node_observability.parsers.lint.finding import Finding, error, refusal, warning
from node_observability.parsers.lint.references import check_references, stock_parser_places
from node_observability.parsers.lint.startup import check_startup
from node_observability.parsers.model.definitions import BUILT_IN_MULTILINE, Definitions
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.model.types import parse_types

__all__ = ["lint"]

_SWITCHES = ("skip_empty_values", "time_keep", "time_strict", "time_system_timezone", "negate")
_KEYS = {
    "parser": "name format regex skip_empty_values time_key time_format time_keep time_strict time_offset"
    " time_zone time_system_timezone types logfmt_no_bare_keys decode_field decode_field_as",
    "multiline_parser": "name type match_string negate key_content key_pattern key_group parser"
    " flush_timeout rule rules",
}
_DIRECTIVES = "%aAbBcCdDeEFgGhHIjklLmMnOprRsStTuUVwWxXyYzZ"
_SECRETS = re.compile(r"passw|secret|shared_key|api_key|token$|bearer|aws_secret", re.IGNORECASE)
_NOT_SECRETS = ("kube_token_file", "tls.key_file")


def lint(configuration: Configuration, definitions: Definitions) -> list[Finding]:
    """Return the findings of a configuration, sorted by place."""
    found = [
        *check_startup(configuration),
        *_duplicates(configuration),
        *_stock_names(configuration),
        *check_references(configuration, definitions),
        *_secrets(configuration),
        *_missing_files(configuration),
        *_inherited_parsers(configuration),
    ]
    for section in configuration.sections_of("parser"):
        found += _mistyped(section)
        found += _time(section, definitions.parsers.get(section.name))
        found += _no_groups(section, definitions.parsers.get(section.name))
    for section in configuration.sections_of("multiline_parser"):
        found += _mistyped(section)
        found += _match_string(section)
    return sorted(set(found))


def _duplicates(configuration: Configuration) -> Iterator[Finding]:
    seen: dict[str, Place] = {}
    for section in configuration.sections_of("parser"):
        if section.name in seen:
            text = f"the parser {section.name} is already defined at {seen[section.name]}"
            yield refusal(
                section.place_of("name"), "duplicate-parser", f"{text}: Fluent Bit does not start"
            )
        seen.setdefault(section.name, section.place)
    # Fluent Bit uses the first multiline parser of a name, ignores its case, and logs nothing.
    seen = {}
    for section in configuration.sections_of("multiline_parser"):
        place, name = section.place_of("name"), section.name.lower()
        if name in BUILT_IN_MULTILINE:
            text = f"Fluent Bit uses its built-in multiline parser {name} instead of this one"
            yield error(place, "stock-name", f"{text}; choose another Name")
        elif name in seen:
            text = f"the multiline parser {section.name} is already defined at {seen[name]}"
            yield error(place, "duplicate-parser", f"{text}: Fluent Bit uses that one")
        seen.setdefault(name, section.place)


def _stock_names(configuration: Configuration) -> Iterator[Finding]:
    has_stock = any(
        item.value.rpartition("/")[2].startswith("parsers") for item in configuration.missing
    )
    own = set() if has_stock else stock_parser_places(configuration)
    for section in configuration.sections_of("parser"):
        if section.name in STOCK_PARSERS and section.place not in own:
            text = f"the parser {section.name} is also in Fluent Bit's own parsers.conf"
            text += ", which this configuration loads:" if has_stock else "; with both loaded,"
            text += " Fluent Bit does not start; choose another Name"
            place = section.place_of("name")
            yield Finding(place, "stock-name", text, is_error=has_stock, prevents_start=has_stock)


def _mistyped(section: Section) -> Iterator[Finding]:
    keys = _KEYS[section.kind].split()
    for item in section.properties:
        key = item.key.lower()
        if key not in keys:
            text = f"unknown key {item.key} of a {section.kind}, which Fluent Bit ignores"
            yield error(item.place, "unknown-key", text + close_to(key, keys))
        elif key in _SWITCHES and read_switch(item.value) is None and "${" not in item.value:
            text = f"{item.key}: {item.value} is neither On nor Off; Fluent Bit reads it as On"
            yield error(item.place, "mistyped-value", text)
        elif key == "types":
            for word in parse_types(item.value)[1]:
                text = f"Types: {word} is not valid; write KEY:TYPE with integer, float, bool, hex or string"
                yield error(item.place, "mistyped-value", text)


def _time(section: Section, parser: Parser | None) -> Iterator[Finding]:
    time_format = section.find("time_format")
    if time_format is None:
        if key := section.find("time_key"):
            text = f"Time_Key {key.value} has no effect without Time_Format"
            yield error(
                key.place, "time-without-format", f"{text}: records get the time of reading"
            )
        return
    for letter in re.findall(r"%[EO]*(.)", time_format.value):
        if letter not in _DIRECTIVES:
            text = f"Time_Format: Fluent Bit does not know %{letter}, so no time ever matches"
            yield error(time_format.place, "time-format", text)
    if parser and parser.pattern and parser.time_key not in parser.pattern.names:
        groups = ", ".join(parser.pattern.names) or "none"
        text = f"the Regex of {parser.name} has no group {parser.time_key} (groups: {groups})"
        text += (
            f": records get the time of reading{close_to(parser.time_key, parser.pattern.names)}"
        )
        yield error(section.place_of("regex"), "no-time-group", text)


def _no_groups(section: Section, parser: Parser | None) -> Iterator[Finding]:
    if parser and parser.pattern and not parser.pattern.names:
        text = f"the Regex of {parser.name} has no named group, so it never matches"
        yield error(section.place_of("regex"), "no-groups", text)


def _match_string(section: Section) -> Iterator[Finding]:
    kind = section.value("type").lower()
    if kind in ("endswith", "equal", "eq") and not section.find("match_string"):
        text = f"{section.name} has Type {kind} but no Match_String: Fluent Bit starts, and ends"
        yield error(section.place, "missing-option", f"{text} when it uses {section.name}; add it")


def _missing_files(configuration: Configuration) -> Iterator[Finding]:
    for item in configuration.missing:
        if not is_stock_file(item.value):
            text = (
                f"{item.key}: {item.value.strip()} does not exist here, so its parsers are unknown"
            )
            yield warning(item.place, "missing-file", text)


def _inherited_parsers(configuration: Configuration) -> Iterator[Finding]:
    above: dict[str, str] = {}
    for section in configuration.sections_of("multiline_parser"):
        parser = section.value("parser")
        if not parser and (inherited := above.get(section.origin)):
            text = f"{section.name} has no Parser, so Fluent Bit gives it {inherited}, from a section above"
            yield warning(
                section.place, "inherited-parser", f"{text}; move this section to the top"
            )
        above[section.origin] = parser or above.get(section.origin, "")


def _secrets(configuration: Configuration) -> Iterator[Finding]:
    for section in configuration.sections_of("output"):
        for item in section.properties:
            is_secret = _SECRETS.search(item.key) and item.key.lower() not in _NOT_SECRETS
            if is_secret and "${" not in item.value:
                text = f"the value of {item.key} is in the file; read it from the environment with ${{NAME}}"
                yield warning(item.place, "secret-in-file", text)
