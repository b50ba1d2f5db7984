"""How what came out differs from what is expected, value by value, for a person to read.

Guarantees that two values which differ are shown differently: a text in quotes, its control characters
escaped, bytes that are no UTF-8 as ``!bytes "…"``, a number bare; look-alikes by their code points.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from node_observability.parsers.cases.values import Expected, normal
from node_observability.parsers.model.types import Value

__all__ = ["Path", "differences", "is_same", "quoted"]

_SHOWN = 160
# The keys and the indices that lead to a value.
Path = tuple[str | int, ...]


def is_same(one: Expected | None, other: Expected | None, path: Path = ()) -> bool:
    """Whether both say the same: ``1`` is neither ``1.0`` nor ``True``, a time is one in any notation.

    ``path`` is where in what is expected the two stand.
    """
    if one is None or other is None:
        return one is other
    return dict(_flat(path, one)) == dict(_flat(path, other))


def differences(expected: Expected | None, actual: Expected) -> list[str]:
    """Return a line for each value that is expected (-) and each that came instead (+)."""
    got = dict(_flat((), actual))
    if expected is None:
        added = [f"+ {_name(path)}: {_clipped(text, 0)}" for path, text in got.items()]
        return ["the case says no expected; --update writes it", *added]
    wanted = dict(_flat((), expected))
    lines = []
    for path in [*wanted, *(path for path in got if path not in wanted)]:
        pair = [wanted.get(path, ""), got.get(path, "")]
        if pair[0] == pair[1]:
            continue
        if _looks(pair[0]) == _looks(pair[1]):
            pair = [text.encode("ascii", "backslashreplace").decode() for text in pair]
        cut = _cut(*pair)
        lines += [f"- {_name(path)}: {_clipped(pair[0], cut)}"] if path in wanted else []
        lines += [f"+ {_name(path)}: {_clipped(pair[1], cut)}"] if path in got else []
    return lines


def quoted(data: bytes) -> str:
    """Return a text in quotes, bytes that are no UTF-8 as ``!bytes "…"``."""
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        escaped = data.decode("latin-1").encode("unicode_escape").decode()
        return '!bytes "' + escaped.replace('"', '\\"') + '"'


def _looks(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _name(path: Path) -> str:
    name = ""
    for step in path:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            is_plain = step.replace("_", "a").isalnum()
            name += ("." if name else "") + (step if is_plain else repr(step))
    return name or "record"


def _cut(one: str, other: str) -> int:
    """Return where to begin to show two long texts, so that the first difference is seen."""
    same = next(at for at, (a, b) in enumerate(zip_longest(one, other)) if a != b)
    return max(0, same - _SHOWN // 4) if max(len(one), len(other)) > _SHOWN else 0


def _clipped(text: str, cut: int) -> str:
    rest = text[cut:]
    shown = f"{rest[:_SHOWN]}… ({len(text)} characters)" if len(rest) > _SHOWN else rest
    return f"…{shown}" if cut else shown


def _flat(path: Path, value: Expected | Value) -> Iterator[tuple[Path, str]]:
    steps: Iterable[tuple[str | int, Expected | Value]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    if isinstance(value, dict | list) and value:
        for step, item in steps:
            yield from _flat((*path, step), item)
    else:
        yield path, _shown(path, value)


def _shown(path: Path, value: Expected | Value) -> str:
    if isinstance(value, str):
        return value  # unmatched, the word
    if not isinstance(value, bytes):
        return repr(value)
    is_time = path == ("time",) or (path[1:] == ("time",) and isinstance(path[0], int))
    return repr(normal(value.decode())) if is_time else quoted(value)
