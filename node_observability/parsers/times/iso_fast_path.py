"""The usual time of logs, ``%Y-%m-%dT%H:%M:%S``, read by looking its parts up.

Guarantees what ``strptime`` and ``timestamps`` give for the same text, or nothing: a date and a zone count
once the long way has read them, an hour, a minute and a second are two digits in their range, and whatever
is written otherwise takes the long way. A property of the tests holds the two together.
"""

import re
from collections.abc import Callable

__all__ = ["NANOSECONDS_PER_SECOND", "Direct", "Instant"]

NANOSECONDS_PER_SECOND = 1_000_000_000
# Seconds since the epoch, nanoseconds, seconds east of UTC if the text or the parser says so.
Instant = tuple[int, int, int | None]

# A separator of one character, then either %L behind another one or nothing; then zones and literals alone,
# which touch neither the date nor the clock.
_FORM = re.compile(r"%Y-%m-%d([!-$&-~ ])%H:%M:%S(?:([!-$&-/:-~])%L)?((?:%z|%Z|[^%])*)")
_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Behind a fraction this would be more of it.
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


class Direct:
    """The direct way of one ``Time_Format``.

    Attributes:
        read: takes a text, returns its instant, or None where the long way must read it.
    """

    def __init__(self, separator: bytes, point: bytes, tail: str) -> None:
        self._separator = separator
        self._point = point
        self._tail = tail
        # A leap second's 60 too, which C counts on.
        self._seconds = {b"%02d%b" % (second, point): second for second in range(61)}
        self._midnights: dict[bytes, int] = {}
        # What stands behind the second or its fraction.
        self._zones: dict[bytes, int | None] = {}
        self.read: Callable[[bytes], Instant | None] = (
            self._reader_of_fractions() if point else self._reader_of_seconds()
        )

    @classmethod
    def of(cls, form: str) -> "Direct | None":
        """Return the direct way of a format, None where it has none."""
        found = _FORM.fullmatch(form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S"))
        return cls(found[1].encode(), (found[2] or "").encode(), found[3]) if found else None

    def remember(self, text: bytes, zone: bytes, seconds: int, offset_s: int | None) -> None:
        """Take the date and the zone of a text that the long way read; ``zone`` is what it ends with."""
        date = text[:_CLOCK_AT]
        clock_s = self._clock_s(text)
        if clock_s is None or _DATE.fullmatch(date[:_DATE_WIDTH]) is None:
            return
        if date[_DATE_WIDTH:] != self._separator or (self._point and _MORE_FRACTION.match(zone)):
            return
        if not self._point:
            # What a format without %L leaves over may be anything.
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
        midnights, minutes, seconds, zones = (
            self._midnights.get,
            _MINUTES.get,
            self._seconds.get,
            self._zones,
        )
        has_zone = bool(self._tail)

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

    def _reader_of_fractions(self) -> Callable[[bytes], Instant | None]:
        midnights, minutes, seconds, zones = (
            self._midnights.get,
            _MINUTES.get,
            self._seconds.get,
            self._zones,
        )
        last, last_width = b"", 0
        head, head_s = b"", 0

        def read(text: bytes) -> Instant | None:
            nonlocal last, last_width, head, head_s
            if text[:20] != head:
                # Lines often come many to a second.
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
            # Fluent Bit takes nine digits at most, and an exponent too.
            if not digits.isdigit() or len(digits) > _FRACTION_DIGITS:
                return None
            offset_s = zones[last]
            # A division rounds as strtod does: both numbers are whole and exact.
            nanoseconds = int(int(digits) / _SCALES[len(digits)] * NANOSECONDS_PER_SECOND)
            return head_s - (offset_s or 0), nanoseconds, offset_s

        return read
