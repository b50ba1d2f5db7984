"""Nodes are read from what kubectl prints, all of them or none."""

import pytest

from node_observability.errors import UsageError
from node_observability.inputs.nodes import parse

_NODE = '{"metadata": {"name": "a"}}'
_POD = '{"kind": "Pod", "metadata": {"name": "p"}}'
_BAD_ITEMS = {
    "7": "it is a number, not an object",
    _POD: "its kind is Pod",
    '{"metadata": {}}': "metadata.name is null, not a string",
    '{"metadata": {"name": ""}}': "metadata.name is empty",
    '{"metadata": {"name": "a", "labels": ["x"]}}': "metadata.labels is an array, not an object",
    '{"metadata": {"name": "a"}, "spec": "x"}': "spec is a string, not an object",
    '{"metadata": {"name": "a"}, "spec": {"taints": {"a": 1}}}': "spec.taints is an object",
    '{"metadata": {"name": "a"}, "spec": {"taints": [{"effect": "NoSchedule"}]}}': (
        "a taint's key is null, not a string"
    ),
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f'{{"kind": "NodeList", "items": [{_NODE}]}}', ["a"]),
        ('{"kind": "List", "items": [{"kind": "Node", "metadata": {"name": "a"}}]}', ["a"]),
        ('{"kind": "Node", "metadata": {"name": "a"}}', ["a"]),
    ],
)
def test_a_list_and_one_node_alone_are_read(text: str, names: list[str]) -> None:
    for needs_kind in (True, False):
        assert [node.name for node in parse(text, "n", needs_kind=needs_kind)] == names


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON: "),
        ('{"items": ', "not JSON: "),
        ("[" * 100_000, "not JSON: nested too deep; "),
        ("[1]", "is not a list of nodes; "),
        (_POD, "is not a list of nodes; "),
        (f'{{"kind": "PodList", "items": [{_NODE}]}}', "is not a list of nodes; "),
        ('{"kind": "List", "items": 3}', "is not a list of nodes; "),
        ('{"kind": "List", "items": []}', "lists no nodes; "),
        (
            f'{{"kind": "NodeList", "metadata": {{"continue": "x"}}, "items": [{_NODE}]}}',
            "contains only the first page of a list; ",
        ),
        (f'{{"kind": "NodeList", "items": [{_NODE}, {_NODE}]}}', "lists node a more than once; "),
        *(
            (f'{{"kind": "NodeList", "items": [{item}]}}', f"item 0 is not a node: {problem}")
            for item, problem in _BAD_ITEMS.items()
        ),
    ],
)
def test_what_is_not_a_whole_list_of_nodes_is_refused(text: str, problem: str) -> None:
    for needs_kind in (True, False):
        with pytest.raises(UsageError) as refused:
            parse(text, "n", needs_kind=needs_kind)
        (line,) = refused.value.problems
        assert line.startswith(f"n: {problem}")
        assert line.endswith("; save what `kubectl get nodes -o json` prints")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'{{"items": [{_NODE}]}}', "is not a list of nodes"),
        (_NODE, "is not a list of nodes"),
        (f'{{"kind": "List", "items": [{_NODE}]}}', "item 0 is not a node: its kind is missing"),
    ],
)
def test_an_object_without_a_kind_is_a_node_unless_kinds_are_needed(
    text: str, problem: str
) -> None:
    assert [node.name for node in parse(text, "n")] == ["a"]
    with pytest.raises(UsageError, match=f"^n: {problem}"):
        parse(text, "n", needs_kind=True)
