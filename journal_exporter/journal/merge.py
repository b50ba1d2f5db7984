"""Pure: the order in which entries of several files are handed over.

Entries of one boot follow their sequence numbers, which all files of a journald share; boots, and entries
whose number can't be right, follow the clock. Within a file the order of writing is kept whatever the clock
says. The order is for people: what is written exactly once does not depend on it.
"""

import bisect
from collections.abc import Sequence
from typing import NamedTuple

Key = tuple[int, int]
"""What a file's next entries are sorted by: number and time in microseconds, neither ever falling."""


class Front(NamedTuple):
    """The next entries of one file that belong to one boot.

    ``numbers`` and ``times_us`` never fall. ``more``: whether the file has further entries of that boot.
    """

    numbers: Sequence[int]
    times_us: Sequence[int]
    more: bool


def rising(values: Sequence[int], least: int) -> list[int]:
    """Return the values with each at least as high as the one before; zeros take its value."""
    found = []
    for value in values:
        least = max(least, value)
        found.append(least)
    return found


def order(fronts: Sequence[Front], *, until_us: int, entries: int) -> list[tuple[int, int]]:
    """Return which entries come next, as (front, index within it).

    At most ``entries``, and none later than ``until_us`` but the first.
    """
    if len(fronts) == 1:
        numbers, times_us, _more = fronts[0]
        count = min(len(numbers), entries, max(1, bisect.bisect_right(times_us, until_us)))
        return [(0, index) for index in range(count)]
    bound = min((front.numbers[-1] for front in fronts if front.more), default=None)
    merged: list[tuple[int, int, int]] = []
    for which, front in enumerate(fronts):
        count = len(front.numbers)
        if bound is not None:
            count = bisect.bisect_right(front.numbers, bound)
        count = min(count, entries)
        merged += [(front.numbers[index], which, index) for index in range(count)]
    merged.sort()
    found: list[tuple[int, int]] = []
    for _number, which, index in merged[:entries]:
        if found and fronts[which].times_us[index] > until_us:
            break
        found.append((which, index))
    return found
