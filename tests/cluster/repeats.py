"""Which lines Zabbix' history may have more than once.

To an agent that starts, the server sends the position of the last line that it stored. Lines that it had
acknowledged and not stored yet are sent again (docs/reference/zabbix.md). So a line may be there once more
for each start of an agent between its logging and its first copy in the history, and never otherwise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["unexplained"]


def unexplained(
    found: Counter[int],
    sent_s: Sequence[float],
    seen_s: Mapping[int, float],
    starts_s: Iterable[float],
) -> dict[int, int]:
    """Return how often lines are in the history that are there more often than agent starts explain; pure.

    ``found`` has how often each line is there; a start must not be given later than it was.
    """
    starts = sorted(set(starts_s))
    return {
        number: count
        for number, count in sorted(found.items())
        if count > 1 + sum(sent_s[number] < start <= seen_s[number] for start in starts)
    }
