"""Fluent Bit's own strptime (``src/flb_strptime.c``, based on OpenBSD's), over bytes.

Guarantees the same fields and the same number of bytes consumed, in the C locale. Differences from POSIX and
Python: numbers may have fewer digits than their width; ``%z`` takes ``Z``, ``+hh``, ``+hhmm``, ``+hh:mm`` and
names of US zones; an unknown directive never matches; text after the format is ignored. ``%L`` is unknown
here: the caller splits the format there.
"""

from dataclasses import dataclass

from node_observability.parsers.times.directives import (
    COMPOUND,
    DAYS,
    MONTHS,
    NUMBERS,
    month_and_day,
)
from node_observability.parsers.times.zones import read_name, read_offset

__all__ = ["BrokenDownTime", "strptime"]

_SPACE = b" \t\n\v\f\r"
_ABBREVIATION_LENGTH = 3
_LAST_SHORT_YEAR_OF_2000S = 68
_NOON = 12
_TM_BASE = 1900
_LONG_MAX = 2**63 - 1
# The last second whose year C's int can hold; gmtime_r fails after it.
_LAST_SECOND = 67768036191676799


@dataclass(slots=True)
class BrokenDownTime:
    """The fields of C's ``struct tm`` that count; ``month`` counts from 1.

    Fields that were not read keep their initial values.
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
    """One call of strptime: the position in the text, and what ``%C`` and ``%y`` leave for the end."""

    def __init__(self, text: bytes, into: BrokenDownTime) -> None:
        self.text = text
        self.at = 0
        self.into = into
        self.century: int | None = None
        self.short_year: int | None = None
        self.seen: set[str] = set()

    def read(self, time_format: str) -> bool:
        position = 0
        while position < len(time_format):
            char = time_format[position]
            position += 1
            if char.encode() in _SPACE:
                self.skip_space()
                continue
            if self.at >= len(self.text):
                return False
            if char != "%":
                if not self.read_literal(char):
                    return False
                continue
            while time_format[position : position + 1] in ("E", "O"):
                position += 1
            directive = time_format[position : position + 1]
            position += 1
            if not self.read_directive(directive):
                return False
        return True

    def skip_space(self) -> bool:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        return True

    def read_literal(self, char: str) -> bool:
        data = char.encode()
        found = self.text.startswith(data, self.at)
        self.at += len(data)
        return found

    def read_directive(self, letter: str) -> bool:
        if letter in NUMBERS:
            if letter == "e" and self.text[self.at] in _SPACE:
                self.at += 1
            return self.read_number(*NUMBERS[letter])
        if letter in COMPOUND:
            return self.read(COMPOUND[letter])
        special = {
            "%": lambda: self.read_literal("%"),
            "A": self.skip_weekday,
            "a": self.skip_weekday,
            "B": self.read_month_name,
            "b": self.read_month_name,
            "h": self.read_month_name,
            "G": self.skip_iso_year,
            "n": self.skip_space,
            "p": self.read_am_pm,
            "s": self.read_epoch,
            "t": self.skip_space,
            "Z": self.read_zone_name,
            "z": self.read_zone_offset,
        }
        return letter in special and special[letter]()

    def read_digits(self, limit: int) -> int | None:
        # Stops as soon as one more digit could not fit: 2 digits for 0..31, but only 1 after a 7.
        result, room, start = 0, limit, self.at
        while self.at < len(self.text) and 0x30 <= self.text[self.at] <= 0x39:  # noqa: PLR2004 - "0" to "9"
            result = result * 10 + self.text[self.at] - 0x30
            room //= 10
            self.at += 1
            if result * 10 > limit or not room:
                break
        return result if self.at > start else None

    def read_number(self, field: str, low: int, high: int) -> bool:
        value = self.read_digits(high)
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

    def index_of_name(self, names: tuple[bytes, ...]) -> int | None:
        rest = self.text[self.at : self.at + 9].lower()
        for index, name in enumerate(names):
            for spelling in (name, name[:_ABBREVIATION_LENGTH]):
                if rest.startswith(spelling):
                    self.at += len(spelling)
                    return index
        return None

    def skip_weekday(self) -> bool:
        return self.index_of_name(DAYS) is not None

    def read_month_name(self) -> bool:
        index = self.index_of_name(MONTHS)
        if index is None:
            return False
        self.into.month = index + 1
        self.seen.add("month")
        return True

    def skip_iso_year(self) -> bool:
        self.at += 1
        while self.text[self.at : self.at + 1].isdigit():
            self.at += 1
        return True

    def read_am_pm(self) -> bool:
        half = self.text[self.at : self.at + 2].lower()
        if half not in (b"am", b"pm") or self.into.hour > _NOON:
            return False
        self.into.hour = self.into.hour % _NOON + (_NOON if half == b"pm" else 0)
        self.at += 2
        return True

    def read_epoch(self) -> bool:
        value = self.read_digits(_LONG_MAX)
        if value is None or value > _LAST_SECOND:
            return False
        self.into.epoch_s = value
        self.into.offset_s, self.into.has_offset = 0, True
        return True

    def read_zone_name(self) -> bool:
        return self.take_zone(read_name(self.text[self.at :]))

    def read_zone_offset(self) -> bool:
        self.skip_space()
        return self.take_zone(read_offset(self.text[self.at :]))

    def take_zone(self, found: tuple[int, int] | None) -> bool:
        if found is None:
            return False
        self.at += found[0]
        self.into.offset_s, self.into.has_offset = found[1], True
        return True

    def finish(self) -> None:
        if self.short_year is not None:
            base = self.century
            if base is None or base == _TM_BASE:
                base = 2000 if self.short_year <= _LAST_SHORT_YEAR_OF_2000S else 1900
            self.into.year = base + self.short_year
            self.seen.add("year")
        has_date = {"month", "day"} <= self.seen
        if self.into.year_day is not None and "year" in self.seen and not has_date:
            # C keeps a month or a day that was read, and takes the other one from the day of the year.
            month, day = month_and_day(self.into.year, self.into.year_day)
            if "month" not in self.seen:
                self.into.month = month
            if "day" not in self.seen:
                self.into.day = day


def strptime(text: bytes, time_format: str, into: BrokenDownTime) -> int | None:
    """Read ``text`` by ``time_format`` into ``into``; return the number of bytes consumed, or None.

    None means that the text does not match; ``into`` then keeps the fields that were read before. The zone
    in ``into`` is reset first, as Fluent Bit does on each call: a zone that stands before ``%L`` is lost.
    """
    into.offset_s, into.has_offset = 0, False
    reader = _Reader(text, into)
    if not reader.read(time_format):
        return None
    reader.finish()
    return reader.at
