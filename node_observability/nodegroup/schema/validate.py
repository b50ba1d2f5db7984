"""Compares a parsed document with a kind and finds every problem at once. Pure.

Guarantees: no problem shows a value at or below a ``secret`` kind, nor an unknown key there; nor a string in
place of a table or an array (pasted credentials look like that); nor the account within a URL.
"""

from collections.abc import Iterator, Mapping

from node_observability.hints import close_to
from node_observability.nodegroup.schema.kinds import (
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    Unchecked,
)
from node_observability.nodegroup.schema.problem import HiddenKey, Path, Problem, without_account

_SHOWN = 60
_LARGEST_SHOWN = 2**64


def problems(
    kind: Kind, value: object, path: Path = (), *, hidden: bool = False
) -> Iterator[Problem]:
    """Yield each way in which ``value`` is not of ``kind``; ``hidden`` shows no value."""
    match kind:
        case Scalar():
            if not kind.accepts(value):
                found = "" if hidden or kind.secret else f", found {as_text(value)}"
                yield Problem(path, f"expected {kind.expects}{found}")
        case Struct():
            yield from _struct(kind, value, path, hidden=hidden or kind.secret)
        case MapOf():
            yield from _map(kind, value, path, hidden=hidden or kind.secret)
        case ListOf():
            yield from _list(kind, value, path, hidden=hidden or kind.secret)
        case OneOf():
            fitting = next((one for one in kind.kinds if _fits(one, value)), None)
            if fitting is None:
                expected = " or ".join(_expects(one) for one in kind.kinds)
                yield Problem(path, f"expected {expected}{_found(value, hidden=hidden)}")
            else:
                yield from problems(fitting, value, path, hidden=hidden)
        case Unchecked():
            if isinstance(value, dict):
                yield from _not_in_toml(value, path)
            else:
                yield Problem(path, f"expected a table{_found(value, hidden=hidden)}")


def unchecked(kind: Kind, value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each part of ``value`` that the table does not check."""
    if isinstance(kind, Unchecked):
        yield path
    elif isinstance(kind, Struct) and isinstance(value, Mapping):
        for key, inner in value.items():
            name = kind.aliases.get(key, key)
            if name in kind.fields:
                yield from unchecked(kind.fields[name], inner, (*path, key))


def as_text(value: object) -> str:
    """Return a value as errors show it: without an account in it, and shortened if it is long."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            value = without_account(value)
            cut = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
            quoted = cut.encode("unicode_escape").decode("ascii") if not cut.isprintable() else cut
            return f'"{quoted}"'
        case Mapping():
            return "a table"
        case list():
            return "an array" if value else "an empty array"
        case None:
            return "null"
        case _:
            # Python writes out no integer of more than 4300 digits.
            huge = isinstance(value, int) and abs(value) > _LARGEST_SHOWN
            return "an integer of more than 64 bits" if huge else str(value)


def type_as_text(value: object) -> str:
    """Return a value of the wrong shape as errors show it: of a string only that it is one."""
    return "a string" if isinstance(value, str) else as_text(value)


def _found(value: object, *, hidden: bool) -> str:
    return "" if hidden else f", found {type_as_text(value)}"


def _struct(kind: Struct, value: object, path: Path, *, hidden: bool) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, f"expected a table{_found(value, hidden=hidden)}")
        return
    met: dict[str, str] = {}
    for key, inner in value.items():
        name = kind.aliases.get(key, key)
        here = (*path, key)
        if name in kind.refused:
            yield Problem(here, kind.refused[name])
        elif name not in kind.fields:
            hint = close_to(str(key), [*kind.fields, *kind.aliases])
            # A typo of a known key is shown; any other key there may be a secret.
            if (hidden or kind.hides_keys) and not hint:
                here = (*path, HiddenKey(key))
            yield Problem(here, f"{kind.unknown}{hint}")
        elif name in met:
            yield Problem(here, f"{met[name]} is the same setting; keep one of them")
        else:
            met[name] = key
            yield from problems(kind.fields[name], inner, here, hidden=hidden)
    for name in kind.required:
        if name not in met:
            yield Problem((*path, name), "is missing")


def _map(kind: MapOf, value: object, path: Path, *, hidden: bool) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, f"expected a table{_found(value, hidden=hidden)}")
        return
    for key, inner in value.items():
        here = (*path, HiddenKey(key) if hidden else key)
        if isinstance(inner, Mapping) and _is_never_a_table(kind.value):
            # TOML reads key.with.dots = "x" without quotes as a table within a table.
            name = "KEY" if hidden else without_account(_with_dots(key, inner))
            yield Problem(here, f'a key with dots must be in quotes: "{name}" = …')
        elif not kind.key.accepts(key):
            yield Problem(here, f"the key must be {kind.key.expects}")
        else:
            yield from problems(kind.value, inner, here, hidden=hidden)


def _list(kind: ListOf, value: object, path: Path, *, hidden: bool) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, f"expected {_expects(kind)}{_found(value, hidden=hidden)}")
        return
    if len(value) < kind.least:
        yield Problem(path, f"expected at least {kind.least} item, found {len(value)}")
    if kind.most is not None and len(value) > kind.most:
        yield Problem(path, f"expected at most {kind.most} items, found {len(value)}")
    for index, item in enumerate(value):
        yield from problems(kind.item, item, (*path, index), hidden=hidden)


def _not_in_toml(value: object, path: Path) -> Iterator[Problem]:
    """Yield the values that can't be written as TOML, or that are not a setting (dates)."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _not_in_toml(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _not_in_toml(inner, (*path, index))
        case _ if not isinstance(value, str | int | float):
            text = f"expected a string, a number, true or false, found {as_text(value)}"
            yield Problem(path, text)


def _is_never_a_table(kind: Kind) -> bool:
    if isinstance(kind, OneOf):
        return all(_is_never_a_table(one) for one in kind.kinds)
    return isinstance(kind, Scalar | ListOf)


def _with_dots(key: str, inner: Mapping[str, object]) -> str:
    name = key
    at: object = inner
    while isinstance(at, Mapping) and at:
        first = next(iter(at))
        name += f".{first}"
        at = at[first]
    return name


def _fits(kind: Kind, value: object) -> bool:
    match kind:
        case Scalar():
            return not isinstance(value, dict | list)
        case ListOf():
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _expects(kind: Kind) -> str:
    match kind:
        case Scalar():
            return kind.expects
        case ListOf():
            item = _expects(kind.item)
            return "an array of tables" if item == "a table" else f"an array, each item {item}"
        case _:
            return "a table"
