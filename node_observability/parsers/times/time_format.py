"""Reads a text by ``Time_Format`` to seconds and nanoseconds, as Fluent Bit does.

Models ``flb_parser_time_lookup`` and ``parse_subseconds`` (``src/flb_parser.c``). Guarantees the same instant
to the nanosecond. That includes the double through which Fluent Bit takes a fraction: 1.7 % of nine-digit
fractions are one nanosecond low. The caller passes the current time, which counts only for formats without
a year.
"""

import math
import re
import time
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from node_observability.parsers.times.iso_fast_path import (
    NANOSECONDS_PER_SECOND,
    Instant,
    IsoFastPath,
    fraction_ns,
)
from node_observability.parsers.times.strptime import BrokenDownTime, strptime

__all__ = ["Moment", "TimeFormat", "TimeOffsetError", "parse_time_offset"]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY_S = 86400
_FRACTION_DIGITS = 9
# What strtod takes after "0.": digits, and an exponent.
_FRACTION = re.compile(rb"[0-9]*(?:[eE][+-]?[0-9]+)?")
_CACHE_LIMIT = 4096
# C's int for a double that it can't hold; Fluent Bit does not pack such a record.
_INVALID_NS = -(2**31)
# The Gregorian calendar repeats after 400 years; Python's begins with the year 1.
_CYCLE_YEARS = 400
_CYCLE_DAYS = 146097


class TimeOffsetError(ValueError):
    """The value of ``Time_Offset`` is not valid."""


class Moment(NamedTuple):
    """The result of reading a text.

    Attributes:
        is_exact: whether the format matched the text.
        seconds: since the epoch, UTC; without a match, of the fields that were read before.
        fraction: of a second, as Fluent Bit's double.
        offset_s: seconds east of UTC: the zone in the text or the parser's Time_Offset, else None.
    """

    is_exact: bool
    seconds: int
    fraction: float
    offset_s: int | None

    @property
    def nanoseconds(self) -> int:
        """The fraction, truncated as in C; out of range if no integer can hold it (``.1e400``)."""
        scaled = self.fraction * NANOSECONDS_PER_SECOND
        return int(scaled) if math.isfinite(scaled) else _INVALID_NS


def parse_time_offset(text: str) -> int:
    """Return ``Time_Offset`` in seconds: ``Z``, ``+hhmm`` or ``+hh:mm``.

    Raises:
        TimeOffsetError: it is none of these.
    """
    if text.startswith("Z"):
        return 0
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if not found or int(found[2]) >= 60 or int(found[3]) >= 60:  # noqa: PLR2004 - as Fluent Bit checks
        raise TimeOffsetError(f"{text} is not a valid offset; write it like +0900 or +09:00")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds


def _epoch_seconds(broken_down: BrokenDownTime) -> int:
    if broken_down.epoch_s is not None:
        return broken_down.epoch_s - broken_down.offset_s
    # Day 366 of a year of 365 days is in a 13th month.
    year, cycles = broken_down.year + (broken_down.month - 1) // 12, 0
    month = (broken_down.month - 1) % 12 + 1
    if not 1 <= year <= 9999:  # noqa: PLR2004 - what Python's calendar has
        cycles = (year - 1) // _CYCLE_YEARS
        year -= cycles * _CYCLE_YEARS
    days = date(year, month, 1).toordinal() - _EPOCH_ORDINAL + broken_down.day - 1
    days += cycles * _CYCLE_DAYS
    clock_s = broken_down.hour * 3600 + broken_down.minute * 60 + broken_down.second
    return days * _DAY_S + clock_s - broken_down.offset_s


