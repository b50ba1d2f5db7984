"""Reads Fluent Bit's YAML configuration form.

Guarantees the same sections as the classic form gives, with the line of each key. A list under a key is
that key once for each item. As in Fluent Bit (``src/config_format/flb_cf_yaml.c``), the case of a section's
name does not count and an unknown section is passed over, but for one that looks like a slip of the pen.
A filter among the processors of an input or an output is a section ``processor``. Rules of multiline
parsers are not looked into.
"""

import yaml

from node_observability.hints import close_to
from node_observability.inputs.yaml_nodes import NodeReader, compose
from node_observability.parsers.configuration.classic import Included
from node_observability.parsers.configuration.sections import (
    Configuration,
    Property,
    Section,
    broken,
)

__all__ = ["is_configuration", "read_yaml"]

_LISTS = {"parsers": "parser", "multiline_parsers": "multiline_parser"}
_PIPELINE = {"inputs": "input", "filters": "filter", "outputs": "output"}
_KNOWN = frozenset({*_LISTS, "pipeline", "service", "includes", "env"})
# What Fluent Bit has besides; nothing of it is read here.
_OTHER = frozenset({"customs", "extensions", "plugins", "upstream_servers", "stream_processor"})


def is_configuration(node: yaml.Node) -> bool:
    """Whether the document looks like a Fluent Bit configuration at all."""
    if not isinstance(node, yaml.MappingNode):
        return False
    keys = {str(key.value) for key, _ in node.value}
    return any(key.lower() in _KNOWN for key in keys) and "apiVersion" not in keys


class _Reader(NodeReader):
    def __init__(
        self, file: str, first_line: int, into: Configuration, open_file: Included
    ) -> None:
        super().__init__(file, first_line)
        self._into = into
        self._open_file = open_file

    def document(self, root: yaml.Node) -> None:
        for key, node in self.items(root, "a configuration"):
            name = str(key.value).lower()
            if name in _LISTS:
                for item in self.sequence(node, name):
                    self.section(_LISTS[name], item)
            elif name == "pipeline":
                self.pipeline(node)
            elif name == "service":
                self.section("service", node)
            elif name == "env":
                self.env(node)
            elif name == "includes":
                self.includes(node)
            elif name not in _OTHER and (hint := close_to(name, sorted(_KNOWN))):
                text = f"there is no section {key.value}, Fluent Bit passes over it{hint}"
                raise broken(self.place(key), text)

    def env(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.SequenceNode):
            # Since 4.0: a list of name and value, or name and uri, whose file may lie in the container.
            for item in node.value:
                pairs = self.items(item, "an entry of env")
                entry = {str(key.value).lower(): str(value.value) for key, value in pairs}
                if "name" not in entry:
                    raise broken(self.place(item), "an entry of env needs a name")
                if "value" in entry:
                    self._into.variables[entry["name"]] = entry["value"]
            return
        for variable, value in self.items(node, "env"):
            self._into.variables[str(variable.value)] = str(value.value)

    def pipeline(self, node: yaml.Node) -> None:
        for key, entries in self.items(node, "pipeline"):
            kind = _PIPELINE.get(str(key.value).lower())
            if kind is None:
                raise broken(
                    self.place(key), f"pipeline has no {key.value}; it has {', '.join(_PIPELINE)}"
                )
            for entry in self.sequence(entries, str(key.value)):
                self.section(kind, entry)

    def includes(self, node: yaml.Node) -> None:
        for item in self.sequence(node, "includes"):
            files = self._open_file(str(item.value), self.place(item))
            if files is None:
                self._into.missing.append(Property("includes", str(item.value), self.place(item)))
                continue
            for name, text, first_line in files:
                read_yaml(text, name, self._into, self._open_file, first_line)

    def section(self, kind: str, node: yaml.Node) -> None:
        section = Section(kind, self.place(node))
        for key, value in self.items(node, f"an entry of {kind}"):
            nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for item in nodes:
                if isinstance(item, yaml.ScalarNode):
                    section.properties.append(Property(str(key.value), item.value, self.place(key)))
            if key.value == "processors" and isinstance(value, yaml.MappingNode):
                self.processors(value)
        self._into.sections.append(section)

    def processors(self, node: yaml.Node) -> None:
        for signal, units in self.items(node, "processors"):
            for unit in self.sequence(units, str(signal.value)):
                self.section("processor", unit)


def read_yaml(
    text: str, file: str, into: Configuration, open_file: Included, first_line: int = 1
) -> None:
    """Add the sections of ``text`` to ``into``; ``first_line`` is the number of its first line in ``file``.

    Raises:
        UsageError: it is no YAML, or none of Fluent Bit's.
    """
    for root in compose(text, file, first_line):
        _Reader(file, first_line, into, open_file).document(root)
