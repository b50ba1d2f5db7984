"""Converts a YAML file to the classic format.

Guarantees the same sections with the same properties in the same order, and the comments directly above a
section; other comments are dropped. What the classic format does not have is an error with its line:
processors, an empty value, a text with a line break, parsers beside a pipeline.
"""

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import children, compose
from node_observability.parsers.configuration.conversion import (
    Conversion,
    comments_above,
    is_main,
    no_files,
    renamed,
)
from node_observability.parsers.configuration.multiline_rules import read_rules, split_rule
from node_observability.parsers.configuration.sections import (
    Configuration,
    Property,
    Section,
)
from node_observability.parsers.configuration.yaml_format import read_yaml

__all__ = ["to_classic"]

_NOT_CLASSIC = "can't be converted; the classic format has no equivalent"
# Sections that Fluent Bit reads from a file of their own only, and the setting that names it.
_OWN_FILES = {
    "parser": "Parsers_File",
    "multiline_parser": "Parsers_File",
    "plugins": "Plugins_File",
    "stream_task": "Streams_File",
}


def to_classic(text: str, file: str) -> Conversion:
    """Return a YAML file in the classic format.

    Raises:
        UsageError: it can't be read, or has what the classic format does not have.
    """
    configuration = Configuration(file)
    for root in compose(text, file):
        _check_texts(root, file)
    read_yaml(text, file, configuration, no_files)
    _check(configuration)
    comments = comments_above(text)
    lines = [
        f"@SET {name}={_variable(name, value, configuration.variable_places[name])}"
        for name, value in configuration.variables.items()
    ]
    names = [
        (item.value, renamed(item.value, (".yaml", ".yml"), ".conf"))
        for item in configuration.missing
    ]
    blocks: list[tuple[int, str, list[str]]] = []
    for include, (_, new) in zip(configuration.missing, names, strict=True):
        block = [*_above(include, comments), f"@INCLUDE {new}"]
        blocks.append((include.place.line, "include", block))
    for section in configuration.sections:
        # The mapping of a service begins on the line after its key.
        above = comments.get(section.place.line - (section.kind == "service"), [])
        blocks.append((section.place.line, section.kind, [*above, *_lines(section)]))
    last = "include"
    # Fluent Bit reads an included file at its place, so the order of filters depends on it.
    for _, kind, block in sorted(blocks, key=lambda block: block[0]):
        if lines and (kind, last) != ("include", "include"):
            lines.append("")
        lines += block
        last = kind
    return Conversion("\n".join([*lines, ""]), tuple(names))


def _above(include: Property, comments: dict[int, list[str]]) -> list[str]:
    line = include.place.line
    return [*comments.get(line - 1, []), *comments.get(line, [])]


def _lines(section: Section) -> list[str]:
    lines = _section(section.kind, section.properties)
    if section.kind == "multiline_parser":
        lines += _rules(section)
    if section.kind == "upstream":
        for group in section.groups:
            lines += ["", *_section("node", group.properties)]
    return lines


def _check_texts(node: yaml.Node, file: str) -> None:
    """Refuse texts that the classic format would read as another key or section."""
    if isinstance(node, yaml.ScalarNode) and len(f"{node.value.strip()}|".splitlines()) > 1:
        place = Place(file, node.start_mark.line + 1)
        raise place.error(f"{node.value!r:.60} has a line break and {_NOT_CLASSIC}")
    for child in children(node):
        _check_texts(child, file)


def _check(configuration: Configuration) -> None:
    problems: list[str] = []
    for item in configuration.yaml_only:
        problems += item.place.error(f"{item.key} {_NOT_CLASSIC}").problems
    for item in configuration.ignored:
        problems += item.place.error(
            f"Fluent Bit ignores this entry of {item.key}; remove it"
        ).problems
    seen: set[str] = set()
    for section in configuration.sections:
        problem = ""
        if not section.kind:
            problem = "Fluent Bit ignores it; correct its name or remove it"
        elif section.kind == "upstream" and "upstream" in seen:
            problem = "the classic format has one per file"
        elif section.kind in _OWN_FILES and is_main(configuration):
            setting = _OWN_FILES[section.kind]
            problem = f"it must be in a file of its own, which {setting} names; move it there first"
        if problem:
            text = f"{section.title} can't be converted: {problem}"
            problems += section.place.error(text).problems
        seen.add(section.kind)
    if problems:
        raise UsageError(*problems)


def _variable(name: str, value: str, place: Place) -> str:
    if (
        not name.strip()
        or name != name.strip()
        or "=" in name
        or value != value.strip()
        or not value
    ):
        text = f"env: the variable {name!r} with the value {value!r} {_NOT_CLASSIC}"
        raise place.error(text)
    return value


def _section(kind: str, properties: list[Property]) -> list[str]:
    width = max((len(item.key) for item in properties), default=0)
    return [f"[{kind.upper()}]", *(_property(item, width) for item in properties)]


def _property(item: Property, width: int) -> str:
    key, value = item.key, item.value
    if not key or any(map(str.isspace, key)) or key[0] in "#[@":
        raise item.place.error(f"the key {key!r} {_NOT_CLASSIC}")
    if value != value.strip():
        raise item.place.error(f"{key}: {value!r} begins or ends with a space and {_NOT_CLASSIC}")
    if not value:
        raise item.place.error(f"{key}: {value!r} is empty and {_NOT_CLASSIC}")
    if "." not in key:
        key = "_".join(part[:1].upper() + part[1:] for part in key.split("_"))
    return f"    {key.ljust(width)} {value}"


def _rules(section: Section) -> list[str]:
    lines = []
    for rule in read_rules(section)[: len(section.groups)]:
        parts = [rule.state, rule.regex, rule.next_state or ""]
        line = " ".join('"' + part.replace('"', '\\"') + '"' for part in parts)
        if split_rule(line) != parts:
            raise rule.place.error(
                f"the rule {line} {_NOT_CLASSIC}: its quotes would be read otherwise"
            )
        lines.append(f"    Rule {line}")
    return lines
