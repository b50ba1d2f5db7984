"""Writes a file of one configuration form in the other: classic is deprecated at the end of 2026.

Guarantees the same sections with the same properties in the same order, and each comment line that stands
above a section. Not here: what only one form has (``rule`` of multiline parsers, processors, ``@SET`` in
the middle), which is refused by name, and comments elsewhere.
"""

import re

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.yaml_nodes import children, compose
from node_observability.parsers.configuration.classic import read_classic
from node_observability.parsers.configuration.sections import (
    Configuration,
    Place,
    Property,
    Section,
    broken,
)
from node_observability.parsers.configuration.yaml_form import read_yaml

__all__ = ["to_classic", "to_yaml"]

_PIPELINE = {"input": "inputs", "filter": "filters", "output": "outputs"}
_TOP = {"parser": "parsers", "multiline_parser": "multiline_parsers"}
# Keys that may stand twice; in YAML they are a list.
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ ]*")


def _no_files(_name: str, _place: Place) -> None:
    return None


def _comments(text: str) -> dict[int, list[str]]:
    """Return the comment lines right above each line that has some, by that line's number."""
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


def to_yaml(text: str, file: str) -> str:
    """Return the classic file in YAML.

    Raises:
        UsageError: it can't be read, or has what YAML has not.
    """
    into = Configuration(file)
    read_classic(text, file, into, _no_files)
    comments, lines = _comments(text), []
    for name, value in into.variables.items():
        lines += ["env:"] if "env:" not in lines else []
        lines.append(f"  {name}: {_scalar(value)}")
    if into.missing:
        lines += [
            "includes:",
            *(f"  - {_renamed(item.value, '.conf', '.yaml')}" for item in into.missing),
        ]
    for kind, sections in _by_kind(into):
        _refuse_rules(sections)
        if kind == "service":
            lines += [f"{comment}" for comment in comments.get(sections[0].place.line, [])]
            lines += ["service:", *_entries(sections[0], "  ")]
            continue
        head = [f"{_TOP[kind]}:"] if kind in _TOP else [f"  {_PIPELINE[kind]}:"]
        if kind in _PIPELINE and "pipeline:" not in lines:
            lines.append("pipeline:")
        lines += head
        indent = "  " if kind in _TOP else "    "
        for section in sections:
            lines += [f"{indent}{comment}" for comment in comments.get(section.place.line, [])]
            entries = _entries(section, f"{indent}  ") or ["{}"]
            lines += [f"{indent}- {entries[0].strip()}", *entries[1:]]
    return "\n".join([*lines, ""])


def _by_kind(configuration: Configuration) -> list[tuple[str, list[Section]]]:
    kinds = ("service", *_TOP, *_PIPELINE)
    found = [(kind, list(configuration.of(kind))) for kind in kinds]
    return [(kind, sections) for kind, sections in found if sections]


def _refuse_rules(sections: list[Section]) -> None:
    for section in sections:
        if rule := section.find("rule"):
            raise UsageError(f"{rule.place}: rule is not converted; write it as rules by hand")


def _renamed(name: str, old: str, new: str) -> str:
    return name.removesuffix(old) + new if name.endswith(old) else name


def _entries(section: Section, indent: str) -> list[str]:
    lines: list[str] = []
    done: set[str] = set()
    for item in section.properties:
        key = item.key.lower()
        values = section.all(key)
        if key in done:
            continue
        done.add(key)
        if len(values) == 1:
            lines.append(
                f"{indent}{key}: {_scalar(_file_value(key, item.value, '.conf', '.yaml'))}"
            )
        else:
            lines += [
                f"{indent}{key}:",
                *(f"{indent}  - {_scalar(value.value)}" for value in values),
            ]
    return lines


def _file_value(key: str, value: str, old: str, new: str) -> str:
    return _renamed(value, old, new) if key == "parsers_file" else value


def _scalar(value: str) -> str:
    # Plain where YAML reads it as the same text; else in single quotes, in which nothing is special.
    if _PLAIN.fullmatch(value) and not value.endswith(" "):
        return value
    return "'" + value.replace("'", "''") + "'"


def to_classic(text: str, file: str) -> str:
    """Return the YAML file in the classic form.

    Raises:
        UsageError: it can't be read, or has what the classic form has not.
    """
    into = Configuration(file)
    for root in compose(text, file):
        _refuse_deep(root, file)
        _refuse_breaks(root, file)
    read_yaml(text, file, into, _no_files)
    comments, lines = _comments(text), []
    lines += [f"@SET {name}={value}" for name, value in into.variables.items()]
    if into.missing:
        lines += comments.get(into.missing[0].place.line - 1, [])
    lines += [f"@INCLUDE {_renamed(item.value, '.yaml', '.conf')}" for item in into.missing]
    for section in into.sections:
        if lines:
            lines.append("")
        # The mapping of a service begins on the line behind its key.
        lines += comments.get(section.place.line - (section.kind == "service"), [])
        lines.append(f"[{section.kind.upper()}]")
        width = max((len(item.key) for item in section.properties), default=0)
        lines += [_classic_line(item, width) for item in section.properties]
    return "\n".join([*lines, ""])


def _classic_line(item: Property, width: int) -> str:
    key = item.key
    if not key or any(map(str.isspace, key)) or key[0] in "#[@":
        raise broken(item.place, f"the key {key!r} can't be written in the classic form")
    if item.value != item.value.strip() or not item.value:
        text = f"{key}: {item.value!r} is empty, or begins or ends with a space"
        raise broken(item.place, f"{text}; the classic form can't hold that")
    if "." not in key:
        key = "_".join(part[:1].upper() + part[1:] for part in key.split("_"))
    value = _file_value(item.key.lower(), item.value, ".yaml", ".conf")
    return f"    {key.ljust(width)} {value}"


def _refuse_breaks(node: yaml.Node, file: str) -> None:
    """Refuse what would go on in a line of its own: the classic form would read a key or a section there."""
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        waiting += children(inner)
        if not isinstance(inner, yaml.ScalarNode):
            continue
        if len(str(inner.value).splitlines()) > 1 or str(inner.value).endswith(("\n", "\r")):
            place = Place(file, inner.start_mark.line + 1)
            text = f"{inner.value!r:.60} has a line break, which the classic form can't hold"
            raise broken(place, text)


def _refuse_deep(node: yaml.Node, file: str, depth: int = 0) -> None:
    # Sections are three levels deep: pipeline, inputs, a property. What is deeper is YAML's alone.
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        is_list_of_variables = key.value.lower() == "env" and isinstance(value, yaml.SequenceNode)
        if key.value in ("processors", "rules") or is_list_of_variables:
            what = "a list under env" if is_list_of_variables else key.value
            place = Place(file, key.start_mark.line + 1)
            raise UsageError(
                f"{place}: {what} is not converted; the classic form has nothing like it"
            )
        for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            _refuse_deep(item, file, depth + 1)
