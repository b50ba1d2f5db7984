"""Turns the answer of ``configuration.importcompare`` into lines for people; pure.

The answer is a tree: each kind of part has ``added``, ``updated`` and ``removed``. An updated part has
``before`` and ``after``, and the same tree for its own parts.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["lines"]

_NAMES = ("key", "name", "template", "macro", "tag")
_EMPTY = {"", "None"}  # an export leaves out what is empty
_LIMIT = 200  # characters of a value that are shown; the template has all of it
_CONTEXT = 40  # characters shown before the first that differs


def lines(answer: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return one line per part that differs."""
    return list(_parts(answer, ""))


def _parts(tree: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if not isinstance(tree, dict):  # PHP encodes an empty object as []
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
        yield f"{path}: {change}"  # with all its parts
        return
    yield from _values(part.get("before", {}), part.get("after", {}), path)
    yield from _parts(part, f"{path} > ")


def _name(part: dict[str, Any]) -> str:
    return next((str(part[key]) for key in _NAMES if part.get(key)), "")


def _values(before: Any, after: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the values that differ, down to the level at which they have names."""
    old, new = _children(before), _children(after)
    if old is None or new is None:
        if before != after and not _EMPTY.issuperset((str(before), str(after))):
            yield f"{path}: {_pair(before, after)}"
        return
    found = False
    for name in sorted({*old, *new}):
        for line in _values(old.get(name), new.get(name), f"{path}: {name}"):
            found = True
            yield line
    # Macros and tags have no order: servers sort them in different ways.
    if not found and list(old) != list(new) and not _is_set(after):
        yield f"{path}: in another order"


def _children(value: Any) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
    """Return the parts of a value by the names that people see; None if it has no parts."""
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
    """Return both values; long ones are cut to the part around the first difference."""
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
