"""Pure: which sequence numbers of a file's consecutive entries can be right."""

import bisect
import operator


def sound_numbers(numbers: list[int], before: int, tail: int) -> list[int]:
    """Return the numbers of a file's consecutive entries with 0 for those that can't be right.

    They ascend from above ``before`` and never pass ``tail``, the highest one that the file's header names.
    """
    first, last = numbers[0], numbers[-1]
    if before < first and last <= tail and all(map(operator.lt, numbers, numbers[1:])):
        return numbers
    # The longest rising series is right: one wrong number must not cost those around it.
    # ``ends`` and ``at``: the lowest number that a series of each length can end with, and its index.
    ends: list[int] = []
    at: list[int] = []
    previous = [-1] * len(numbers)
    for index, number in enumerate(numbers):
        if before < number <= tail:
            length = bisect.bisect_left(ends, number)
            previous[index] = at[length - 1] if length else -1
            ends[length : length + 1] = [number]
            at[length : length + 1] = [index]
    sound = [0] * len(numbers)
    index = at[-1] if at else -1
    while index >= 0:
        sound[index] = numbers[index]
        index = previous[index]
    return sound
