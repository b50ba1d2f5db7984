"""Reads the usual time of logs, ``%Y-%m-%dT%H:%M:%S``, by looking up its parts in tables.

Guarantees the result of ``TimeFormat.read`` for the same text, or None. A date and a zone are looked up once
``TimeFormat.read`` has read them; an hour, a minute and a second are two digits each, in their range. Any
other text must be read by ``TimeFormat.read``. A property test compares the two.
"""

import re
from collections.abc import Callable

__all__ = ["NANOSECONDS_PER_SECOND", "Instant", "IsoFastPath", "fraction_ns"]

NANOSECONDS_PER_SECOND = 1_000_000_000
# Seconds since the epoch; nanoseconds; seconds east of UTC, or None if neither text nor parser has a zone.
Instant = tuple[int, int, int | None]

# A one-character separator; then either nothing, or another one and %L; then only zones and literals, which
# change neither the date nor the clock.
_FORMAT = re.compile(r"%Y-%m-%d([!-$&-~ ])%H:%M:%S(?:([!-$&-/:-~])%L)?((?:%z|%Z|[^%])*)")
_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# After a fraction, these characters would belong to it.
_MORE_FRACTION = re.compile(rb"[0-9]|[eE][+-]?[0-9]")
_DATE_WIDTH, _CLOCK_AT, _SECOND_AT, _SECOND_END = 10, 11, 17, 19
_DATES_LIMIT = 4096
_ZONES_LIMIT = 64
_FRACTION_DIGITS = 9
_SCALES = tuple(float(10**digits) for digits in range(_FRACTION_DIGITS + 1))
_MINUTES = {
    b"%02d:%02d:" % (hour, minute): hour * 3600 + minute * 60
    for hour in range(24)
    for minute in range(60)
}


def fraction_ns(digits: bytes) -> int | None:
    """Return the nanoseconds of the digits of a fraction, or None if Fluent Bit might read others.

    Fluent Bit takes nine digits at most, and also an exponent.
    """
    if not digits.isdigit() or len(digits) > _FRACTION_DIGITS:
        return None
    # The division rounds as strtod does, because both numbers are exact.
    return int(int(digits) / _SCALES[len(digits)] * NANOSECONDS_PER_SECOND)


class IsoFastPath:
    """The fast path of one ``Time_Format``.

    Attributes:
        read: takes a text and returns its instant, or None if ``TimeFormat.read`` must read it.
    """

    def __init__(self, separator: bytes, point: bytes, tail: str) -> None:
        self._separator = separator
        self._point = point
        self._tail = tail
        # Second 60 too, a leap second: C adds it like any other.
        self._seconds = {b"%02d%b" % (second, point): second for second in range(61)}
        self._midnights: dict[bytes, int] = {}
        # By the text after the second or its fraction.
        self._zones: dict[bytes, int | None] = {}
        self.read: Callable[[bytes], Instant | None] = (
            self._reader_with_fractions() if point else self._reader_of_seconds()
        )

    @classmethod
    def of_format(cls, time_format: str) -> "IsoFastPath | None":
        """Return the fast path of a format, or None if it has none."""
        found = _FORMAT.fullmatch(time_format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S"))
        return cls(found[1].encode(), (found[2] or "").encode(), found[3]) if found else None

    def learn(self, text: bytes, zone: bytes, seconds: int, offset_s: int | None) -> None:
        """Store the date and the zone of a text that was read otherwise; ``zone`` is the end of the text."""
        date = text[:_CLOCK_AT]
        clock_s = self._clock_s(text)
        if clock_s is None or _DATE.fullmatch(date[:_DATE_WIDTH]) is None:
            return
        if date[_DATE_WIDTH:] != self._separator or (self._point and _MORE_FRACTION.match(zone)):
            return
        if not self._point:
            # A format without %L ignores any text after it.
            zone = text[_SECOND_END:] if self._tail else b""
        if len(self._midnights) >= _DATES_LIMIT:
            self._midnights.clear()
        self._midnights[date] = seconds + (offset_s or 0) - clock_s
        if zone in self._zones or len(self._zones) < _ZONES_LIMIT:
            self._zones[zone] = offset_s

    def _clock_s(self, text: bytes) -> int | None:
        minute_s = _MINUTES.get(text[_CLOCK_AT:_SECOND_AT])
        second = self._seconds.get(text[_SECOND_AT : _SECOND_END + len(self._point)])
        return None if minute_s is None or second is None else minute_s + second

    def _reader_of_seconds(self) -> Callable[[bytes], Instant | None]:
        midnights, minutes, seconds = self._midnights.get, _MINUTES.get, self._seconds.get
        zones, has_zone = self._zones, bool(self._tail)

        def read(text: bytes) -> Instant | None:
            midnight_s, minute_s = midnights(text[:11]), minutes(text[11:17])
            second = seconds(text[17:19])
            if midnight_s is None or minute_s is None or second is None:
                return None
            zone = text[19:] if has_zone else b""
            if zone not in zones:
                return None
            offset_s = zones[zone]
            return midnight_s + minute_s + second - (offset_s or 0), 0, offset_s

        return read

    def _reader_with_fractions(self) -> Callable[[bytes], Instant | None]:
        midnights, minutes, seconds = self._midnights.get, _MINUTES.get, self._seconds.get
        zones = self._zones
        last, last_width = b"", 0
        head, head_s = b"", 0

        def read(text: bytes) -> Instant | None:
            nonlocal last, last_width, head, head_s
            if text[:20] != head:
                # Often, many lines share one second.
                midnight_s, minute_s = midnights(text[:11]), minutes(text[11:17])
                second = seconds(text[17:20])
                if midnight_s is None or minute_s is None or second is None:
                    return None
                head, head_s = text[:20], midnight_s + minute_s + second
            if not last or not text.endswith(last):
                last = next((zone for zone in zones if zone and text.endswith(zone)), b"")
                if last not in zones:
                    return None
                last_width = len(last)
            digits = text[20 : len(text) - last_width]
            # As fraction_ns does, without the call.
            if not digits.isdigit() or len(digits) > _FRACTION_DIGITS:
                return None
            nanoseconds = int(int(digits) / _SCALES[len(digits)] * NANOSECONDS_PER_SECOND)
            offset_s = zones[last]
            return head_s - (offset_s or 0), nanoseconds, offset_s

        return read
