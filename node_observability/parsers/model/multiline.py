"""Joins the parts of a message as Fluent Bit's multiline core does for ``tail`` (``src/multiline/flb_ml.c``).

Types ``equal`` and ``endswith``, the built-in ``cri`` and ``docker`` among them; one ``Joiner`` is one
file. Guarantees which parts make which record, the first part's fields and time for it, each stream by
itself, and what happens to a line that no parser takes: all that is pending goes out before it. Not here:
type ``regex``, and the clock that sends what stays pending after 4 to 8 s (``flush`` is the caller's).
"""

from dataclasses import dataclass, field

from node_observability.parsers.model.parser import Parsed, Parser, raw
from node_observability.parsers.model.types import Value
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import TimeFormat

__all__ = ["Joiner", "MultilineParser", "built_in"]

_RAW_KEY = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultilineParser:
    """A ``[MULTILINE_PARSER]`` of type ``equal`` or ``endswith``.

    A message ends with the part whose ``key_pattern`` (else ``key_content``) equals ``match`` or ends
    with it, or does not, if ``negate``.
    """

    name: str
    is_equal: bool
    match: bytes
    negate: bool = False
    key_content: str | None = None
    key_pattern: str | None = None
    key_group: str | None = None
    parser: Parser | None = None

    def ends(self, text: bytes) -> bool | None:
        """Whether a part ends a message; None: it is too short for ``endswith``, and not taken at all."""
        if self.is_equal:
            return (text == self.match) is not self.negate
        if len(text) < len(self.match):
            return None
        return text.endswith(self.match) is not self.negate


def built_in() -> dict[str, MultilineParser]:
    """Return Fluent Bit's own ``cri`` and ``docker``: both read times loosely and keep them."""
    cri = Parser(
        name="_ml_cri",
        pattern=Pattern("^(?<time>.+?) (?<stream>stdout|stderr) (?<_p>F|P) (?<log>.*)$"),
        time_format=TimeFormat("%Y-%m-%dT%H:%M:%S.%L%z"),
        time_keep=True,
        time_strict=False,
        skip_empty_values=False,
    )
    docker = Parser(
        name="_ml_json_docker",
        time_format=TimeFormat("%Y-%m-%dT%H:%M:%S.%L"),
        time_keep=True,
        time_strict=False,
    )
    return {
        "cri": MultilineParser(
            name="cri",
            is_equal=True,
            match=b"F",
            key_content="log",
            key_pattern="_p",
            key_group="stream",
            parser=cri,
        ),
        "docker": MultilineParser(
            name="docker",
            is_equal=False,
            match=b"\n",
            key_content="log",
            key_group="stream",
            parser=docker,
        ),
    }


@dataclass(slots=True)
class _Group:
    """What one stream has pending: the first part's record, and the text of all parts.

    ``is_stuck``: its last record could not be packed for its time, which counts until the next one's.
    """

    first: Parsed | None = None
    text: bytes = b""
    is_stuck: bool = False


@dataclass(slots=True)
class _Instance:
    """One multiline parser at work on one file."""

    definition: MultilineParser
    groups: dict[bytes, _Group] = field(default_factory=lambda: {b"": _Group()})

    def append(self, line: bytes) -> list[Parsed] | None:
        definition = self.definition
        if definition.parser is None:
            # A line that is shorter than ``match`` counts as taken, and is lost.
            return self._package(self.groups[b""], None, line, line) or []
        parsed = definition.parser.parse(line)
        content = parsed.fields.get(definition.key_content or "") if parsed else None
        if parsed is None or not isinstance(content, bytes):
            return None
        pattern = parsed.fields.get(definition.key_pattern or "")
        name = parsed.fields.get(definition.key_group or "")
        group = self.groups.setdefault(name if isinstance(name, bytes) else b"", _Group())
        tested = pattern if isinstance(pattern, bytes) else content
        return self._package(group, parsed, content, tested)

    def _package(
        self, group: _Group, parsed: Parsed | None, content: bytes, tested: bytes
    ) -> list[Parsed] | None:
        ends = self.definition.ends(tested)
        if ends is None:
            return None
        if group.first is None:
            group.first = parsed
            group.is_stuck = False
        self._break(group)
        group.text += content
        return self.flush_group(group) if ends else []

    def _break(self, group: _Group) -> None:
        # Without a key the parts are lines, and stay lines.
        if self.definition.key_content is None and group.text and not group.text.endswith(b"\n"):
            group.text += b"\n"

    def flush_group(self, group: _Group) -> list[Parsed]:
        self._break(group)
        first, text, key = group.first, group.text, self.definition.key_content
        group.first = None
        if first is None:
            if group.is_stuck:
                return []
            group.text = b""
            return [raw(key or _RAW_KEY, text)] if text else []
        if text and key is not None:
            fields: dict[str, Value] = {**first.fields, key: text}
            first = first._replace(fields=fields)
        # A record that can't be packed leaves its text behind: it is glued to the stream's next one.
        group.is_stuck = first.is_lost
        if not first.is_lost:
            group.text = b""
        return [first]

    def flush(self) -> list[Parsed]:
        return [record for group in self.groups.values() for record in self.flush_group(group)]


class Joiner:
    """The multiline parsers of one input, in their order, at work on one file."""

    def __init__(self, parsers: list[MultilineParser]) -> None:
        self._instances = [_Instance(parser) for parser in parsers]
        self._last: _Instance | None = None

    def append(self, line: bytes) -> list[Parsed]:
        """Take a line, without its newline; return the records that it completes."""
        # The parser that took the last line is asked first.
        order = sorted(self._instances, key=lambda instance: instance is not self._last)
        for instance in order:
            records = instance.append(line)
            if records is not None:
                self._last = instance
                return records
        records = self.flush()
        standalone = self._instances[0].groups[b""]
        standalone.text += line
        standalone.is_stuck = False
        return records + self._instances[0].flush_group(standalone)

    def flush(self) -> list[Parsed]:
        """Return what is pending, as the timer and the end of a file send it."""
        return [record for instance in self._instances for record in instance.flush()]
