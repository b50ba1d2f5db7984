"""Reads Fluent Bit's YAML configuration format (``src/config_format/flb_cf_yaml.c``).

Guarantees the same sections as the classic format, with the line of each key. A list under a key counts as
the key once for each item. Like Fluent Bit, it ignores the case of section names, and unknown sections; a
section that looks like a typo is an error. A filter among the processors of an input or an output is a
section ``processor``. The rules of multiline parsers are not read.
"""

import yaml

from node_observability.hints import close_to
from node_observability.inputs.yaml_nodes import NodeReader, compose
from node_observability.parsers.configuration.classic_format import OpenFiles
from node_observability.parsers.configuration.sections import Configuration, Property, Section

__all__ = ["is_configuration", "read_yaml"]

_LISTS = {"parsers": "parser", "multiline_parsers": "multiline_parser"}
_PIPELINE = {"inputs": "input", "filters": "filter", "outputs": "output"}
_READ = frozenset({*_LISTS, "pipeline", "service", "includes", "env"})
_NOT_READ = frozenset({"customs", "extensions", "plugins", "upstream_servers", "stream_processor"})


def is_configuration(node: yaml.Node) -> bool:
    """Return whether the document looks like a Fluent Bit configuration."""
    if not isinstance(node, yaml.MappingNode):
        return False
    keys = {str(key.value) for key, _ in node.value}
    return any(key.lower() in _READ for key in keys) and "apiVersion" not in keys


class _Reader(NodeReader):
    """Adds the sections of one file to a configuration."""

    def __init__(
        self, file: str, first_line: int, into: Configuration, open_files: OpenFiles
    ) -> None:
        super().__init__(file, first_line)
        self._into = into
        self._open_files = open_files

    def read_document(self, root: yaml.Node) -> None:
        for key, node in self.items(root, "a configuration"):
            name = str(key.value).lower()
            if name in _LISTS:
                for item in self.sequence(node, name):
                    self._read_section(_LISTS[name], item)
            elif name == "pipeline":
                self._read_pipeline(node)
            elif name == "service":
                self._read_section("service", node)
            elif name == "env":
                self._read_env(node)
            elif name == "includes":
                self._read_includes(node)
            elif name not in _NOT_READ and (hint := close_to(name, sorted(_READ))):
                text = f"unknown section {key.value}, which Fluent Bit ignores{hint}"
                raise self.place(key).error(text)

    def _read_env(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.SequenceNode):
            # Since 4.0: a list of name and value, or name and uri, whose file may be in the container.
            for item in node.value:
                pairs = self.items(item, "an entry of env")
                entry = {str(key.value).lower(): str(value.value) for key, value in pairs}
                if "name" not in entry:
                    raise self.place(item).error("an entry of env has no name; add one")
                if "value" in entry:
                    self._into.variables[entry["name"]] = entry["value"]
            return
        for variable, value in self.items(node, "env"):
            self._into.variables[str(variable.value)] = str(value.value)

    def _read_pipeline(self, node: yaml.Node) -> None:
        for key, entries in self.items(node, "pipeline"):
            kind = _PIPELINE.get(str(key.value).lower())
            if kind is None:
                text = f"unknown key {key.value} of pipeline; use one of {', '.join(_PIPELINE)}"
                raise self.place(key).error(text)
            for entry in self.sequence(entries, str(key.value)):
                self._read_section(kind, entry)

    def _read_includes(self, node: yaml.Node) -> None:
        for item in self.sequence(node, "includes"):
            files = self._open_files(str(item.value), self.place(item))
            if files is None:
                self._into.missing.append(Property("includes", str(item.value), self.place(item)))
                continue
            for name, text, first_line in files:
                read_yaml(text, name, self._into, self._open_files, first_line)

    def _read_section(self, kind: str, node: yaml.Node) -> None:
        section = Section(kind, self.place(node))
        for key, value in self.items(node, f"an entry of {kind}"):
            nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for item in nodes:
                if isinstance(item, yaml.ScalarNode):
                    section.properties.append(Property(str(key.value), item.value, self.place(key)))
            if key.value == "processors" and isinstance(value, yaml.MappingNode):
                self._read_processors(value)
        self._into.sections.append(section)

    def _read_processors(self, node: yaml.Node) -> None:
        for signal, units in self.items(node, "processors"):
            for unit in self.sequence(units, str(signal.value)):
                self._read_section("processor", unit)


def read_yaml(
    text: str, file: str, into: Configuration, open_files: OpenFiles, first_line: int = 1
) -> None:
    """Add the sections of ``text`` to ``into``; ``first_line`` is the number of the text's first line.

    Raises:
        UsageError: the text is not YAML, or Fluent Bit refuses it.
    """
    for root in compose(text, file, first_line):
        _Reader(file, first_line, into, open_files).read_document(root)
