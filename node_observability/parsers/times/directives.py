"""Tables of the directives of ``strptime``, in the C locale."""

__all__ = ["COMPOUND", "DAYS", "MONTHS", "NUMBERS", "month_and_day"]

DAYS = (b"sunday", b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday")
MONTHS = (
    *(b"january", b"february", b"march", b"april", b"may", b"june", b"july"),
    *(b"august", b"september", b"october", b"november", b"december"),
)
# Directives that stand for several others.
COMPOUND = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "x": "%m/%d/%y",
}
# The field, its smallest and its largest value. The values of fields without a name are ignored.
NUMBERS = {
    "C": ("century", 0, 99),
    "d": ("day", 1, 31),
    "e": ("day", 1, 31),
    "g": ("", 0, 99),
    "H": ("hour", 0, 23),
    "I": ("hour", 1, 12),
    "j": ("year_day", 1, 366),
    "k": ("hour", 0, 23),
    "l": ("hour", 1, 12),
    "M": ("minute", 0, 59),
    "m": ("month", 1, 12),
    "S": ("second", 0, 60),
    "U": ("", 0, 53),
    "u": ("", 1, 7),
    "V": ("", 0, 53),
    "W": ("", 0, 53),
    "w": ("", 0, 6),
    "Y": ("year", 0, 9999),
    "y": ("short_year", 0, 99),
}


def month_and_day(year: int, year_day: int) -> tuple[int, int]:
    """Return month and day, both counted from 1, of a day of the year, counted from 0.

    Day 366 of a year of 365 days is in a 13th month.
    """
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    month, days = 1, year_day
    for length in lengths:
        if days < length:
            break
        days -= length
        month += 1
    return month, days + 1
