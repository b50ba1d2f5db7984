"""Converts a file of the classic format, which is deprecated at the end of 2026, to YAML.

Guarantees the same sections with the same properties in the same order: a repeated key is repeated, which
Fluent Bit reads in order, where a list would group the values. Comments stay with the line below them; those
after the last key of the file stand at its end. What YAML does not have is an error with its line.
"""

import re
from collections.abc import Iterator

from node_observability.errors import UsageError
from node_observability.parsers.configuration.classic_format import OpenFiles, read_classic
from node_observability.parsers.configuration.conversion import (
    PIPELINE,
    Conversion,
    comments_above,
    is_main,
    no_files,
    renamed,
)
from node_observability.parsers.configuration.multiline_rules import read_rules
from node_observability.parsers.configuration.sections import Configuration, Property, Section

__all__ = ["to_yaml"]

_LISTS = {
    "custom": "customs",
    "parser": "parsers",
    "multiline_parser": "multiline_parsers",
    "plugins": "plugins",
    "stream_task": "stream_processor",
    "upstream": "upstream_servers",
    "input": "inputs",
    "filter": "filters",
    "output": "outputs",
}
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
# Line breaks, and what YAML does not allow as it is.
_ESCAPED = re.compile("[\0-\x08\n-\x1f\x7f-\xa0\u2028\u2029\ufeff]")


def to_yaml(text: str, file: str, open_files: OpenFiles = no_files) -> Conversion:
    """Return a classic file in the YAML format; ``open_files`` finds the files that it includes.

    Raises:
        UsageError: it can't be read, or has what YAML does not have.
    """
    configuration = Configuration(file)
    read_classic(text, file, configuration, no_files)
    _check(configuration)
    _check_services(configuration, open_files)
    comments = comments_above(text)
    variables = [
        number for number, line in enumerate(text.split("\n"), 1) if line[:5].lower() == "@set "
    ]
    writer = _Writer(comments, list(configuration.sections_of("service")))
    names = [
        (item.value, renamed(item.value, (".conf",), ".yaml")) for item in configuration.missing
    ]
    writer.write_variables(configuration, [comments.get(number, []) for number in variables])
    sections = configuration.sections
    # Fluent Bit reads an included file at its place, so the order of filters depends on it.
    for include, (_, new) in zip(configuration.missing, names, strict=True):
        before = [section for section in sections if section.place.line < include.place.line]
        writer.write_sections(before)
        sections = sections[len(before) :]
        writer.write_include(new, include)
    writer.write_sections(sections)
    writer.lines += comments.get(text.count("\n") + 2, [])
    return Conversion("\n".join([*writer.lines, ""]), tuple(names))


def _check_services(configuration: Configuration, open_files: OpenFiles) -> None:
    """Refuse a second service among the included files: Fluent Bit merges them in the classic format only."""
    first = next((one.place for one in configuration.sections_of("service")), None)
    for include in configuration.missing:
        for name, text, first_line in open_files(include.value, include.place) or []:
            included = Configuration(name)
            read_classic(text, name, included, open_files, first_line)
            for service in included.sections_of("service"):
                if first:
                    raise service.place.error(
                        f"a second [SERVICE] beside {first}, which YAML does not have; move its keys there"
                    )
                first = service.place


def _check(configuration: Configuration) -> None:
    """Refuse what YAML does not have, and what Fluent Bit would read in YAML only."""
    problems: list[str] = []
    for item in configuration.ignored:
        text = f"Fluent Bit ignores {item.key} {item.value}, and it can't be converted; remove it"
        problems += item.place.error(text).problems
    upstreams = 0
    for section in configuration.sections:
        upstreams += section.kind == "upstream"
        if problem := _problem(section, upstreams, is_main=is_main(configuration)):
            problems += section.place.error(
                f"[{section.title}] can't be converted: {problem}"
            ).problems
        for group in section.groups:
            text = (
                f"the group [{group.name}] can't be converted; the kit knows no such group in YAML"
            )
            problems += group.place.error(text).problems
    if problems:
        raise UsageError(*problems)


def _problem(section: Section, upstreams: int, *, is_main: bool) -> str:
    if not section.kind:
        return "Fluent Bit ignores such a section; correct its name or remove it"
    if section.title.lower() == "stream_task" and is_main:
        return "Fluent Bit ignores it in the main file; move it to a file that Streams_File names"
    if section.kind == "plugins" and any(item.key.lower() != "path" for item in section.properties):
        return "Fluent Bit ignores all keys but Path; remove them"
    if section.kind == "upstream" and upstreams > 1:
        return "Fluent Bit uses the first [UPSTREAM] of a file only; remove this one"
    if section.kind == "node" and not upstreams:
        return "there is no [UPSTREAM] above it; add one"
    return ""


