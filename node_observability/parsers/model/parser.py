"""One parser: a line in, fields and time out, as ``flb_parser_do`` has it (Fluent Bit 5.1).

Formats ``regex`` and ``json``. Guarantees which lines match, which fields come out, and the time to the
nanosecond. ``ltsv``, ``logfmt``, decoders, ``Time_Zone`` and ``Time_System_Timezone`` are not modelled;
``definitions`` refuses them by name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from node_observability.parsers.model.json_object import read_object
from node_observability.parsers.model.types import Cast, Value
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.times.time_format import Moment, TimeFormat

__all__ = ["Parsed", "Parser", "raw"]

_EVENT_SECONDS_MAX = 2**32 - 1
_NANOSECONDS_PER_SECOND = 1_000_000_000


class Parsed(NamedTuple):
    """What a parser made of a line.

    Attributes:
        fields: the record.
        seconds, nanoseconds: the time; both 0: the parser has none, whoever called it stamps its own.
        offset_s: the zone that the time was written in, where it says.
        complaint: what Fluent Bit logs about the time, else empty.
        is_raw: no parser took the line; it is kept whole, under ``log``.
    """

    fields: dict[str, Value]
    seconds: int = 0
    nanoseconds: int = 0
    offset_s: int | None = None
    complaint: str = ""
    is_raw: bool = False

    @property
    def has_time(self) -> bool:
        """Whether the parser stamps the record; else the time of reading counts."""
        return bool(self.seconds or self.nanoseconds)

    @property
    def is_lost(self) -> bool:
        """Whether Fluent Bit fails to pack the record: its time is before 1970, or no time at all."""
        return not (
            0 <= self.seconds <= _EVENT_SECONDS_MAX
            and 0 <= self.nanoseconds < _NANOSECONDS_PER_SECOND
        )


def raw(key: str, line: bytes) -> Parsed:
    """Return the record of a line that no parser took: whole, and stamped when it was read."""
    return Parsed({key: line}, is_raw=True)


Parse = Callable[..., Parsed | None]


@dataclass(slots=True, kw_only=True)
class Parser:
    """A parser as it is defined; the defaults are Fluent Bit's.

    Attributes:
        pattern: None for ``Format json``.
        parse: takes a line, and for time formats without a year the time that is now in seconds (the
            clock's by default); returns what the line is, None where the parser does not take it.
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
        self.parse = _quick_path(self) or self.parse_long

    def parse_long(self, line: bytes, now_s: int | None = None) -> Parsed | None:
        """Return what ``parse`` returns, by the way that knows everything."""
        return self._parse_regex(line, now_s) if self.pattern else self._parse_json(line, now_s)

    def _parse_regex(self, line: bytes, now_s: int | None) -> Parsed | None:
        pattern = self.pattern
        found = pattern.search(line) if pattern else None
        # Without a named group that took part Fluent Bit counts the line as not matched.
        if pattern is None or found is None or found.lastindex is None or not pattern.names:
            return None
        fields: dict[str, Value] = {}
        stamp = Parsed(fields)
        for name, text in zip(pattern.names, found.groups(b""), strict=True):
            if not text and self.skip_empty_values:
                continue
            if self.time_format and name == self.time_key:
                moment = self.time_format.read(text, now_s)
                if not moment.is_exact and self.time_strict:
                    stamp = stamp._replace(complaint=self._complaint(text))
                    continue
                stamp = self._stamped(fields, moment, text)
                if not self.time_keep:
                    continue
            cast = self.casts.get(name)
            fields[name] = cast(text) if cast else text
        return stamp

    def _parse_json(self, line: bytes, now_s: int | None) -> Parsed | None:
        fields = read_object(line)
        if fields is None:
            return None
        text = fields.get(self.time_key)
        if self.time_format is None or not isinstance(text, bytes):
            return Parsed(fields)
        instant = self.time_format.quick(text)
        if instant is not None:
            if not self.time_keep:
                del fields[self.time_key]
            return Parsed(fields, *instant)
        moment = self.time_format.read(text, now_s)
        if not moment.is_exact and self.time_strict:
            # The key stays, and a fraction that had been read stays too: a moment of 1970.
            return Parsed(fields, 0, moment.nanoseconds, None, self._complaint(text))
        if not self.time_keep:
            del fields[self.time_key]
        return self._stamped(fields, moment, text)

    def _stamped(self, fields: dict[str, Value], moment: Moment, text: bytes) -> Parsed:
        complaint = "" if moment.is_exact else f"read as far as it went: {self._complaint(text)}"
        return Parsed(fields, moment.seconds, moment.nanoseconds, moment.offset_s, complaint)

    def _complaint(self, text: bytes) -> str:
        form = self.time_format.form if self.time_format else ""
        return f"invalid time format {form} for {text.decode('utf-8', 'backslashreplace')!r}"


def _quick_path(parser: Parser) -> Parse | None:
    """Return a short way for the common case; None: the parser has types or drops fields.

    It goes the long way where it must, and its answers are the same: a property of the tests.
    """
    pattern, time_format, key = parser.pattern, parser.time_format, parser.time_key
    if pattern is None or time_format is None:
        return None
    names = [name for name in pattern.names if name != key]
    is_common = not (parser.casts or parser.skip_empty_values or parser.time_keep)
    if not is_common or pattern.names.count(key) != 1 or len(set(names)) < max(2, len(names)):
        return None
    search, find_ascii, instant_of = pattern.search, pattern.find_ascii, time_format.quick
    time_at = pattern.names.index(key) + 1
    others = [number for number, name in enumerate(pattern.names, 1) if name != key]
    make, long = tuple.__new__, parser.parse_long

    # Two or three fields beside the time is what container logs have; they are worth saving a zip.
    first, second, third = (*others, *others)[:3]
    first_name, second_name, third_name = (*names, *names)[:3]
    is_short = len(others) in (2, 3)

    def parse(line: bytes, now_s: int | None = None) -> Parsed | None:
        found = find_ascii(line) if line.isascii() else search(line)
        if found is None:
            return long(line, now_s)
        if is_short:
            values = found.group(time_at, first, second, third)
            fields = {first_name: values[1], second_name: values[2], third_name: values[3]}
        else:
            values = found.group(time_at, *others)
            fields = dict(zip(names, values[1:], strict=True))
        if None in values:
            return long(line, now_s)
        instant = instant_of(values[0])
        if instant is None:
            return long(line, now_s)
        return make(Parsed, (fields, instant[0], instant[1], instant[2], "", False))

    return parse
