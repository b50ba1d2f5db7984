"""Pure: the order in which entries of several files are handed over.

Entries of one boot follow their sequence numbers, which all files of a journald share; boots, and entries
whose number can't be right, follow the clock. Within a file the order of writing is kept whatever the clock
says. The order is for people: what is written exactly once does not depend on it.
"""

import bisect
import itertools
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

    At most ``entries``, and none later than ``until_us`` but the first. Files whose times do not overlap
    follow each other by the clock: journald may have begun a new numbering between them.
    """
    found: list[tuple[int, int]] = []
    for which in _overlapping(fronts):
        part = [fronts[one] for one in which]
        picks = _by_number(part, entries - len(found))
        late = (
            at
            for at, (one, index) in enumerate(picks)
            if part[one].times_us[index] > until_us and (found or at)
        )
        stop = next(late, len(picks))
        found += [(which[one], index) for one, index in picks[:stop]]
        is_whole = stop == sum(len(front.numbers) for front in part)
        if not is_whole or any(front.more for front in part):
            break
    return found


def _overlapping(fronts: Sequence[Front]) -> list[list[int]]:
    """Return the fronts in groups whose times overlap, the earliest first."""
    groups: list[list[int]] = []
    end_us = -1
    for which in sorted(range(len(fronts)), key=lambda one: fronts[one].times_us[0]):
        times_us = fronts[which].times_us
        if times_us[0] > end_us:
            groups.append([])
        groups[-1].append(which)
        end_us = max(end_us, times_us[-1])
    return groups


def _by_number(fronts: Sequence[Front], entries: int) -> list[tuple[int, int]]:
    """Return which of at most so many entries come next, as far as none of the others can precede them."""
    if len(fronts) == 1:
        return [(0, index) for index in range(min(len(fronts[0].numbers), entries))]
    bound = min((front.numbers[-1] for front in fronts if front.more), default=None)
    merged: list[tuple[int, int, int]] = []
    for which, front in enumerate(fronts):
        count = len(front.numbers)
        if bound is not None:
            count = bisect.bisect_right(front.numbers, bound)
        count = min(count, entries)
        merged += zip(front.numbers[:count], itertools.repeat(which), range(count), strict=False)
    merged.sort()
    return [(which, index) for _number, which, index in merged[:entries]]
