"""What ``configuration.importcompare`` answers, as lines for people; pure.

The answer is a tree: for each kind of part ``added``, ``updated`` and ``removed``; an updated part has
``before`` and ``after`` and, below it, the same for its own parts.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["lines"]

_NAMES = ("key", "name", "template", "macro", "tag")
_EMPTY = {"", "None"}  # an export leaves out what is empty
_LIMIT = 200  # characters of a value; its whole is in the template
_CONTEXT = 40  # characters before the first that differs


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
    name = _name(side) or str(side.get("uuid", ""))
    path = f"{place}{kind.removesuffix('s').replace('_', ' ')} `{name}`"
    if change != "updated":
        yield f"{path}: {change}"  # with all that is in it
        return
    yield from _values(part.get("before", {}), part.get("after", {}), path)
    yield from _parts(part, f"{path} > ")


def _name(part: dict[str, Any]) -> str:
    return next((str(part[key]) for key in _NAMES if part.get(key)), "")


def _values(before: Any, after: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield what differs in values, as deep as it takes to name it: lists are told by their parts."""
    old, new = _children(before), _children(after)
    if old is None or new is None:
        if before != after and not _EMPTY.issuperset((str(before), str(after))):
            yield f"{path}: {_pair(before, after)}"
        return
    told = False
    for name in sorted({*old, *new}):
        for line in _values(old.get(name), new.get(name), f"{path}: {name}"):
            told = True
            yield line
    # Macros and tags have no order; servers sort them as they like.
    if not told and list(old) != list(new) and not _is_set(after):
        yield f"{path}: in another order"


def _children(value: Any) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
    """Return the parts of a value by what people call them; None where it is one by itself."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        return None
    named = {f"`{_name(part)}`": part for part in value}
    if len(named) == len(value) and "``" not in named:
        return named
    return {f"{number}.": part for number, part in enumerate(value, 1)}


def _is_set(parts: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(parts, dict) or all("macro" in part or "tag" in part for part in parts)


def _pair(before: object, after: object) -> str:
    """Return both values, long ones from shortly before where they part."""
    old, new = _text(before), _text(after)
    start = 0
    if max(len(old), len(new)) > _LIMIT:
        same = next(
            (at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0
        )
        start = max(0, same - _CONTEXT)
    return f"{_cut(old, start)} -> {_cut(new, start)}"


def _text(value: object) -> str:
    if value is None:
        return "not set"
    return f"`{value}`" if isinstance(value, str) else repr(value)


def _cut(text: str, start: int) -> str:
    end = start + _LIMIT
    return ("…" if start else "") + text[start:end] + ("…" if text[end:] else "")
