"""Writes settings as TOML: the order of tables, the quotes of keys and values. Pure.

Guarantees: the output reads back as the input, and keys with dots or slashes are quoted (unquoted dots
nest). It avoids escaped quotes where it can, since Amazon EKS, which merges user data, can't read them.
Not here: the document as a whole, which is the template ``user_data.toml.j2``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Valid in TOML, but some programs on the way take them for line ends, or lose them.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True)
class Table:
    """One header of the document, and the keys and values below it."""

    header: str
    values: tuple[tuple[str, object], ...]


def key(name: str) -> str:
    """Return a key as TOML, in quotes if it needs them."""
    return name if _BARE_KEY.fullmatch(name) else _basic(name)


def value(item: object) -> str:
    """Return a value as TOML on one line.

    Raises:
        TypeError: Bottlerocket's settings have no values of this type.
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
    """Yield the tables of a document, each after the tables around it."""
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
    """Whether a value gets a header: a table, or an array of tables."""
    if isinstance(item, list | tuple):
        return bool(item) and all(isinstance(inner, Mapping) for inner in item)
    return isinstance(item, Mapping)


def _basic(text: str) -> str:
    # JSON's escapes are TOML's.
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04X}", quoted)
