"""The ``kubectl debug`` command that is printed or run."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from node_observability import cli
from node_observability.cli import parser
from node_observability.debug import cli as debug_cli
from node_observability.debug import command

FILE = Path("/profiles/p.yaml")
# What kubectl lets a custom profile set (kubectl's documentation of debug --custom).
ALLOWED = {"env", "envFrom", "resources", "securityContext", "volumeMounts", "imagePullPolicy"}


def run(*arguments: str) -> int:
    return cli.main(["debug", *arguments])


def test_a_nodes_command_is_printed_as_it_can_be_pasted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("node", "ip-10-0-1-23.ec2.internal", "--print") == 0
    words = shlex.split(capsys.readouterr().out)
    file = debug_cli.profile_file(command.NODE_PROFILES["shell"])
    assert words == [
        "kubectl",
        "debug",
        "node/ip-10-0-1-23.ec2.internal",
        "--stdin",
        "--tty",
        "--image=ubuntu:24.04",
        "--profile=sysadmin",
        f"--custom={file}",
    ]
    assert file.is_file()


def test_what_is_printed_is_quoted_for_the_shell() -> None:
    assert command.as_text(["kubectl", "--custom=/home/a user/p.yaml"]) == (
        "kubectl '--custom=/home/a user/p.yaml'"
    )


def test_a_pods_command_names_the_container(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pod", "web-0", "-n", "shop", "--target", "app", "--image", "a/b:1", "--print") == 0
    words = shlex.split(capsys.readouterr().out)
    assert words[1:5] == ["debug", "pod/web-0", "--target=app", "--namespace=shop"]
    assert "--image=a/b:1" in words
    assert "--profile=netadmin" in words


def test_without_print_the_command_is_run() -> None:
    ran: list[Sequence[str]] = []
    options = parser("debug").parse_args(
        ["debug", "node", "n1", "--profile", "journal", "--image", "a/b:1"]
    )
    assert debug_cli.run(options, lambda _, words: ran.append(words)) == 0
    (words,) = ran
    assert words[0] == "kubectl"
    assert words[-1].endswith("node-journal.yaml")


def test_kubectl_that_is_not_there_is_told() -> None:
    def missing(program: str, _: Sequence[str]) -> None:
        raise FileNotFoundError(2, "No such file or directory", program)

    options = parser("debug").parse_args(["debug", "node", "n1"])
    with pytest.raises(
        Exception, match="can't run kubectl: No such file or directory; --print prints the command"
    ):
        debug_cli.run(options, missing)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["node", "N 1"], "'N 1' is no node's name"),
        (["node", "n1;reboot"], "'n1;reboot' is no node's name"),
        (["node", "n1\n"], r"'n1\n' is no node's name"),
        (["node", "n1", "-n", "a b"], "'a b' is no namespace's name"),
        (["node", "n1", "--image=--x"], "'--x' is no image"),
        (
            ["node", "n1", "--profile", "journal"],
            "--image is missing: name one that has journalctl",
        ),
        (["pod", "web_0", "--target", "app"], "'web_0' is no pod's name"),
        (["pod", "web-0", "--target", "app/1"], "'app/1' is no container's name"),
    ],
)
def test_names_that_kubernetes_would_not_take_are_told(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--print") == 2
    assert capsys.readouterr().err == f"node-observability debug: {expected}\n"


@pytest.mark.parametrize(
    "profile", [*command.NODE_PROFILES.values(), command.POD_PROFILE], ids=lambda one: one.file
)
def test_a_profile_sets_only_what_kubectl_lets_it(profile: command.Profile) -> None:
    content = yaml.safe_load(debug_cli.profile_file(profile).read_text())
    assert set(content) <= ALLOWED
    # The only volume that a debugging pod on a node has.
    assert {mount["name"] for mount in content.get("volumeMounts", [])} <= {"host-root"}


def test_every_profile_that_is_shipped_is_used() -> None:
    used = {one.file for one in (*command.NODE_PROFILES.values(), command.POD_PROFILE)}
    directory = debug_cli.profile_file(command.POD_PROFILE).parent
    assert {path.name for path in directory.iterdir()} == used
