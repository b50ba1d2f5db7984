"""One parser: turns a line into fields and a time, as ``flb_parser_do`` does (Fluent Bit 5.1).

Formats ``regex`` and ``json``. Guarantees which lines match, which fields they give, and their time to the
nanosecond. Not modelled: ``ltsv``, ``logfmt``, decoders, ``Time_Zone`` and ``Time_System_Timezone``;
``definitions`` rejects them by name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from node_observability.parsers.model.json_object import parse_json_object
from node_observability.parsers.model.types import Cast, Value
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import Moment, TimeFormat

__all__ = ["Parsed", "Parser", "raw_record"]

_EVENT_SECONDS_MAX = 2**32 - 1
_NANOSECONDS_PER_SECOND = 1_000_000_000


class Parsed(NamedTuple):
    """The record that a parser made of a line.

    Attributes:
        fields: the record's fields.
        seconds, nanoseconds: its time since the epoch. Both 0: the line has no time, and Fluent Bit stamps
            the record with the time of reading.
        offset_s: seconds east of UTC: the zone in which the line has its time, None if it names none.
        warning: what Fluent Bit logs about the time, or empty.
        is_raw: whether no parser matched, and the record holds the whole line.
    """

    fields: dict[str, Value]
    seconds: int = 0
    nanoseconds: int = 0
    offset_s: int | None = None
    warning: str = ""
    is_raw: bool = False

    @property
    def has_time(self) -> bool:
        """Whether the record's time comes from the line; otherwise it is the time of reading."""
        return bool(self.seconds or self.nanoseconds)

    @property
    def is_lost(self) -> bool:
        """Whether Fluent Bit can't pack the record: its time is before 1970, after 2106 or invalid."""
        return not (
            0 <= self.seconds <= _EVENT_SECONDS_MAX
            and 0 <= self.nanoseconds < _NANOSECONDS_PER_SECOND
        )


def raw_record(key: str, line: bytes) -> Parsed:
    """Return the record of a line that no parser matched: the whole line under ``key``."""
    return Parsed({key: line}, is_raw=True)


Parse = Callable[[bytes], Parsed | None]


@dataclass(slots=True, kw_only=True)
class Parser:
    """A parser of a configuration; the defaults are Fluent Bit's.

    Attributes:
        pattern: None for ``Format json``.
        parse: takes a line; returns its record, or None if the parser does not match the line.
    """

    name: str
    pattern: Pattern | None = None
    time_format: TimeFormat | None = None
    time_key: str = "time"
    time_keep: bool = False
    time_strict: bool = True
    skip_empty_values: bool = True
    casts: dict[str, Cast] = field(default_factory=dict)
    parse: Parse = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.parse = _fast_path(self) or self.parse_slowly

    def parse_slowly(self, line: bytes) -> Parsed | None:
        """Return what ``parse`` returns, without the fast path."""
        return self._parse_regex(line) if self.pattern else self._parse_json(line)

    def _parse_regex(self, line: bytes) -> Parsed | None:
        pattern = self.pattern
        found = pattern.search(line) if pattern else None
        # Fluent Bit takes a line as not matched unless a named group took part.
        if pattern is None or found is None or found.lastindex is None or not pattern.names:
            return None
        fields: dict[str, Value] = {}
        parsed = Parsed(fields)
        for name, text in zip(pattern.names, found.groups(b""), strict=True):
            if not text and self.skip_empty_values:
                continue
            if self.time_format and name == self.time_key:
                moment = self.time_format.read(text)
                if not moment.is_exact and self.time_strict:
                    parsed = parsed._replace(warning=self._time_warning(text))
                    continue
                parsed = self._with_time(fields, moment, text)
                if not self.time_keep:
                    continue
            cast = self.casts.get(name)
            fields[name] = cast(text) if cast else text
        return parsed

    def _parse_json(self, line: bytes) -> Parsed | None:
        fields = parse_json_object(line)
        if fields is None:
            return None
        text = fields.get(self.time_key)
        if self.time_format is None or not isinstance(text, bytes):
            return Parsed(fields)
        instant = self.time_format.read_fast(text)
        if instant is not None:
            if not self.time_keep:
                del fields[self.time_key]
            return Parsed(fields, *instant)
        moment = self.time_format.read(text)
        if not moment.is_exact and self.time_strict:
            # The key stays, and so does a fraction that was read: a time in 1970.
            return Parsed(fields, 0, moment.nanoseconds, None, self._time_warning(text))
        if not self.time_keep:
            del fields[self.time_key]
        return self._with_time(fields, moment, text)

    def _with_time(self, fields: dict[str, Value], moment: Moment, text: bytes) -> Parsed:
        warning = "" if moment.is_exact else f"read in part: {self._time_warning(text)}"
        return Parsed(fields, moment.seconds, moment.nanoseconds, moment.offset_s, warning)

    def _time_warning(self, text: bytes) -> str:
        source = self.time_format.source if self.time_format else ""
        return f"invalid time format {source} for {text.decode('utf-8', 'backslashreplace')!r}"


def _fast_path(parser: Parser) -> Parse | None:
    """Return a faster ``parse`` for the common case, or None if the parser has types or drops fields.

    It calls ``parse_slowly`` where it must, and gives the same results: a property test compares the two.
    """
    pattern, time_format, key = parser.pattern, parser.time_format, parser.time_key
    if pattern is None or time_format is None:
        return None
    names = [name for name in pattern.names if name != key]
    is_common = not (parser.casts or parser.skip_empty_values or parser.time_keep)
    if not is_common or pattern.names.count(key) != 1 or len(set(names)) < max(2, len(names)):
        return None
    search, find_ascii, read_time = pattern.search, pattern.find_ascii, time_format.read_fast
    time_group = pattern.names.index(key) + 1
    groups = [number for number, name in enumerate(pattern.names, 1) if name != key]
    make, parse_slowly = tuple.__new__, parser.parse_slowly

    # Container logs have two or three fields beside the time, for which this is faster than zip.
    first, second, third = (*groups, *groups)[:3]
    first_name, second_name, third_name = (*names, *names)[:3]
    is_short = len(groups) in (2, 3)

    def parse(line: bytes) -> Parsed | None:
        found = find_ascii(line) if line.isascii() else search(line)
        if found is None:
            return parse_slowly(line)
        if is_short:
            values = found.group(time_group, first, second, third)
            fields = {first_name: values[1], second_name: values[2], third_name: values[3]}
        else:
            values = found.group(time_group, *groups)
            fields = dict(zip(names, values[1:], strict=True))
        if None in values:
            return parse_slowly(line)
        instant = read_time(values[0])
        if instant is None:
            return parse_slowly(line)
        return make(Parsed, (fields, instant[0], instant[1], instant[2], "", False))

    return parse
