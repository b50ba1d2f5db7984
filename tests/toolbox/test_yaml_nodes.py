"""YAML is read with its lines, and what would take all memory or time is refused."""

import pytest

from node_observability.errors import UsageError
from node_observability.inputs.yaml_nodes import compose, compose_one, load_all

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def test_aliases_that_multiply_are_refused_with_their_line() -> None:
    with pytest.raises(UsageError, match=r"^bomb.yaml:7: more than 1,000,000 values"):
        compose(BOMB, "bomb.yaml")


def test_aliases_as_people_use_them_are_read() -> None:
    (root,) = compose("a: &a [x]\nb: [*a, *a]\n", "a.yaml")
    assert root.value[1][1].value[0] is root.value[1][1].value[1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [\n", "a.yaml:2: not YAML: did not find expected node content"),
        ("a: 1\n---\n" + "[" * 200_000, "a.yaml:3: nested more than 100 levels deep"),
        ("a: 1\n---\nb: \x01\n", "a.yaml:3: not YAML: the character U+0001 is not allowed"),
        ("a: 2026-99-99\n", "a.yaml:1: not YAML: month must be in 1..12"),
        ("a: *hunter2\n", "a.yaml:1: not YAML: found undefined alias; quote a value that begins"),
        ("\na: !hunter2 x\n", "a.yaml:2: not YAML: could not determine a constructor for the tag;"),
    ],
)
def test_what_is_not_yaml_is_one_error_with_its_line_and_no_secret(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_all(text, "a.yaml")
    assert str(refused.value).startswith(problem)
    assert "hunter2" not in str(refused.value)


def test_every_document_is_loaded_and_one_can_be_demanded() -> None:
    assert load_all("a: 1\n---\n- b\n", "a.yaml") == [{"a": 1}, ["b"]]
    assert compose_one("# nothing\n", "a.yaml") is None
    with pytest.raises(UsageError, match=r"^a.yaml:3: a second YAML document; keep one$"):
        compose_one("a: 1\n---\nb: 1\n", "a.yaml")
