r"""Reads the values of case files: texts, bytes, records.

Guarantees an error with file and line for a value that no record can have: an invalid time, an unknown tag,
an invalid number.
"""

import re
from collections.abc import Callable

import yaml

from node_observability.hints import close_to
from node_observability.inputs.files import MAX_BYTES
from node_observability.inputs.yaml_nodes import NodeReader
from node_observability.parsers.model.types import Value

__all__ = ["NOW", "UNMATCHED", "Expected", "ValueReader", "normalize_time"]

# What a case expects, as the file has it: a record, a list of records, or ``unmatched``.
Expected = str | dict[str, Value] | list["Expected"]
# The record is the whole line; the record's time is the time of reading.
UNMATCHED, NOW = "unmatched", "now"

_RECORD_KEYS = ("time", "fields", "unmatched", "lost")
_CONSTRUCTOR = yaml.constructor.SafeConstructor
_CONSTRUCTED: dict[str, Callable[..., Value]] = {
    "tag:yaml.org,2002:int": _CONSTRUCTOR.construct_yaml_int,
    "tag:yaml.org,2002:float": _CONSTRUCTOR.construct_yaml_float,
    "tag:yaml.org,2002:bool": _CONSTRUCTOR.construct_yaml_bool,
    "tag:yaml.org,2002:null": _CONSTRUCTOR.construct_yaml_null,
}
# The tags of plain words that are texts here, whatever YAML takes them for.
_TEXTS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "timestamp", "merge", "value")
) | frozenset(_CONSTRUCTED)
_COUNT = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)"
    r"(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)


def normalize_time(text: str) -> str:
    """Return a time with nine digits and a zone, as records have it; any other text is returned unchanged."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    zone = "Z" if found[4] in (None, "+00:00", "-00:00") else found[4]
    return f"{found[1]}T{found[2]}.{(found[3] or '').ljust(9, '0')}{zone}"


class ValueReader(NodeReader):
    """Reads the nodes of one case file. All runs of ``!join`` in a file have one limit."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._join_bytes_left = MAX_BYTES

    def mapping(self, node: yaml.Node, what: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        """Return the nodes of a mapping by key.

        Raises:
            UsageError: it is not a mapping, or has an unknown or a duplicate key.
        """
        found: dict[str, yaml.Node] = {}
        for key, value in self.items(node, what):
            name = self.string(key, f"a key of {what}")
            if name not in keys:
                hint = close_to(name, keys) or f"; use one of {', '.join(keys)}"
                raise self.place(key).error(f"unknown key {name} of {what}{hint}")
            if name in found:
                raise self.place(key).error(f"the key {name} stands twice in {what}")
            found[name] = value
        return found

    def string(self, node: yaml.Node | None, what: str) -> str:
        """Return a text, empty for no node.

        Raises:
            UsageError: it is a list or a mapping.
        """
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise self.place(node).error(f"{what} must be text")
        return str(node.value)

    def data(self, node: yaml.Node, what: str) -> bytes:
        """Return the bytes of a text, of ``!bytes`` or of ``!join``.

        Raises:
            UsageError: it is none of these.
        """
        if node.tag == "!join":
            return b"".join(self._join_part(item) for item in self.sequence(node, what))
        text = self.string(node, what)
        if node.tag != "!bytes" and node.tag not in _TEXTS:
            raise self.place(node).error(f"{what}: unknown tag {node.tag}; use !bytes or !join")
        try:
            return text.encode("latin-1" if node.tag == "!bytes" else "utf-8")
        except UnicodeEncodeError:
            problem = f"{what}: !bytes takes only the characters \\x00 to \\xff"
            raise self.place(node).error(problem) from None

    def _join_part(self, node: yaml.Node) -> bytes:
        if not isinstance(node, yaml.SequenceNode) or node.tag == "!join":
            return self.data(node, "a part of !join")
        items = [self.string(item, "a part of !join") for item in node.value]
        if len(items) != 2 or not _COUNT.fullmatch(items[1]):  # noqa: PLR2004 - a text and a number
            raise self.place(node).error("a repeated part of !join must be [TEXT, COUNT]")
        text, count = items[0].encode(), int(items[1])
        self._join_bytes_left -= len(text) * count
        if self._join_bytes_left < 0:
            limit = f"{MAX_BYTES >> 20} MiB"
            raise self.place(node).error(f"the !join parts of this file exceed {limit} in total")
        return text * count

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
            raise self.place(node).error(f"{node.value!r:.80} is not a valid {kind}") from None

    def _fields(self, node: yaml.Node) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, item in self.items(node, "fields"):
            name = self.string(key, "a key of fields")
            if name in found:
                raise self.place(key).error(f"the key {name} stands twice in fields")
            found[name] = self._value(item)
        return found

    def _time(self, node: yaml.Node) -> bytes:
        text = self.string(node, "time")
        if text != NOW and not _TIME.fullmatch(text):
            example = "2016-10-06T09:17:09.5+09:00"
            raise self.place(node).error(f"time must be {NOW} or like {example}, not {text!r:.80}")
        return text.encode()

    def expected(self, node: yaml.Node) -> Expected:
        """Return what a case expects.

        Raises:
            UsageError: it is not a record.
        """
        if isinstance(node, yaml.SequenceNode):
            return [self.expected(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            if node.value != UNMATCHED:
                text = f"expected must be a record or {UNMATCHED}, not {node.value!r}"
                raise self.place(node).error(text)
            return UNMATCHED
        return self._record(node, self.mapping(node, "a record", _RECORD_KEYS))

    def _record(self, node: yaml.Node, entries: dict[str, yaml.Node]) -> dict[str, Value]:
        if UNMATCHED in entries:
            if len(entries) > 1:
                raise self.place(node).error(f"a record with {UNMATCHED} can't have other keys")
            return {UNMATCHED: self.data(entries[UNMATCHED], UNMATCHED)}
        if "fields" not in entries or ("time" in entries) == ("lost" in entries):
            raise self.place(node).error(
                "a record needs fields and either time or lost: true; or unmatched alone"
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
                raise self.place(item).error("lost must be true; leave it out otherwise")
        return record
