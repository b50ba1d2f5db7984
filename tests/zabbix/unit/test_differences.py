"""Differences that a server reports, as lines for people."""

import pytest

from node_observability.zabbix.server.differences import lines


def _template(before: object, after: object) -> dict[str, object]:
    side = {"template": "t", "same": 1}
    part = {"before": {**side, "value": before}, "after": {**side, "value": after}}
    return {"templates": {"updated": [part]}}


def _macros(**values: str) -> list[dict[str, str]]:
    return [{"macro": name, "value": value} for name, value in values.items()]


@pytest.mark.parametrize(
    ("before", "after", "printed"),
    [
        ("30s", "10s", "value: `30s` -> `10s`"),
        (None, "10s", "value: not set -> `10s`"),
        (_macros(a="1", b="2"), _macros(a="1", b="3"), "value: `b`: value: `2` -> `3`"),
        (_macros(a="1"), [], "value: `a`: {'macro': 'a', 'value': '1'} -> not set"),
        (None, _macros(a="1"), "value: not set -> [{'macro': 'a', 'value': '1'}]"),
        (_macros(b="2", a="1"), _macros(a="1", b="3"), "value: `b`: value: `2` -> `3`"),
        (
            [{"type": "A"}, {"type": "B"}],
            [{"type": "A"}, {"type": "C"}],
            "value: 2.: type: `B` -> `C`",
        ),
        ({"expression": "x"}, {"expression": "y"}, "value: expression: `x` -> `y`"),
        ([{"name": "b"}, {"name": "a"}], [{"name": "a"}, {"name": "b"}], "value: in another order"),
        (["1", "2"], ["1"], "value: ['1', '2'] -> ['1']"),
        (f"{'a' * 500}x", f"{'a' * 500}y", f"value: …{'a' * 40}x` -> …{'a' * 40}y`"),
        ("x" * 500, "", f"value: `{'x' * 199}… -> ``"),
    ],
)
def test_a_difference_names_the_part_that_differs_and_both_values(
    before: object, after: object, printed: str
) -> None:
    assert lines(_template(before, after)) == [f"template `t`: {printed}"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_macros(b="2", a="1"), _macros(a="1", b="2")),
        ([{"tag": "b"}, {"tag": "a"}], [{"tag": "a"}, {"tag": "b"}]),
        (None, ""),
        ([{"macro": "a"}], _macros(a="")),
    ],
)
def test_values_that_mean_the_same_to_a_server_do_not_differ(before: object, after: object) -> None:
    assert lines(_template(before, after)) == []


def test_added_and_removed_parts_are_named_with_their_parents() -> None:
    item = {"after": {"key": "agent.ping"}}
    trigger = {"before": {"uuid": "0123", "name": "Agent is silent"}}
    inner = {"items": {"added": [item]}, "triggers": {"removed": [trigger]}}
    part = {"before": {"template": "t"}, "after": {"template": "t"}, **inner}
    assert lines({"templates": {"updated": [part]}}) == [
        "template `t` > item `agent.ping`: added",
        "template `t` > trigger `Agent is silent`: removed",
    ]
    assert lines([]) == []
