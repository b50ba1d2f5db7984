"""What ``configuration.importcompare`` answers, as lines for people; pure.

The answer is a tree: for each kind of part ``added``, ``updated`` and ``removed``; an updated part has
``before`` and ``after`` and, below it, the same for its own parts.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["lines"]

_NAMES = ("key", "name", "template", "macro")


def lines(answer: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return one line for each part that differs; none when nothing does."""
    return list(_parts(answer, ""))


def _parts(tree: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if not isinstance(tree, dict):  # PHP says [] where there is nothing
        return
    for kind, changes in tree.items():
        if kind in ("before", "after") or not isinstance(changes, dict):
            continue
        for change in ("added", "updated", "removed"):
            for part in changes.get(change, []):
                yield from _part(kind, change, part, place)


def _part(kind: str, change: str, part: dict[str, Any], place: str) -> Iterator[str]:
    side = part.get("after") or part.get("before") or {}
    name = next((str(side[key]) for key in _NAMES if side.get(key)), str(side.get("uuid", "")))
    path = f"{place}{kind.removesuffix('s').replace('_', ' ')} `{name}`"
    if change != "updated":
        yield f"{path}: {change}"  # with all that is in it
        return
    before, after = part.get("before", {}), part.get("after", {})
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield f"{path}: {key}: {_short(before.get(key))} -> {_short(after.get(key))}"
    yield from _parts(part, f"{path} > ")


def _short(value: object) -> str:
    text = (
        "nothing" if value is None else repr(value) if not isinstance(value, str) else f"`{value}`"
    )
    limit = 200
    return text if len(text) <= limit else text[:limit] + "…"
