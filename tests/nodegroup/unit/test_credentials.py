"""Secrets from the environment and from files."""

from pathlib import Path

import pytest
import yaml

from node_observability.nodegroup import credentials, load, render
from node_observability.nodegroup.node_group import NodeGroup
from tests.support.nodegroups import MINIMAL

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
def test_a_variable_without_a_usable_secret_is_an_error_that_does_not_show_it(
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


def with_secret(secret: str, **parts: object) -> NodeGroup:
    registries = [{"registry": "r", "username": "u", "password": {"env": "PASSWORD"}}]
    text = yaml.safe_dump({**MINIMAL, "registries": registries, **parts})
    return load.parse(text, "a").with_secrets(credentials.reader({"PASSWORD": secret}, Path()))


def test_the_error_of_a_secret_that_eks_could_not_merge_does_not_show_it() -> None:
    cluster = {"name": "demo", "region": "eu-west-1"}
    group = with_secret('hunter"2', cluster=cluster, instanceTypes=["m5.large"])
    (problem,) = render.losses("eksctl-managed", group)
    assert problem.sentence.startswith("registries[0].password: eksctl-managed: EKS can't merge a")
    assert "hunter" not in problem.sentence
    # EKS does not merge the user data of nodeGroups.
    assert render.losses("eksctl", group) == []
    assert 'hunter\\"2' in render.render("eksctl", [group])


def test_secrets_that_make_user_data_too_large_are_an_error() -> None:
    (problem,) = render.losses("karpenter", with_secret("x" * 17_000))
    assert problem.sentence.endswith("exceeds EC2's limit of 16384")
