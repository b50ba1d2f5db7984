"""Converts a file between the classic and the YAML format; classic is deprecated at the end of 2026.

Guarantees the same sections with the same properties in the same order, and the comments directly above a
section. Other comments are dropped. What only one format has is an error: ``rule`` and ``rules`` of multiline
parsers, processors, a list under ``env``, texts with line breaks.
"""

import re
from collections.abc import Iterator

import yaml

from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import children, compose
from node_observability.parsers.configuration.classic_format import read_classic
from node_observability.parsers.configuration.sections import Configuration, Property, Section
from node_observability.parsers.configuration.yaml_format import read_yaml

__all__ = ["to_classic", "to_yaml"]

_PIPELINE = {"input": "inputs", "filter": "filters", "output": "outputs"}
_TOP = {"parser": "parsers", "multiline_parser": "multiline_parsers"}
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ ]*")
_ENDINGS = (".conf", ".yaml")
_NOT_CLASSIC = "can't be converted; the classic format has no equivalent"


def _no_files(_name: str, _place: Place) -> None:
    return None


def _comments(text: str) -> dict[int, list[str]]:
    """Return the comments directly above a line, by the number of that line."""
    found: dict[int, list[str]] = {}
    pending: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("#"):
            pending.append(line.strip())
        else:
            if pending:
                found[number] = pending
            pending = []
    return found


def _renamed(name: str, endings: tuple[str, str]) -> str:
    old, new = endings
    return name.removesuffix(old) + new if name.endswith(old) else name


def to_yaml(text: str, file: str) -> str:
    """Return a classic file in the YAML format.

    Raises:
        UsageError: it can't be read, or has what YAML does not have.
    """
    configuration = Configuration(file)
    read_classic(text, file, configuration, _no_files)
    comments, lines = _comments(text), []
    if configuration.variables:
        variables = configuration.variables.items()
        lines += ["env:", *(f"  {name}: {_yaml_scalar(value)}" for name, value in variables)]
    if configuration.missing:
        names = (_renamed(item.value, _ENDINGS) for item in configuration.missing)
        lines += ["includes:", *(f"  - {name}" for name in names)]
    for kind, sections in _by_kind(configuration):
        if kind == "service":
            lines += comments.get(sections[0].place.line, [])
            lines += ["service:", *_yaml_properties(sections[0], "  ")]
            continue
        if kind in _PIPELINE and "pipeline:" not in lines:
            lines.append("pipeline:")
        indent = "  " if kind in _TOP else "    "
        lines.append(f"{indent[2:]}{_TOP.get(kind) or _PIPELINE[kind]}:")
        for section in sections:
            lines += [f"{indent}{comment}" for comment in comments.get(section.place.line, [])]
            entries = list(_yaml_properties(section, f"{indent}  ")) or ["{}"]
            lines += [f"{indent}- {entries[0].strip()}", *entries[1:]]
    return "\n".join([*lines, ""])


def _by_kind(configuration: Configuration) -> Iterator[tuple[str, list[Section]]]:
    for kind in ("service", *_TOP, *_PIPELINE):
        if sections := list(configuration.sections_of(kind)):
            yield kind, sections


def _yaml_properties(section: Section, indent: str) -> Iterator[str]:
    if rule := section.find("rule"):
        raise rule.place.error("rule can't be converted; write it under rules by hand")
    for key in dict.fromkeys(item.key.lower() for item in section.properties):
        values = [item.value for item in section.find_all(key)]
        if len(values) == 1:
            value = _renamed(values[0], _ENDINGS) if key == "parsers_file" else values[0]
            yield f"{indent}{key}: {_yaml_scalar(value)}"
        else:
            yield f"{indent}{key}:"
            yield from (f"{indent}  - {_yaml_scalar(value)}" for value in values)


def _yaml_scalar(value: str) -> str:
    # Plain where YAML reads the same text; otherwise in single quotes, within which nothing is special.
    if _PLAIN.fullmatch(value) and not value.endswith(" "):
        return value
    return "'" + value.replace("'", "''") + "'"


def to_classic(text: str, file: str) -> str:
    """Return a YAML file in the classic format.

    Raises:
        UsageError: it can't be read, or has what the classic format does not have.
    """
    configuration = Configuration(file)
    for root in compose(text, file):
        _check_is_classic(root, file)
    read_yaml(text, file, configuration, _no_files)
    comments, endings = _comments(text), _ENDINGS[::-1]
    lines = [f"@SET {name}={value}" for name, value in configuration.variables.items()]
    if configuration.missing:
        lines += comments.get(configuration.missing[0].place.line - 1, [])
    lines += [f"@INCLUDE {_renamed(item.value, endings)}" for item in configuration.missing]
    for section in configuration.sections:
        if lines:
            lines.append("")
        # The mapping of a service begins on the line after its key.
        lines += comments.get(section.place.line - (section.kind == "service"), [])
        lines.append(f"[{section.kind.upper()}]")
        width = max((len(item.key) for item in section.properties), default=0)
        lines += [_classic_property(item, width) for item in section.properties]
    return "\n".join([*lines, ""])


def _classic_property(item: Property, width: int) -> str:
    key, value = item.key, item.value
    if not key or any(map(str.isspace, key)) or key[0] in "#[@":
        raise item.place.error(f"the key {key!r} {_NOT_CLASSIC}")
    if value != value.strip():
        raise item.place.error(f"{key}: {value!r} begins or ends with a space and {_NOT_CLASSIC}")
    if not value:
        raise item.place.error(f"{key}: {value!r} is empty and {_NOT_CLASSIC}")
    if "." not in key:
        key = "_".join(part[:1].upper() + part[1:] for part in key.split("_"))
    if item.key.lower() == "parsers_file":
        value = _renamed(value, _ENDINGS[::-1])
    return f"    {key.ljust(width)} {value}"


def _check_is_classic(node: yaml.Node, file: str) -> None:
    """Refuse what the classic format does not have, or would read as another key or section."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            is_list = name.lower() == "env" and isinstance(value, yaml.SequenceNode)
            if is_list or name in ("processors", "rules"):
                what = "a list under env" if is_list else name
                raise Place(file, key.start_mark.line + 1).error(f"{what} {_NOT_CLASSIC}")
    elif isinstance(node, yaml.ScalarNode) and len(f"{node.value}|".splitlines()) > 1:
        place = Place(file, node.start_mark.line + 1)
        raise place.error(f"{node.value!r:.60} has a line break and {_NOT_CLASSIC}")
    for child in children(node):
        _check_is_classic(child, file)
