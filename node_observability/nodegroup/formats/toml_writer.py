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
# Valid in TOML as they are, and taken for line ends, or lost, by what carries the document.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


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
            if '"' in item and not re.search(rf"'|{_CONTROL.pattern}|{_UNSAFE.pattern}", item):
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
    # JSON's escapes are TOML's.
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04X}", quoted)
