"""Reads Fluent Bit's YAML configuration format (``src/config_format/flb_cf_yaml.c``).

Guarantees the same sections as the classic format, with the line of each key, and an error with file and
line for what Fluent Bit refuses: an alias, a list where it expects a mapping, a second ``service``. A list
under a key counts as the key once for each item. A processor of an input or an output is a section
``processor``.
"""

from collections.abc import Callable

import yaml

from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import NodeReader, compose, first_alias
from node_observability.parsers.configuration.classic_format import OpenFiles
from node_observability.parsers.configuration.conditions import read_condition
from node_observability.parsers.configuration.sections import (
    Configuration,
    Group,
    Property,
    Section,
    kind_of,
)

__all__ = ["is_configuration", "read_yaml"]

_LISTS = {
    "parsers": "parser",
    "multiline_parsers": "multiline_parser",
    "stream_processor": "stream_task",
    "upstream_servers": "upstream",
    "customs": "custom",
}
_PIPELINE = {"inputs": "input", "filters": "filter", "outputs": "output"}
_GROUPS = {"multiline_parser": ("rules", "rule"), "upstream": ("nodes", "node")}
_SIGNALS = ("logs", "metrics", "traces")
# The keys by which a file is known; files of other programs may have plugins, too.
_TYPICAL = frozenset({*_LISTS, "pipeline", "service", "includes", "env"})


def is_configuration(node: yaml.Node) -> bool:
    """Return whether the document looks like a Fluent Bit configuration."""
    if not isinstance(node, yaml.MappingNode):
        return False
    keys = {str(key.value) for key, _ in node.value}
    return any(key.lower() in _TYPICAL for key in keys) and "apiVersion" not in keys


def _key(text: str) -> str:
    """Return a key as Fluent Bit stores it: camelCase is snake_case."""
    if not text[:1].islower() or "_" in text:
        return text
    return "".join(
        f"_{char.lower()}" if char.isascii() and char.isupper() else char for char in text
    )


