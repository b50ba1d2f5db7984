"""Settings as TOML: the order of tables, the quoting of keys and values. Pure.

Guarantees: what is written reads back as what was given (a property test holds it to that), keys with
dots or slashes are quoted (unquoted dots nest), no header needs quotes and no value is written with
escaped quotes if it can be avoided: Amazon EKS merges user data and reads neither.
The document itself is the template ``user_data.toml.j2``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Table:
    """One header of the document, and the lines under it."""

    header: str
    values: tuple[tuple[str, object], ...]


def key(name: str) -> str:
    """Return a key, quoted if it has to be."""
    return name if _BARE_KEY.fullmatch(name) else _basic(name)


def value(item: object) -> str:
    """Return a value on one line.

    Raises:
        TypeError: for what TOML or Bottlerocket has no value for.
    """
    match item:
        case bool():
            return "true" if item else "false"
        case int() | float():
            return repr(item)
        case str():
            if '"' in item and "'" not in item and not _CONTROL.search(item):
                return f"'{item}'"
            return _basic(item)
        case list() | tuple():
            return f"[{', '.join(value(inner) for inner in item)}]"
        case Mapping():
            pairs = (f"{key(name)} = {value(inner)}" for name, inner in item.items())
            return f"{{ {', '.join(pairs)} }}" if item else "{}"
        case _:
            raise TypeError(f"no TOML for {item!r}")


def tables(
    settings: Mapping[str, object], path: tuple[str, ...] = ("settings",)
) -> Iterator[Table]:
    """Yield the tables of a document, each after those that it is within."""
    plain = tuple((name, inner) for name, inner in settings.items() if not _is_nested(inner))
    if plain or not settings:
        yield Table(f"[{'.'.join(key(part) for part in path)}]", plain)
    for name, inner in settings.items():
        here = (*path, name)
        if isinstance(inner, Mapping):
            yield from tables(inner, here)
        elif isinstance(inner, list | tuple) and _is_nested(inner):
            header = f"[[{'.'.join(key(part) for part in here)}]]"
            for item in inner:
                yield Table(header, tuple(item.items()))


def _is_nested(item: object) -> bool:
    """Whether it gets a header of its own: a table, or an array of tables."""
    if isinstance(item, list | tuple):
        return bool(item) and all(isinstance(inner, Mapping) for inner in item)
    return isinstance(item, Mapping)


def _basic(text: str) -> str:
    # JSON's escapes are TOML's; only DEL must be escaped in the one and not in the other.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
