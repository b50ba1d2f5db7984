"""Which answers of the API are refused, and why: good answers with one wrong field."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from node_observability.zabbix.server.answers import problem

# As Zabbix 7.0 answers, with fields that the commands don't use.
_ANSWERS: dict[str, Any] = {
    "apiinfo.version": "7.0.22",
    "user.login": "0424bd59b807674191e7d77572075f33",
    "template.get": [{"templateid": "10600"}],
    "hostgroup.get": [{"groupid": "22"}],
    "autoregistration.get": {"tls_accept": "1"},
    "usermacro.get": [
        {"globalmacroid": "3", "macro": "{$A}", "value": "", "description": "", "type": "0"}
    ],
    "action.get": [
        {
            "actionid": "7",
            "name": "node-observability: register nodes of c",
            "status": "0",
            "filter": {
                "evaltype": "0",
                "conditions": [
                    {"conditiontype": "24", "operator": "8", "value": "c", "value2": ""}
                ],
            },
            "operations": [
                {"operationtype": "2", "evaltype": "0"},
                {"operationtype": "4", "opgroup": [{"groupid": "22"}], "opmessage": []},
                {"operationtype": "6", "optemplate": [{"templateid": "10600"}]},
            ],
        }
    ],
    "host.get": [
        {
            "hostid": "10601",
            "host": "node-a",
            "status": "0",
            "maintenance_status": "0",
            "tags": [{"tag": "a", "value": "b"}],
            "parentTemplates": [{"host": "T"}],
        }
    ],
    "item.get": [
        {
            "itemid": "40000",
            "hostid": "10601",
            "lastclock": "1795851329",
            "state": "0",
            "error": "",
            "status": "0",
        }
    ],
    "configuration.importcompare": {
        "templates": {
            "updated": [
                {
                    "before": {"uuid": "a", "name": "old", "tags": []},
                    "after": {"uuid": "a", "name": "new", "tags": []},
                    "items": {"added": [{"after": {"uuid": "b", "key": "k"}}], "removed": []},
                }
            ]
        }
    },
}
_UNUSED = {"macro", "description", "type", "name", "evaltype", "value2", "opmessage", "itemid"}
_TREE = "configuration.importcompare"


@pytest.mark.parametrize("method", _ANSWERS)
def test_an_answer_as_the_api_gives_it_is_accepted(method: str) -> None:
    assert problem(method, _ANSWERS[method]) == ""


@pytest.mark.parametrize("method", [*_ANSWERS.keys() - {"apiinfo.version", "user.login"}])
def test_an_empty_list_is_accepted_where_the_api_may_find_nothing(method: str) -> None:
    expected = "the result is not an object" if method == "autoregistration.get" else ""
    assert problem(method, []) == expected


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401 - JSON
    yield place
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in pairs if isinstance(value, dict | list) else ():
        if key not in _UNUSED:
            yield from _places(part, (*place, key))


@pytest.mark.parametrize("wrong", [None, True, 1.5, -1, ["x"], [[]], {"a": 1}])
@pytest.mark.parametrize(
    ("method", "place"),
    [
        (method, place)
        for method in _ANSWERS
        if method != _TREE
        for place in _places(_ANSWERS[method])
    ],
)
def test_each_field_that_is_used_is_refused_with_a_wrong_type(
    method: str, place: tuple[str | int, ...], wrong: object
) -> None:
    answer = {"result": copy.deepcopy(_ANSWERS[method])}
    at: Any = answer
    for key in (steps := ("result", *place))[:-1]:
        at = at[key]
    at[steps[-1]] = wrong
    text = "the result" + "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" for key in place
    )
    assert problem(method, answer["result"]).startswith(text)


@pytest.mark.parametrize(
    ("method", "result", "text"),
    [
        ("user.login", "", "the result is not a session"),
        ("host.get", [{}], "the result[0] has no hostid"),
        ("hostgroup.get", [{"groupid": ""}], "the result[0].groupid is not an id"),
        ("hostgroup.get", [{"groupid": 22}], "the result[0].groupid is not an id"),
        ("hostgroup.get", [{"groupid": "٢"}], "the result[0].groupid is not an id"),
        (
            "autoregistration.get",
            {"tls_accept": "9" * 5000},
            "the result.tls_accept is not a number",
        ),
        ("autoregistration.get", {"tls_accept": 10**40}, "the result.tls_accept is not a number"),
        (_TREE, True, "the result is not an object"),
        (_TREE, {"items": {"added": 5}}, "the result.items.added is not a list"),
        (_TREE, {"items": {"added": [[]]}}, "the result.items.added[0] is not an object"),
        (
            _TREE,
            {"items": {"removed": [{"before": 1}]}},
            "the result.items.removed[0] is not an object",
        ),
        (
            _TREE,
            {"items": {"updated": [{"triggers": {"added": {}}}]}},
            "the result.items.updated[0].triggers.added is not a list",
        ),
    ],
)
def test_the_problem_names_the_place_and_what_was_expected(
    method: str, result: object, text: str
) -> None:
    assert problem(method, result) == text


@pytest.mark.parametrize("result", [5, "5", 0])
def test_a_number_may_be_a_text_or_a_number(result: object) -> None:
    assert problem("autoregistration.get", {"tls_accept": result}) == ""


@pytest.mark.parametrize(
    ("levels", "text"), [(98, ""), (101, "it is nested more than 100 levels deep")]
)
def test_an_answer_that_is_nested_too_deep_is_refused(levels: int, text: str) -> None:
    tree: object = "x"
    for _ in range(levels):
        tree = [tree]
    assert problem("configuration.importcompare", {"before": tree}) == text


def test_the_result_of_a_change_is_not_checked() -> None:
    assert problem("host.update", None) == ""


def test_a_method_that_reads_must_have_a_form() -> None:
    with pytest.raises(KeyError):
        problem("trigger.get", [])
