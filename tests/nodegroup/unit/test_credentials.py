"""Where secrets come from, with an environment of our own."""

from pathlib import Path

import pytest

from node_observability.nodegroup import assembly, credentials, render
from tests.support.nodegroups import described

AT = ("registries", 0, "password")


def test_a_secret_is_read_from_the_environment() -> None:
    resolve = credentials.reader({"PASSWORD": "hunter2\n"}, Path())
    assert resolve({"env": "PASSWORD"}, AT) == "hunter2"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "the environment has no PASSWORD; set it"),
        ({"PASSWORD": ""}, "the environment variable PASSWORD is empty"),
        ({"PASSWORD": "hunter2\nb"}, "the environment variable PASSWORD has more than one line"),
    ],
)
def test_a_variable_that_holds_no_secret_is_told_without_its_value(
    environment: dict[str, str], expected: str
) -> None:
    with pytest.raises(credentials.SecretError) as caught:
        credentials.reader(environment, Path())({"env": "PASSWORD"}, AT)
    assert caught.value.problem.sentence == f"registries[0].password: {expected}"


def test_a_file_is_relative_to_the_description(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\r\n")
    resolve = credentials.reader({}, tmp_path)
    assert resolve({"file": "password"}, AT) == "hunter2"
    assert resolve({"file": str(tmp_path / "password")}, AT) == "hunter2"


def test_a_secret_that_eks_could_not_merge_is_told_without_its_value() -> None:
    group = described(
        cluster={"name": "demo", "region": "eu-west-1"},
        instanceTypes=["m5.large"],
        registries=[{"registry": "r", "username": "u", "password": {"env": "PASSWORD"}}],
    )
    resolve = credentials.reader({"PASSWORD": 'hunter"2'}, Path())
    tree = assembly.settings(group, resolve)
    (problem,) = render.losses_by_secrets("eksctl-managed", group, tree)
    assert "a credential has quotes" in problem.sentence
    assert "hunter" not in problem.sentence
    # Its own node groups are not merged by EKS.
    assert render.losses_by_secrets("eksctl", group, tree) == []
    assert 'hunter\\"2' in render.render("eksctl", [(group, tree)])


def test_secrets_that_make_user_data_too_large_are_told() -> None:
    group = described(registries=[{"registry": "r", "identitytoken": {"env": "TOKEN"}}])
    resolve = credentials.reader({"TOKEN": "x" * 17_000}, Path())
    tree = assembly.settings(group, resolve)
    (problem,) = render.losses_by_secrets("karpenter", group, tree)
    assert "more than EC2 takes (16384)" in problem.sentence
