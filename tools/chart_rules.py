"""Rules for single values of the chart, for ``files/rules.json``; a template checks them.

Helm prints a refusal of the schema as it is, such as ``'a b' does not match pattern '^[a-z]*$'``. So the
schema has only types, keys and words to choose from. These rules have the rest, with words that name the fix.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.chart_values import Value

__all__ = ["rules", "rules_text"]

_NOT_EMPTY = {"pattern": r"(?s)^.+$", "must": "not be empty"}
_OF_ITEMS: dict[str, list[dict[str, str]]] = {
    "string": [{"key": "", **_NOT_EMPTY}],
    "word": [{"key": "", "pattern": r"^[^\s,]+$", "must": "be a word without spaces and commas"}],
    "secretRef": [{"key": "name", **_NOT_EMPTY}],
    "secretRefOrName": [{"key": "name", **_NOT_EMPTY}],
    "nodeExclusion": [{"key": "key", **_NOT_EMPTY}],
    "userParameter": [
        {
            "key": "key",
            "pattern": r"^[A-Za-z0-9._*\[\]-]+$",
            "must": "be an item key of letters, digits and `._-*[]`, such as node.lspci",
        },
        {"key": "command", **_NOT_EMPTY},
    ],
    "envVar": [
        {
            "key": "name",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "must": "be a variable's name of letters, digits and `_`, such as HTTPS_PROXY",
        }
    ],
}
"""Rules for the items of a list, by their name in ``@items``. A rule without a key is for the item."""


def rules(values: Iterable[Value]) -> Iterator[dict[str, Any]]:
    """Yield the rules of all keys; those of a mapping that others override (``@like``) also for the others.

    Raises:
        ValueError: a pattern has no words that name the fix.
    """
    everything = list(_all(values))
    for value in everything:
        yield from _of_value(value, value.path)
        like = value.directives.get("like")
        for other in everything:
            if like and other.name.startswith(f"{like}."):
                below = other.path[like.count(".") + 1 :]
                yield from _of_value(other, (*value.path, *below))


def rules_text(values: Iterable[Value]) -> str:
    """Return the text of ``files/rules.json``."""
    lines = [json.dumps(rule, ensure_ascii=False) for rule in rules(values)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _all(values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        yield value
        yield from _all(value.children)


def _of_value(value: Value, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    found = value.directives
    place = {"path": list(path)}
    if "pattern" in found:
        if "must" not in found:
            raise ValueError(f"values.yaml:{value.line}: {value.name} has @pattern, but no @must")
        yield {**place, "pattern": found["pattern"], "must": found["must"]}
    if "max-length" in found:
        yield {**place, "maxLength": int(found["max-length"])}
    if "min" in found or "max" in found:
        limits = {name: int(text) for name, text in found.items() if name in ("min", "max")}
        yield {**place, **limits}
    for rule in _OF_ITEMS.get(found.get("items", ""), ()):
        yield {**place, "items": True, **rule}
