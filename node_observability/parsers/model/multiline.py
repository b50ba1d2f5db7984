"""Joins the parts of a message as Fluent Bit's multiline core does for ``tail`` (``src/multiline/flb_ml.c``).

Types ``equal`` and ``endswith``, including the built-in ``cri`` and ``docker``. One ``Joiner`` reads one
file. Guarantees which parts make which record: a record has the fields and the time of its first part,
streams are joined separately, and a line that no parser matches flushes all pending parts before it. Not
modelled: type ``regex``, and the timer that flushes pending parts after 4 to 8 s (the caller flushes).
"""

from dataclasses import dataclass, field

from node_observability.parsers.model.parser import Parsed, Parser, raw_record
from node_observability.parsers.model.types import Value
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import TimeFormat

__all__ = ["Joiner", "MultilineParser", "built_in_parsers"]

_RAW_KEY = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultilineParser:
    """A ``[MULTILINE_PARSER]`` of type ``equal`` or ``endswith``.

    A part ends a message if its ``key_pattern`` (else ``key_content``) equals ``match`` or ends with it;
    with ``negate``, if it does not.
    """

    name: str
    is_equal: bool
    match: bytes
    negate: bool = False
    key_content: str | None = None
    key_pattern: str | None = None
    key_group: str | None = None
    parser: Parser | None = None

    def ends_message(self, text: bytes) -> bool | None:
        """Return whether a part ends a message; None if it is too short for ``endswith``, and not taken."""
        if self.is_equal:
            return (text == self.match) is not self.negate
        if len(text) < len(self.match):
            return None
        return text.endswith(self.match) is not self.negate


def built_in_parsers() -> dict[str, MultilineParser]:
    """Return Fluent Bit's own ``cri`` and ``docker``, both with ``Time_Keep On`` and ``Time_Strict Off``."""
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
    """The pending message of one stream: the first part's record, and the text of all parts.

    ``keeps_text``: the last record could not be packed, and its text is still here.
    """

    first: Parsed | None = None
    text: bytes = b""
    keeps_text: bool = False


@dataclass(slots=True)
class _FileParser:
    """One multiline parser that reads one file."""

    definition: MultilineParser
    groups: dict[bytes, _Group] = field(default_factory=lambda: {b"": _Group()})

    def append(self, line: bytes) -> list[Parsed] | None:
        """Take a line; return the records that it completes, or None if the parser does not match it."""
        definition = self.definition
        if definition.parser is None:
            # A line that is shorter than ``match`` counts as taken, and is lost.
            return self._add_part(self.groups[b""], None, line, line) or []
        parsed = definition.parser.parse(line)
        content = parsed.fields.get(definition.key_content or "") if parsed else None
        if parsed is None or not isinstance(content, bytes):
            return None
        pattern = parsed.fields.get(definition.key_pattern or "")
        name = parsed.fields.get(definition.key_group or "")
        group = self.groups.setdefault(name if isinstance(name, bytes) else b"", _Group())
        tested = pattern if isinstance(pattern, bytes) else content
        return self._add_part(group, parsed, content, tested)

    def _add_part(
        self, group: _Group, parsed: Parsed | None, content: bytes, tested: bytes
    ) -> list[Parsed] | None:
        ends = self.definition.ends_message(tested)
        if ends is None:
            return None
        if group.first is None:
            group.first = parsed
            group.keeps_text = False
        self._end_line(group)
        group.text += content
        return self.flush_group(group) if ends else []

    def _end_line(self, group: _Group) -> None:
        # Without a key the parts are lines, and stay lines.
        if self.definition.key_content is None and group.text and not group.text.endswith(b"\n"):
            group.text += b"\n"

    def flush_group(self, group: _Group) -> list[Parsed]:
        self._end_line(group)
        first, text, key = group.first, group.text, self.definition.key_content
        group.first = None
        if first is None:
            if group.keeps_text:
                return []
            group.text = b""
            return [raw_record(key or _RAW_KEY, text)] if text else []
        if text and key is not None:
            fields: dict[str, Value] = {**first.fields, key: text}
            first = first._replace(fields=fields)
        # Fluent Bit keeps the text of a record that it can't pack, and puts it before the stream's next one.
        group.keeps_text = first.is_lost
        if not first.is_lost:
            group.text = b""
        return [first]

    def flush(self) -> list[Parsed]:
        return [record for group in self.groups.values() for record in self.flush_group(group)]


class Joiner:
    """The multiline parsers of one input, in their order, reading one file."""

    def __init__(self, parsers: list[MultilineParser]) -> None:
        self._parsers = [_FileParser(parser) for parser in parsers]
        self._last: _FileParser | None = None

    def append(self, line: bytes) -> list[Parsed]:
        """Take a line, without its newline; return the records that it completes."""
        # Fluent Bit first tries the parser that matched the last line.
        for parser in sorted(self._parsers, key=lambda parser: parser is not self._last):
            records = parser.append(line)
            if records is not None:
                self._last = parser
                return records
        records = self.flush()
        group = self._parsers[0].groups[b""]
        group.text += line
        group.keeps_text = False
        return records + self._parsers[0].flush_group(group)

    def flush(self) -> list[Parsed]:
        """Return the pending records, as the timer and the end of a file flush them."""
        return [record for parser in self._parsers for record in parser.flush()]
