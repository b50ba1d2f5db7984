"""From a text and ``Time_Format`` to seconds and nanoseconds, as Fluent Bit gets there.

The model of ``flb_parser_time_lookup`` and ``parse_subseconds`` (``src/flb_parser.c``). Guarantees the
same instant to the nanosecond, the double included through which Fluent Bit takes a fraction: 1.7 % of
nine-digit fractions come out one nanosecond low. The clock is the caller's: ``now_s`` counts only for
formats without a year.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from node_observability.parsers.times.iso_fast_path import NANOSECONDS_PER_SECOND, Direct, Instant
from node_observability.parsers.times.strptime import BrokenDown, strptime

__all__ = [
    "NANOSECONDS_PER_SECOND",
    "Instant",
    "Moment",
    "TimeFormat",
    "TimeOffsetError",
    "offset_seconds",
]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY_S = 86400
_FRACTION_DIGITS = 9
# What strtod takes behind "0.": digits, and an exponent.
_FRACTION = re.compile(rb"[0-9]*(?:[eE][+-]?[0-9]+)?")
_CACHE_LIMIT = 4096
# C's int for a double that it can't hold; Fluent Bit does not pack such a record.
_NO_NANOSECONDS = -(2**31)
_SCALES = tuple(float(10**digits) for digits in range(10))
# The Gregorian calendar repeats; Python's begins with the year 1.
_CYCLE_YEARS = 400
_CYCLE_DAYS = 146097


class TimeOffsetError(ValueError):
    """``Time_Offset`` is none."""


class Moment(NamedTuple):
    """What a text was read as.

    Attributes:
        is_exact: False: the format did not match all of it.
        seconds: since the epoch, UTC; of what had been read where it is not exact.
        fraction: of a second, as Fluent Bit's double.
        offset_s: the zone that was read, or the parser's Time_Offset; None: neither.
    """

    is_exact: bool
    seconds: int
    fraction: float
    offset_s: int | None

    @property
    def nanoseconds(self) -> int:
        """The fraction, cut off as C does; what no integer holds (``.1e400``) is out of range there too."""
        scaled = self.fraction * NANOSECONDS_PER_SECOND
        return int(scaled) if math.isfinite(scaled) else _NO_NANOSECONDS


def offset_seconds(text: str) -> int:
    """Return ``Time_Offset`` in seconds: ``Z``, ``+hhmm``, ``+hh:mm``.

    Raises:
        TimeOffsetError: it is none of these.
    """
    if text.startswith("Z"):
        return 0
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if not found or int(found[2]) >= 60 or int(found[3]) >= 60:  # noqa: PLR2004 - as Fluent Bit checks
        raise TimeOffsetError(f"{text} is no offset like +0900 or +09:00")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds


def _seconds(moment: BrokenDown) -> int:
    if moment.epoch_s is not None:
        return moment.epoch_s - moment.offset_s
    # Day 366 of a year of 365 comes out as the 13th month.
    year, month, cycles = moment.year + (moment.month - 1) // 12, (moment.month - 1) % 12 + 1, 0
    if not 1 <= year <= 9999:  # noqa: PLR2004 - what Python's calendar has
        cycles = (year - 1) // _CYCLE_YEARS
        year -= cycles * _CYCLE_YEARS
    days = date(year, month, 1).toordinal() - _EPOCH_ORDINAL + moment.day - 1
    days += cycles * _CYCLE_DAYS
    clock_s = moment.hour * 3600 + moment.minute * 60 + moment.second
    return days * _DAY_S + clock_s - moment.offset_s


@dataclass(slots=True)
class _Head:
    """What the format before ``%L`` made of a text, and how many bytes that took; None: no match."""

    used: int | None
    moment: BrokenDown


class TimeFormat:
    """``Time_Format`` with the parser's ``Time_Offset``.

    Attributes:
        form: the format.
        quick: reads a text as ``read`` does, the usual ones alone; None: it takes ``read``.
    """

    def __init__(self, form: str, offset_s: int | None = None) -> None:
        self.form = form
        self._offset_s = offset_s
        self._has_year = any(part in form for part in ("%Y", "%y", "%s"))
        self._has_zone = any(part in form for part in ("%z", "%Z", "%SZ", "%S.%LZ"))
        head, mark, tail = form.partition("%L")
        self._head, self._tail = head, tail if mark else None
        # Behind a literal, what was read before it can't depend on what comes after it.
        ends_literally = bool(head) and not head[-1].isspace() and head[-2:-1] != "%"
        self._can_cache = self._has_year and (self._tail is None or ends_literally)
        self._width = 0
        # What was read before: whole texts; and what stands before the fraction, always ``_width`` long, with
        # what stood behind it and what the two came to.
        self._whole: dict[bytes, Instant] = {}
        self._heads: dict[bytes, tuple[bytes, int, int | None]] = {}
        self._direct = Direct.of(form)
        self.quick: Callable[[bytes], Instant | None] = (
            self._direct.read if self._direct else self._known
        )

    def read(self, text: bytes, now_s: int | None = None) -> Moment:
        """Read the text, which a NUL ends, as in C; ``now_s``: this year and day, the clock's by default."""
        nul = text.find(0)
        if nul >= 0:
            text = text[:nul]
        return self._read(text, int(time.time()) if now_s is None else now_s)

    def _known(self, text: bytes) -> Instant | None:
        # A text whose parts were read before, the fraction aside.
        width = self._width
        if not width:
            return self._whole.get(text)
        known = self._heads.get(text[:width])
        if known is None or not text.endswith(known[0]):
            return None
        digits = text[width : len(text) - len(known[0])]
        # Fluent Bit takes nine digits at most, and an exponent too.
        if not digits.isdigit() or len(digits) > _FRACTION_DIGITS:
            return None
        # A division rounds as strtod does: both numbers are whole and exact.
        return known[1], int(int(digits) / _SCALES[len(digits)] * NANOSECONDS_PER_SECOND), known[2]

    def _read(self, text: bytes, now_s: int) -> Moment:
        head = self._read_head(text, now_s)
        moment = head.moment
        if head.used is None:
            return Moment(False, _seconds(moment), 0.0, None)
        if self._tail is None:
            exact = self._exact(moment, 0.0)
            if self._direct:
                self._direct.remember(text, b"", exact.seconds, exact.offset_s)
            elif self._can_cache:
                if len(self._whole) >= _CACHE_LIMIT:
                    self._whole.clear()
                self._whole[text] = (exact.seconds, 0, exact.offset_s)
            return exact
        window = text[head.used : head.used + _FRACTION_DIGITS]
        found = _FRACTION.match(window)
        digits = found[0] if found else b""
        if not digits:
            return Moment(False, _seconds(moment), 0.0, None)
        fraction = float(b"0." + digits)
        rest = text[head.used + len(digits) :]
        if strptime(rest, self._tail, moment) is None:
            return Moment(False, _seconds(moment), fraction, None)
        exact = self._exact(moment, fraction)
        if self._direct:
            self._direct.remember(text, rest, exact.seconds, exact.offset_s)
        elif self._can_cache and digits.isdigit():
            self._remember(text[: head.used], rest, exact)
        return exact

    def _exact(self, moment: BrokenDown, fraction: float) -> Moment:
        if not self._has_zone and self._offset_s is not None:
            moment.offset_s, moment.has_offset = self._offset_s, True
        return Moment(
            True,
            _seconds(moment),
            fraction,
            moment.offset_s if moment.has_offset else None,
        )

    def _read_head(self, text: bytes, now_s: int) -> _Head:
        moment = BrokenDown()
        if self._has_year:
            return _Head(strptime(text, self._head, moment), moment)
        today = time.gmtime(now_s)
        moment.month, moment.day = today.tm_mon, today.tm_mday
        year = f"{today.tm_year:04} ".encode()
        used = strptime(year + text, f"%Y {self._head}", moment)
        return _Head(None if used is None else used - len(year), moment)

    def _remember(self, head: bytes, tail: bytes, exact: Moment) -> None:
        if len(self._heads) >= _CACHE_LIMIT or len(head) != self._width:
            self._heads.clear()
        self._width = len(head)
        self._heads[head] = (tail, exact.seconds, exact.offset_s)
