"""Fluent Bit's own strptime (``src/flb_strptime.c``, after OpenBSD's), over bytes.

Guarantees the same fields and the same number of bytes consumed, C locale. What differs from POSIX and
from Python: numbers may be shorter than their width, ``%z`` takes ``Z``, ``+hh``, ``+hhmm``, ``+hh:mm``
and names of US zones, a directive that is not known never matches, text behind the format is ignored.
``%L`` is not known here: the caller cuts the format there.
"""

from dataclasses import dataclass

from node_observability.parsers.times.directives import COMPOUND, DAYS, MONTHS, NUMBERS, of_year_day
from node_observability.parsers.times.zones import read_name, read_offset

__all__ = ["BrokenDown", "strptime"]

_SPACE = b" \t\n\v\f\r"
_ABBREVIATED = 3
_PIVOT = 68
_NOON = 12
_TM_BASE = 1900
_LONG_MAX = 2**63 - 1
# The last second whose year C's int holds; gmtime_r has none beyond it.
_LAST_SECOND = 67768036191676799


@dataclass(slots=True)
class BrokenDown:
    """C's ``struct tm`` as far as it counts: what was not read stays as it was, 0 at first.

    ``month`` counts from 1; 0 is the month before January 1900, which is what C makes of it.
    """

    year: int = _TM_BASE
    month: int = 1
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    year_day: int | None = None
    offset_s: int = 0
    has_offset: bool = False
    epoch_s: int | None = None


class _Reader:
    """One run of strptime: a position in the text and what ``%C``, ``%y`` and their like wait for."""

    def __init__(self, text: bytes, into: BrokenDown) -> None:
        self.text = text
        self.at = 0
        self.into = into
        self.century: int | None = None
        self.short_year: int | None = None
        self.seen: set[str] = set()

    def read(self, form: str) -> bool:
        position = 0
        while position < len(form):
            char = form[position]
            position += 1
            if char.encode() in _SPACE:
                self.skip_space()
                continue
            if self.at >= len(self.text):
                return False
            if char != "%":
                if not self.literal(char):
                    return False
                continue
            while form[position : position + 1] in ("E", "O"):
                position += 1
            directive = form[position : position + 1]
            position += 1
            if not self.directive(directive):
                return False
        return True

    def skip_space(self) -> bool:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        return True

    def literal(self, char: str) -> bool:
        data = char.encode()
        found = self.text.startswith(data, self.at)
        self.at += len(data)
        return found

    def directive(self, letter: str) -> bool:
        if letter in NUMBERS:
            if letter == "e" and self.text[self.at] in _SPACE:
                self.at += 1
            return self.number(*NUMBERS[letter])
        if letter in COMPOUND:
            return self.read(COMPOUND[letter])
        special = {
            "%": lambda: self.literal("%"),
            "A": self.weekday,
            "a": self.weekday,
            "B": self.month_name,
            "b": self.month_name,
            "h": self.month_name,
            "G": self.iso_year,
            "n": self.skip_space,
            "p": self.half,
            "s": self.epoch,
            "t": self.skip_space,
            "Z": self.zone_name,
            "z": self.zone,
        }
        return letter in special and special[letter]()

    def digits(self, limit: int) -> int | None:
        # Stops as soon as one more digit could not fit: 2 digits for 0..31, but only 1 behind a 7.
        result, room, start = 0, limit, self.at
        while self.at < len(self.text) and 0x30 <= self.text[self.at] <= 0x39:  # noqa: PLR2004 - "0" to "9"
            result = result * 10 + self.text[self.at] - 0x30
            room //= 10
            self.at += 1
            if result * 10 > limit or not room:
                break
        return result if self.at > start else None

    def number(self, field: str, low: int, high: int) -> bool:
        value = self.digits(high)
        if value is None or not low <= value <= high:
            return False
        if field == "century":
            self.century = value * 100
        elif field == "short_year":
            self.short_year = value
        elif field == "year_day":
            self.into.year_day = value - 1
            self.seen.add(field)
        elif field:
            setattr(self.into, field, value)
            self.seen.add(field)
            if field == "year":
                self.short_year = None
        return True

    def named(self, names: tuple[bytes, ...]) -> int | None:
        rest = self.text[self.at : self.at + 9].lower()
        for index, name in enumerate(names):
            for form in (name, name[:_ABBREVIATED]):
                if rest.startswith(form):
                    self.at += len(form)
                    return index
        return None

    def weekday(self) -> bool:
        return self.named(DAYS) is not None

    def month_name(self) -> bool:
        index = self.named(MONTHS)
        if index is None:
            return False
        self.into.month = index + 1
        self.seen.add("month")
        return True

    def iso_year(self) -> bool:
        self.at += 1
        while self.text[self.at : self.at + 1].isdigit():
            self.at += 1
        return True

    def half(self) -> bool:
        half = self.text[self.at : self.at + 2].lower()
        if half not in (b"am", b"pm") or self.into.hour > _NOON:
            return False
        self.into.hour = self.into.hour % _NOON + (_NOON if half == b"pm" else 0)
        self.at += 2
        return True

    def epoch(self) -> bool:
        value = self.digits(_LONG_MAX)
        if value is None or value > _LAST_SECOND:
            return False
        self.into.epoch_s = value
        self.offset(0)
        return True

    def offset(self, seconds: int) -> bool:
        self.into.offset_s, self.into.has_offset = seconds, True
        return True

    def zone_name(self) -> bool:
        return self.zone_of(read_name(self.text[self.at :]))

    def zone(self) -> bool:
        self.skip_space()
        return self.zone_of(read_offset(self.text[self.at :]))

    def zone_of(self, found: tuple[int, int] | None) -> bool:
        if found is None:
            return False
        self.at += found[0]
        return self.offset(found[1])

    def finish(self) -> None:
        if self.short_year is not None:
            base = self.century
            if base is None or base == _TM_BASE:
                base = 2000 if self.short_year <= _PIVOT else 1900
            self.into.year = base + self.short_year
            self.seen.add("year")
        has_date = {"month", "day"} <= self.seen
        if self.into.year_day is not None and "year" in self.seen and not has_date:
            # C keeps a month or a day that was read and takes the other one from the day of the year.
            month, day = of_year_day(self.into.year, self.into.year_day)
            if "month" not in self.seen:
                self.into.month = month
            if "day" not in self.seen:
                self.into.day = day


def strptime(text: bytes, form: str, into: BrokenDown) -> int | None:
    """Read ``text`` by ``form`` into ``into``; return the number of bytes consumed, None for no match.

    The zone in ``into`` is reset first, as Fluent Bit does at each call: one that stands before ``%L``
    is lost. On no match ``into`` keeps what was read until then.
    """
    into.offset_s, into.has_offset = 0, False
    reader = _Reader(text, into)
    if not reader.read(form):
        return None
    reader.finish()
    return reader.at