class _Reader(NodeReader):
    """Adds the sections of one file to a configuration."""

    def __init__(
        self, file: str, first_line: int, into: Configuration, open_files: OpenFiles
    ) -> None:
        super().__init__(file, first_line)
        self._into = into
        self._open_files = open_files
        self._readers: dict[str, Callable[[yaml.Node], None]] = {
            "pipeline": self._read_pipeline,
            "service": self._read_service,
            "env": self._read_env,
            "includes": self._read_includes,
            "plugins": self._read_plugins,
            "extensions": self._skip_extensions,
        }

    def read_document(self, root: yaml.Node) -> None:
        for key, node in self.items(root, "a configuration"):
            name = self._text(key, "a section's name")
            if name.lower() in _LISTS:
                for item in self.sequence(node, name):
                    self._read_entry(_LISTS[name.lower()], item)
            elif read := self._readers.get(name.lower()):
                read(node)
            else:
                section = Section(kind_of(name), self.place(key), title=name)
                self._into.sections.append(section)
                for inner, value in self.items(node, f"{name}, which Fluent Bit does not know,"):
                    self._add_scalar(section.properties, inner, value)

    def _text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self.place(node).error(f"{what} must be a text, not a list or a mapping")
        return str(node.value)

    def _scalar(self, key: yaml.Node, value: yaml.Node) -> Property:
        name = self._text(key, "a key")
        text = self._text(value, name)
        if text and not text.strip():
            raise self.place(key).error(f"{name} has only spaces as its value; add a value")
        return Property(_key(name), text.strip(), self.place(key))

    def _add_scalar(self, into: list[Property], key: yaml.Node, value: yaml.Node) -> None:
        """Add a property outside of the pipeline, where Fluent Bit drops a value of spaces only."""
        name = self._text(key, "a key")
        text = self._text(value, name)
        item = Property(_key(name), text.strip(), self.place(key))
        (self._into.ignored if text and not item.value else into).append(item)

    def _read_service(self, node: yaml.Node) -> None:
        if self._into.has_service:
            raise self.place(node).error(
                "a second service, which Fluent Bit refuses; write one, also across included files"
            )
        self._into.has_service = True
        section = Section("service", self.place(node), title="service")
        for key, value in self.items(node, "service"):
            if str(key.value).lower() == "telemetry":
                self.items(value, "telemetry")
                self._skip("telemetry", key)
                continue
            self._add_scalar(section.properties, key, value)
        self._into.sections.append(section)

    def _skip_extensions(self, node: yaml.Node) -> None:
        self.items(node, "extensions")
        self._skip("extensions", node)

    def _skip(self, name: str, node: yaml.Node) -> None:
        self._into.yaml_only.append(Property(name, "", self.place(node)))

    def _read_env(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.SequenceNode):
            # Since 4.0: a list of name and value, or name and uri, whose file may be in the container.
            for item in node.value:
                pairs = self.items(item, "an entry of env")
                entry = {str(key.value).lower(): self._text(value, "env") for key, value in pairs}
                short = entry.keys() - {"value", "uri", "refresh_interval"}
                if "name" in entry and ("uri" in entry or "refresh_interval" in entry):
                    self._skip("uri", item)
                elif "name" in entry:
                    self._set_variable(entry["name"], entry.get("value", ""), item)
                elif short:
                    # NAME: VALUE; the first one counts.
                    name = next(str(key.value) for key, _ in pairs if key.value.lower() in short)
                    self._set_variable(name, entry[name.lower()], item)
                else:
                    self._into.ignored.append(Property("env", "", self.place(item)))
            return
        for variable, value in self.items(node, "env"):
            name = self._text(variable, "a variable")
            self._set_variable(name, self._text(value, name), variable)

    def _set_variable(self, name: str, value: str, node: yaml.Node) -> None:
        self._into.variables[name] = value
        self._into.variable_places[name] = self.place(node)

    def _read_pipeline(self, node: yaml.Node) -> None:
        for key, entries in self.items(node, "pipeline"):
            kind = _PIPELINE.get(str(key.value).lower())
            if kind is None:
                text = f"unknown key {key.value} of pipeline; use one of {', '.join(_PIPELINE)}"
                raise self.place(key).error(text)
            for entry in self.sequence(entries, str(key.value)):
                self._read_plugin(kind, entry)

    def _read_includes(self, node: yaml.Node) -> None:
        for item in self.sequence(node, "includes"):
            name = self._text(item, "an entry of includes")
            if name != name.strip():
                raise self.place(item).error(f"{name!r}: remove the spaces around the name")
            files = self._open_files(name, self.place(item))
            if files is None:
                self._into.missing.append(Property("includes", name, self.place(item)))
                continue
            for found, text, first_line in files:
                read_yaml(text, found, self._into, self._open_files, first_line)

    def _read_plugins(self, node: yaml.Node) -> None:
        section = Section("plugins", self.place(node), title="plugins")
        for item in self.sequence(node, "plugins"):
            path = self._text(item, "an entry of plugins")
            section.properties.append(Property("path", path, self.place(item)))
        self._into.sections.append(section)

    def _read_entry(self, kind: str, node: yaml.Node) -> None:
        """Read an entry of a list outside of the pipeline, whose values are texts."""
        if kind == "custom":
            self._read_plugin(kind, node)
            return
        list_key, group_name = _GROUPS.get(kind, ("", ""))
        section = Section(kind, self.place(node), title=kind)
        for key, value in self.items(node, f"an entry of {kind}"):
            if key.value != list_key:
                self._add_scalar(section.properties, key, value)
                continue
            for item in self.sequence(value, list_key):
                group = Group(group_name, self.place(item))
                for inner, text in self.items(item, f"an entry of {list_key}"):
                    group.properties.append(self._scalar(inner, text))
                section.groups.append(group)
        self._into.sections.append(section)

    def _read_plugin(self, kind: str, node: yaml.Node) -> None:
        section = Section(kind, self.place(node), title=kind)
        # Listed first, as its processors follow it.
        self._into.sections.append(section)
        for key, value in self.items(node, f"an entry of {kind}"):
            name = self._text(key, "a key")
            if isinstance(value, yaml.ScalarNode):
                section.properties.append(self._scalar(key, value))
            elif name == "routes" or (name == "telemetry" and kind == "input"):
                self._skip(name, key)
            elif name == "processors":
                self._skip(name, key)
                self._read_processors(value)
            elif isinstance(value, yaml.SequenceNode):
                if not value.value:
                    raise self.place(key).error(
                        f"{name} is an empty list, which Fluent Bit refuses"
                    )
                for item in value.value:
                    text = self._text(item, f"an entry of {name}")
                    section.properties.append(Property(_key(name), text, self.place(key)))
            else:
                raise self.place(key).error(f"{name} must be a text or a list of texts")

    def _read_processors(self, node: yaml.Node) -> None:
        for signal, units in self.items(node, "processors"):
            name = self._text(signal, "a key of processors")
            if name.lower() not in _SIGNALS:
                text = f"unknown key {name} of processors; use one of {', '.join(_SIGNALS)}"
                raise self.place(signal).error(text)
            for unit in self.sequence(units, name):
                section = Section("processor", self.place(unit), title="processor")
                for key, value in self.items(unit, f"an entry of {name}"):
                    if key.value == "condition":
                        section.groups += read_condition(self, value)
                        continue
                    for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                        if isinstance(item, yaml.ScalarNode):
                            place, text = self.place(key), str(item.value)
                            section.properties.append(Property(str(key.value), text, place))
                self._into.sections.append(section)


def read_yaml(
    text: str, file: str, into: Configuration, open_files: OpenFiles, first_line: int = 1
) -> None:
    """Add the sections of ``text`` to ``into``; ``first_line`` is the number of the text's first line.

    Raises:
        UsageError: the text is not YAML, or Fluent Bit refuses it.
    """
    roots = compose(text, file, first_line)
    line = first_alias(text)
    if line is not None:
        raise Place(file, first_line + line).error(
            "an alias (*), which Fluent Bit refuses; write the value out"
        )
    for root in roots:
        _Reader(file, first_line, into, open_files).read_document(root)