class _Writer:
    """Writes sections as YAML, into ``lines``."""

    def __init__(self, comments: dict[int, list[str]], services: list[Section]) -> None:
        self.lines: list[str] = []
        self._comments = comments
        self._services = services
        # The mappings and lists that are open at the end of what is written.
        self._open: tuple[str, ...] = ()

    def _begin(self, *keys: str) -> str:
        """Begin a list or mapping, unless the last line is in it; return the indentation of its entries."""
        for depth, key in enumerate(keys):
            if self._open[: depth + 1] != keys[: depth + 1]:
                self.lines.append(f"{'  ' * depth}{key}:")
        self._open = keys
        return "  " * len(keys)

    def _comment(self, line: int, indent: str) -> None:
        self.lines += [f"{indent}{comment}" for comment in self._comments.get(line, [])]

    def write_variables(self, configuration: Configuration, comments: list[list[str]]) -> None:
        # A variable that is set twice has one entry, so all comments stand above the variables.
        self.lines += [comment for several in comments for comment in several]
        for name, value in configuration.variables.items():
            self.lines.append(f"{self._begin('env')}{_scalar(name)}: {_scalar(value)}")

    def write_include(self, name: str, include: Property) -> None:
        indent = self._begin("includes")
        self._comment(include.place.line, indent)
        self.lines.append(f"{indent}- {_scalar(name)}")

    def write_sections(self, sections: list[Section]) -> None:
        if any(section.kind == "service" for section in sections):
            self._write_services()
        for kind, name in _LISTS.items():
            members = [section for section in sections if section.kind == kind]
            nodes = [section for section in sections if section.kind == "node"]
            for section in members:
                keys = ("pipeline", name) if kind in PIPELINE else (name,)
                indent = self._begin(*keys)
                self._comment(section.place.line, indent)
                if kind == "plugins":
                    self._plugins(section, indent)
                elif kind == "multiline_parser":
                    self._multiline_parser(section, indent)
                else:
                    self._entry(section.properties, indent)
                    if kind == "upstream":
                        self._upstream_nodes(nodes, f"{indent}  ")

    def _write_services(self) -> None:
        # Fluent Bit merges several; in YAML it refuses a second one.
        for section in self._services:
            self._comment(section.place.line, "")
            indent = self._begin("service")
            self._properties(section.properties, indent)
        if self.lines[-1] == "service:":
            self.lines[-1] = "service: {}"
        self._services = []

    def _entry(self, properties: list[Property], indent: str) -> None:
        """Write one entry of a list; its first key stands beside the dash."""
        if not properties:
            self.lines.append(f"{indent}- {{}}")
            return
        self._comment(properties[0].place.line, indent)
        self.lines.append(f"{indent}- {_property(properties[0])}")
        self._properties(properties[1:], f"{indent}  ")

    def _properties(self, properties: list[Property], indent: str) -> None:
        for item in properties:
            self._comment(item.place.line, indent)
            self.lines.append(f"{indent}{_property(item)}")

    def _multiline_parser(self, section: Section, indent: str) -> None:
        rules = read_rules(section)
        parts = [(rule.state, rule.regex, rule.next_state or "") for rule in rules]
        # YAML's rules need all three, and lose spaces around them. Fluent Bit takes the classic line, too.
        if not all(part and part == part.strip() for rule in parts for part in rule):
            self._entry(section.properties, indent)
            return
        self._entry([item for item in section.properties if item.key.lower() != "rule"], indent)
        if rules:
            self.lines.append(f"{indent}  rules:")
        for rule, (state, regex, next_state) in zip(rules, parts, strict=True):
            self._comment(rule.place.line, f"{indent}    ")
            self.lines += [
                f"{indent}    - state: {_scalar(state)}",
                f"{indent}      regex: {_scalar(regex)}",
                f"{indent}      next_state: {_scalar(next_state)}",
            ]

    def _plugins(self, section: Section, indent: str) -> None:
        for item in section.properties:
            self._comment(item.place.line, indent)
            self.lines.append(f"{indent}- {_scalar(item.value)}")
        if self.lines[-1] == "plugins:":
            self.lines[-1] = "plugins: []"
            self._open = ()

    def _upstream_nodes(self, nodes: list[Section], indent: str) -> None:
        self.lines.append(f"{indent}nodes:")
        for node in nodes:
            self._comment(node.place.line, f"{indent}  ")
            self._entry(node.properties, f"{indent}  ")


def _property(item: Property) -> str:
    return f"{_scalar(item.key.lower())}: {_scalar(item.value)}"


def _scalar(value: str) -> str:
    # Plain where YAML reads the same text; otherwise in single quotes, within which nothing is special.
    if _PLAIN.fullmatch(value):
        return value
    if _ESCAPED.search(value):
        return '"' + "".join(_escaped(value)) + '"'
    return "'" + value.replace("'", "''") + "'"


def _escaped(value: str) -> Iterator[str]:
    for char in value:
        if char in '"\\':
            yield f"\\{char}"
        else:
            yield f"\\u{ord(char):04x}" if _ESCAPED.match(char) else char
