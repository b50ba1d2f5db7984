"""The forms that the API's answers must have; pure.

Guarantees: after the check, every field that the commands use has its type, and no answer is nested so deep
that a recursion over it fails. What the commands don't use is not checked, so that later versions may add
fields. Answers of another form come from a proxy, a portal or a damaged frontend.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["problem"]

_ID: Final = "an id"
_NUMBER: Final = "a number"
_TIME: Final = "a Unix time"
_TEXT: Final = "a text"
_TOKEN: Final = "a session"  # noqa: S105 - the name of a form
_TREE: Final = "a comparison"
# The API writes numbers as texts; 20 digits are a 64-bit number.
_DIGITS: Final = re.compile("[0-9]{1,20}")
_TIME_DIGITS: Final = re.compile("[0-9]{0,15}")
# A template's comparison has 20 levels. Python's JSON reads thousands.
_MAX_DEPTH: Final = 100
_CHANGES: Final = ("added", "updated", "removed")

# A field whose name ends with ``?`` may be missing. A list has any number of items of its one form.
_FORMS: Final[dict[str, Any]] = {
    "apiinfo.version": _TEXT,
    "user.login": _TOKEN,
    "configuration.importcompare": _TREE,
    "template.get": [{"templateid": _ID}],
    "hostgroup.get": [{"groupid": _ID}],
    "autoregistration.get": {"tls_accept": _NUMBER},
    # A secret macro has no value.
    "usermacro.get": [{"globalmacroid": _ID, "value?": _TEXT}],
    "action.get": [
        {
            "actionid": _ID,
            "status": _NUMBER,
            "filter": {
                "conditions": [{"conditiontype": _NUMBER, "operator": _NUMBER, "value": _TEXT}]
            },
            "operations": [
                {
                    "operationtype": _NUMBER,
                    "opgroup?": [{"groupid": _ID}],
                    "optemplate?": [{"templateid": _ID}],
                }
            ],
        }
    ],
    "host.get": [
        {
            "hostid": _ID,
            "host": _TEXT,
            "status": _NUMBER,
            "maintenance_status": _NUMBER,
            "tags": [{"tag": _TEXT, "value": _TEXT}],
            "parentTemplates": [{"host": _TEXT}],
        }
    ],
    "item.get": [
        {
            "hostid": _ID,
            "lastclock": _TIME,
            "state": _NUMBER,
            "error": _TEXT,
            "status": _NUMBER,
        }
    ],
}


def problem(method: str, result: object) -> str:
    """Return what is wrong with a method's result, or an empty text.

    Raises:
        KeyError: the method reads from the server, and has no form here.
    """
    if _is_too_deep(result):
        return f"it is nested more than {_MAX_DEPTH} levels deep"
    if method not in _FORMS and not method.endswith(".get"):
        return ""  # a change, whose result is not used
    return next(_problems(_FORMS[method], result, "the result"), "")


def _problems(form: Any, value: object, place: str) -> Iterator[str]:  # noqa: ANN401 - a form
    if form == _TREE:
        yield from _tree_problems(value, place)
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield f"{place} is not a list"
            return
        for number, part in enumerate(value):
            yield from _problems(form[0], part, f"{place}[{number}]")
    elif isinstance(form, dict):
        yield from _object_problems(form, value, place)
    elif not _is_scalar(form, value):
        yield f"{place} is not {form}"


def _object_problems(form: dict[str, Any], value: object, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is not an object"
        return
    for key, part in form.items():
        name = key.removesuffix("?")
        if name in value:
            yield from _problems(part, value[name], f"{place}.{name}")
        elif name == key:
            yield f"{place} has no {name}"


def _is_scalar(form: str, value: object) -> bool:
    if form in (_NUMBER, _TIME) and isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1 << 64 else ""
    if not isinstance(value, str):
        return False
    if form in (_ID, _NUMBER):
        return _DIGITS.fullmatch(value) is not None
    if form == _TIME:
        return _TIME_DIGITS.fullmatch(value) is not None
    return form == _TEXT or bool(value)


def _tree_problems(tree: object, place: str) -> Iterator[str]:
    """Yield what is wrong with a comparison, or with one of its parts, which have the same form."""
    if tree == []:  # PHP encodes an empty object so
        return
    if not isinstance(tree, dict):
        yield f"{place} is not an object"
        return
    for kind, changes in tree.items():
        if kind in ("before", "after") or not isinstance(changes, dict):
            continue
        for change in _CHANGES:
            parts = changes.get(change, [])
            where = f"{place}.{kind}.{change}"
            if not isinstance(parts, list):
                yield f"{where} is not a list"
                continue
            for number, part in enumerate(parts):
                sides = [part] if not isinstance(part, dict) else _sides(part)
                if not all(isinstance(side, dict) for side in sides):
                    yield f"{where}[{number}] is not an object"
                elif change == "updated":
                    yield from _tree_problems(part, f"{where}[{number}]")


def _sides(part: dict[str, object]) -> list[object]:
    return [part[side] for side in ("before", "after") if side in part]


def _is_too_deep(value: object) -> bool:
    """Whether a value has too many levels; without a recursion."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            part
            for parts in level
            if isinstance(parts, list | dict)
            for part in (parts.values() if isinstance(parts, dict) else parts)
        ]
        if not level:
            return False
    return True
