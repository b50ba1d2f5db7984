"""Shows how the actual record differs from the expected one, value by value.

Guarantees that different values look different. Texts are in quotes with control characters escaped, bytes
that are not UTF-8 are ``!bytes "…"``, numbers have no quotes, and similar characters are shown by their code
points.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from node_observability.parsers.cases.values import Expected, normalize_time
from node_observability.parsers.model.types import Value

__all__ = ["Path", "differences", "is_same", "quoted"]

_MAX_SHOWN = 160
# The keys and the indices that lead to a value.
Path = tuple[str | int, ...]


def is_same(one: Expected | None, other: Expected | None, path: Path = ()) -> bool:
    """Return whether two values mean the same; ``path`` is where they stand within what is expected.

    ``1``, ``1.0`` and ``True`` differ. Two notations of one time do not.
    """
    if one is None or other is None:
        return one is other
    return dict(_flatten(path, one)) == dict(_flatten(path, other))


def differences(expected: Expected | None, actual: Expected) -> list[str]:
    """Return a line for each expected value (-) that is missing, and for each actual value (+) instead."""
    got = dict(_flatten((), actual))
    if expected is None:
        added = [f"+ {_path_text(path)}: {_shortened(text, 0)}" for path, text in got.items()]
        return ["the case has no expected; --update writes it", *added]
    wanted = dict(_flatten((), expected))
    lines = []
    for path in [*wanted, *(path for path in got if path not in wanted)]:
        pair = [wanted.get(path, ""), got.get(path, "")]
        if pair[0] == pair[1]:
            continue
        if _look(pair[0]) == _look(pair[1]):
            pair = [text.encode("ascii", "backslashreplace").decode() for text in pair]
        start = _first_shown(*pair)
        lines += [f"- {_path_text(path)}: {_shortened(pair[0], start)}"] if path in wanted else []
        lines += [f"+ {_path_text(path)}: {_shortened(pair[1], start)}"] if path in got else []
    return lines


def quoted(data: bytes) -> str:
    """Return a text in quotes; bytes that are not UTF-8 become ``!bytes "…"``."""
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        escaped = data.decode("latin-1").encode("unicode_escape").decode()
        return '!bytes "' + escaped.replace('"', '\\"') + '"'


def _look(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _path_text(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            is_plain = step.replace("_", "a").isalnum()
            text += ("." if text else "") + (step if is_plain else repr(step))
    return text or "record"


def _first_shown(one: str, other: str) -> int:
    """Return the index from which to show two long texts, so that their first difference is visible."""
    same = next(at for at, (a, b) in enumerate(zip_longest(one, other)) if a != b)
    return max(0, same - _MAX_SHOWN // 4) if max(len(one), len(other)) > _MAX_SHOWN else 0


def _shortened(text: str, start: int) -> str:
    rest = text[start:]
    is_long = len(rest) > _MAX_SHOWN
    shown = f"{rest[:_MAX_SHOWN]}… ({len(text)} characters)" if is_long else rest
    return f"…{shown}" if start else shown


def _flatten(path: Path, value: Expected | Value) -> Iterator[tuple[Path, str]]:
    steps: Iterable[tuple[str | int, Expected | Value]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    if isinstance(value, dict | list) and value:
        for step, item in steps:
            yield from _flatten((*path, step), item)
    else:
        yield path, _shown(path, value)


def _shown(path: Path, value: Expected | Value) -> str:
    if isinstance(value, str):
        return value  # The word unmatched.
    if not isinstance(value, bytes):
        return repr(value)
    is_time = path == ("time",) or (path[1:] == ("time",) and isinstance(path[0], int))
    return repr(normalize_time(value.decode())) if is_time else quoted(value)