class TimeFormat:
    """``Time_Format`` with the parser's ``Time_Offset``.

    Attributes:
        source: the format.
        read_fast: takes a text and returns its instant, or None if ``read`` must read it.
    """

    def __init__(self, source: str, offset_s: int | None = None) -> None:
        self.source = source
        self._offset_s = offset_s
        self._has_year = any(part in source for part in ("%Y", "%y", "%s"))
        self._has_zone = any(part in source for part in ("%z", "%Z", "%SZ", "%S.%LZ"))
        head, has_fraction, tail = source.partition("%L")
        self._head, self._tail = head, tail if has_fraction else None
        # After a literal, what was read before it does not depend on the text after it.
        ends_with_literal = bool(head) and not head[-1].isspace() and head[-2:-1] != "%"
        self._can_cache = self._has_year and (self._tail is None or ends_with_literal)
        # The results for whole texts; and for the parts before the fraction, all of ``_head_width``, with the
        # text after the fraction.
        self._cached_texts: dict[bytes, Instant] = {}
        self._head_width = 0
        self._cached_heads: dict[bytes, tuple[bytes, int, int | None]] = {}
        self._iso = IsoFastPath.of_format(source)
        self.read_fast: Callable[[bytes], Instant | None] = (
            self._iso.read if self._iso else self._read_cached
        )

    def read(self, text: bytes, now_s: int | None = None) -> Moment:
        """Read the text up to a NUL, as in C; ``now_s``: the current time, the clock's by default."""
        nul = text.find(0)
        if nul >= 0:
            text = text[:nul]
        return self._read(text, int(time.time()) if now_s is None else now_s)

    def _read_cached(self, text: bytes) -> Instant | None:
        # The parts of the text were read before, except the fraction.
        width = self._head_width
        if not width:
            return self._cached_texts.get(text)
        cached = self._cached_heads.get(text[:width])
        if cached is None or not text.endswith(cached[0]):
            return None
        nanoseconds = fraction_ns(text[width : len(text) - len(cached[0])])
        return None if nanoseconds is None else (cached[1], nanoseconds, cached[2])

    def _read(self, text: bytes, now_s: int) -> Moment:
        length, fields = self._read_head(text, now_s)
        if length is None:
            return Moment(False, _epoch_seconds(fields), 0.0, None)
        if self._tail is None:
            moment = self._exact(fields, 0.0)
            if self._iso:
                self._iso.learn(text, b"", moment.seconds, moment.offset_s)
            elif self._can_cache:
                if len(self._cached_texts) >= _CACHE_LIMIT:
                    self._cached_texts.clear()
                self._cached_texts[text] = (moment.seconds, 0, moment.offset_s)
            return moment
        window = text[length : length + _FRACTION_DIGITS]
        found = _FRACTION.match(window)
        digits = found[0] if found else b""
        if not digits:
            return Moment(False, _epoch_seconds(fields), 0.0, None)
        fraction = float(b"0." + digits)
        rest = text[length + len(digits) :]
        if strptime(rest, self._tail, fields) is None:
            return Moment(False, _epoch_seconds(fields), fraction, None)
        moment = self._exact(fields, fraction)
        if self._iso:
            self._iso.learn(text, rest, moment.seconds, moment.offset_s)
        elif self._can_cache and digits.isdigit():
            self._cache_head(text[:length], rest, moment)
        return moment

    def _exact(self, fields: BrokenDownTime, fraction: float) -> Moment:
        if not self._has_zone and self._offset_s is not None:
            fields.offset_s, fields.has_offset = self._offset_s, True
        offset_s = fields.offset_s if fields.has_offset else None
        return Moment(True, _epoch_seconds(fields), fraction, offset_s)

    def _read_head(self, text: bytes, now_s: int) -> tuple[int | None, BrokenDownTime]:
        # The length in bytes of what stands before %L, None without a match; and its fields.
        fields = BrokenDownTime()
        if self._has_year:
            return strptime(text, self._head, fields), fields
        today = time.gmtime(now_s)
        fields.month, fields.day = today.tm_mon, today.tm_mday
        year = f"{today.tm_year:04} ".encode()
        length = strptime(year + text, f"%Y {self._head}", fields)
        return (None if length is None else length - len(year)), fields

    def _cache_head(self, head: bytes, tail: bytes, moment: Moment) -> None:
        if len(self._cached_heads) >= _CACHE_LIMIT or len(head) != self._head_width:
            self._cached_heads.clear()
        self._head_width = len(head)
        self._cached_heads[head] = (tail, moment.seconds, moment.offset_s)
