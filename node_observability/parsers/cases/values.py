r"""Reads the values of case files: texts, bytes, records.

Guarantees one error for a value that no record has, with file and line: a time that is none, a tag that is
not known, a number that is no number.
"""

import re
from collections.abc import Callable

import yaml

from node_observability.hints import close_to
from node_observability.inputs.files import MAX_BYTES
from node_observability.inputs.yaml_nodes import NodeReader
from node_observability.parsers.configuration.sections import broken
from node_observability.parsers.model.types import Value

__all__ = ["Expected", "ValueReader", "normal"]

# What a case expects, as it stands in the file: a record, several, or the word ``unmatched``.
Expected = str | dict[str, Value] | list["Expected"]

_RECORD_KEYS = ("time", "fields", "unmatched", "lost")
_CONSTRUCTOR = yaml.constructor.SafeConstructor
_CONSTRUCTED: dict[str, Callable[..., Value]] = {
    "tag:yaml.org,2002:int": _CONSTRUCTOR.construct_yaml_int,
    "tag:yaml.org,2002:float": _CONSTRUCTOR.construct_yaml_float,
    "tag:yaml.org,2002:bool": _CONSTRUCTOR.construct_yaml_bool,
    "tag:yaml.org,2002:null": _CONSTRUCTOR.construct_yaml_null,
}
# Plain words that YAML takes for something else, and which are text here.
_TEXTS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "timestamp", "merge", "value")
) | frozenset(_CONSTRUCTED)
_COUNT = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)"
    r"(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_NOW = "now"


def normal(text: str) -> str:
    """Return a time as a record's is written, with nine digits and a zone; any other text as it stands."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    zone = "Z" if found[4] in (None, "+00:00", "-00:00") else found[4]
    return f"{found[1]}T{found[2]}.{(found[3] or '').ljust(9, '0')}{zone}"


class ValueReader(NodeReader):
    """Reads the nodes of one case file. What runs of ``!join`` come to is bounded for the whole file."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._room_bytes = MAX_BYTES

    def mapping(self, node: yaml.Node, what: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        """Return the nodes of a mapping by key.

        Raises:
            UsageError: it is none, or has a key that is not among ``keys``, or one twice.
        """
        found: dict[str, yaml.Node] = {}
        for key, value in self.items(node, what):
            if not isinstance(key, yaml.ScalarNode):
                raise broken(self.place(key), f"a key of {what} must be a text")
            if key.value not in keys:
                hint = close_to(str(key.value), keys) or f"; it has {', '.join(keys)}"
                raise broken(self.place(key), f"{key.value} is no key of {what}{hint}")
            if key.value in found:
                raise broken(self.place(key), f"{key.value} stands twice in {what}")
            found[key.value] = value
        return found

    def string(self, node: yaml.Node | None, what: str) -> str:
        """Return a text, empty for no node.

        Raises:
            UsageError: it is a list or a mapping.
        """
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise broken(self.place(node), f"{what} must be a text")
        return str(node.value)

    def data(self, node: yaml.Node, what: str) -> bytes:
        """Return the bytes of a text, of ``!bytes`` or of ``!join``.

        Raises:
            UsageError: it is none of these.
        """
        if node.tag == "!join":
            return b"".join(self._part(item) for item in self.sequence(node, what))
        if isinstance(node, yaml.ScalarNode):
            if node.tag != "!bytes" and node.tag not in _TEXTS:
                raise broken(
                    self.place(node), f"{what}: {node.tag} is no tag here; !bytes and !join are"
                )
            try:
                return str(node.value).encode("latin-1" if node.tag == "!bytes" else "utf-8")
            except UnicodeEncodeError:
                place = self.place(node)
                raise broken(
                    place, f"{what}: !bytes takes the characters \\x00 to \\xff only"
                ) from None
        raise broken(self.place(node), f"{what} must be a text")

    def _part(self, node: yaml.Node) -> bytes:
        if isinstance(node, yaml.SequenceNode) and node.tag != "!join":
            items = [self.string(item, "a part of !join") for item in node.value]
            if len(items) != 2 or not _COUNT.fullmatch(items[1]):  # noqa: PLR2004 - a text and a number
                raise broken(self.place(node), "a repeated part of !join is [text, count]")
            text, count = items[0].encode(), int(items[1])
            self._room_bytes -= len(text) * count
            if self._room_bytes < 0:
                limit = f"{MAX_BYTES >> 20} MiB"
                raise broken(self.place(node), f"!join makes more than {limit} of this file")
            return text * count
        return self.data(node, "a part of !join")

    def _value(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.MappingNode):
            return self._fields(node)
        if isinstance(node, yaml.SequenceNode) and node.tag != "!join":
            return [self._value(item) for item in node.value]
        construct = _CONSTRUCTED.get(node.tag)
        if construct is None:
            return self.data(node, "a value")
        try:
            return construct(_CONSTRUCTOR(), node)
        except (ValueError, KeyError, IndexError):
            kind = node.tag.rpartition(":")[2]
            raise broken(self.place(node), f"{node.value!r:.80} is no {kind}") from None

    def _fields(self, node: yaml.Node) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, item in self.items(node, "fields"):
            name = self.string(key, "a key of fields")
            if name in found:
                raise broken(self.place(key), f"{name} stands twice in fields")
            found[name] = self._value(item)
        return found

    def _time(self, node: yaml.Node) -> bytes:
        text = self.string(node, "time")
        if text != _NOW and not _TIME.fullmatch(text):
            example = "2016-10-06T09:17:09.5+09:00"
            raise broken(self.place(node), f"time is {_NOW} or like {example}, not {text!r:.80}")
        return text.encode()

    def expected(self, node: yaml.Node) -> Expected:
        """Return what a case expects.

        Raises:
            UsageError: it is no record.
        """
        if isinstance(node, yaml.SequenceNode):
            return [self.expected(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            if node.value != "unmatched":
                raise broken(
                    self.place(node), f"expected is a record or unmatched, not {node.value!r}"
                )
            return "unmatched"
        entries = self.mapping(node, "a record", _RECORD_KEYS)
        return self._record(node, entries)

    def _record(self, node: yaml.Node, entries: dict[str, yaml.Node]) -> dict[str, Value]:
        if "unmatched" in entries:
            if len(entries) > 1:
                raise broken(self.place(node), "a record that is unmatched has nothing else")
            return {"unmatched": self.data(entries["unmatched"], "unmatched")}
        if "fields" not in entries or ("time" in entries) == ("lost" in entries):
            raise broken(
                self.place(node), "a record has fields, and a time, or lost: true; or unmatched"
            )
        record: dict[str, Value] = {}
        for key, item in entries.items():
            if key == "time":
                record[key] = self._time(item)
            elif key == "fields":
                record[key] = self._fields(item)
            elif self._value(item) is True:
                record[key] = True
            else:
                raise broken(self.place(item), "lost is true, or is not said")
        return record
