"""Findings about sections and plugins: what Fluent Bit does not start with, or ignores."""

from collections.abc import Iterator

from node_observability.hints import close_to
from node_observability.parsers.configuration.sections import (
    Configuration,
    Section,
    read_switch,
    spelled_kind,
)
from node_observability.parsers.lint.finding import Finding, error, refusal
from node_observability.parsers.lint.option_values import LEVELS, bad_value, number
from node_observability.parsers.lint.plugin_options import check_plugins

__all__ = ["check_startup"]

_MAIN_KINDS = ("service", "custom", "input", "filter", "output")
_SECTIONS = ("SERVICE", "PARSER", "MULTILINE_PARSER", "CUSTOM", "INPUT", "FILTER", "OUTPUT")
_YAML_SECTIONS = (
    *(
        "service",
        "pipeline",
        "parsers",
        "multiline_parsers",
        "includes",
        "env",
        "customs",
        "plugins",
    ),
    *("upstream_servers", "stream_processor", "extensions"),
)
_SYNCS = ("normal", "full")
_MAX_PORT = 65535
# A page of memory on most nodes.
_SMALLEST_STACK_BYTES = 4096


def check_startup(configuration: Configuration) -> Iterator[Finding]:
    """Yield a finding for each section and option that Fluent Bit ignores or does not start with."""
    yield from _misplaced_parsers(configuration)
    yield from _ignored(configuration)
    for section in configuration.sections:
        if section.kind == "service":
            yield from _service(section)
    yield from check_plugins(configuration)


def _misplaced_parsers(configuration: Configuration) -> Iterator[Finding]:
    mains = {section.origin for section in configuration.sections if section.kind in _MAIN_KINDS}
    for section in configuration.sections:
        is_parser = spelled_kind(section.title) in ("parser", "multiline_parser")
        if section.is_classic and is_parser and section.origin in mains:
            text = f"[{section.title}] is in the main file, where Fluent Bit refuses it"
            text += "; move it to a file of its own, and name that in Parsers_File"
            yield refusal(section.place, "parser-in-main-file", text)


def _ignored(configuration: Configuration) -> Iterator[Finding]:
    for item in configuration.ignored:
        text = f"Fluent Bit ignores {item.key} {item.value}".rstrip()
        yield error(item.place, "ignored", f"{text}; correct or remove it")
    for item in configuration.misnamed:
        text = f"{item.key} {item.value} sets a variable whose name contains a space"
        yield error(item.place, "ignored", f"{text}; write it like @SET NAME=VALUE")
    for section in configuration.sections:
        # YAML files may have sections for anchors and for other tools.
        if not section.kind and section.is_classic:
            text = f"Fluent Bit ignores the section [{section.title}]"
            yield error(
                section.place,
                "unknown-section",
                text + close_to(section.title.strip().upper(), _SECTIONS),
            )
        elif not section.kind and (hint := close_to(section.title.lower(), _YAML_SECTIONS)):
            text = f"Fluent Bit ignores the section {section.title}{hint}"
            yield error(section.place, "unknown-section", text)


def _service(section: Section) -> Iterator[Finding]:
    for item in section.properties:
        if "${" in item.value:
            continue
        key = item.key.lower()
        if key == "log_level" and item.value.lower() not in LEVELS:
            yield bad_value(item, f"use one of {', '.join(LEVELS)}")
        elif key == "flush" and number(item.value) <= 0:
            yield bad_value(item, "use a number of seconds above 0")
        elif key == "storage.sync" and item.value.lower() not in _SYNCS:
            yield bad_value(item, f"use one of {', '.join(_SYNCS)}")
        elif key == "http_port" and read_switch(section.value("http_server")):
            if not (_is_digits(item.value) and 0 < int(item.value) <= _MAX_PORT):
                yield bad_value(item, f"use a number from 1 to {_MAX_PORT}")
        elif key == "coro_stack_size" and number(item.value) < _SMALLEST_STACK_BYTES:
            yield bad_value(item, f"use a number of bytes, at least {_SMALLEST_STACK_BYTES}")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
