"""The ``kubectl debug`` command, printed or run."""

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
# What a custom profile may set (kubectl's documentation of debug --custom).
ALLOWED = {"env", "envFrom", "resources", "securityContext", "volumeMounts", "imagePullPolicy"}


def run(*arguments: str) -> int:
    return cli.main(["debug", *arguments])


def test_a_nodes_command_is_printed_ready_to_paste(
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


@pytest.mark.parametrize("kind", ["node n1", "pod web-0 --target app"])
def test_the_context_is_passed_on(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    context = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
    assert run(*kind.split(), "--context", context, "--print") == 0
    assert f"--context={context}" in shlex.split(capsys.readouterr().out)


def test_without_print_the_command_is_run() -> None:
    ran: list[Sequence[str]] = []
    options = parser("debug").parse_args(
        ["debug", "node", "n1", "--profile", "journal", "--image", "a/b:1"]
    )
    assert debug_cli.run(options, lambda _, words: ran.append(words)) == 0
    (words,) = ran
    assert words[0] == "kubectl"
    assert words[-1].endswith("node-journal.yaml")


def test_a_missing_kubectl_is_reported() -> None:
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
        (["node", "N 1"], "'N 1' is not a valid node name"),
        (["node", "n1;reboot"], "'n1;reboot' is not a valid node name"),
        (["node", "n1\n"], r"'n1\n' is not a valid node name"),
        (["node", "n1", "-n", "a b"], "'a b' is not a valid namespace name"),
        (["node", "n1", "-n", ""], "'' is not a valid namespace name"),
        (["node", "n1", "--image=--x"], "'--x' is not a valid image name"),
        (
            ["node", "n1", "--profile", "journal"],
            "--image is required for this profile: name an image with journalctl",
        ),
        (["pod", "web_0", "--target", "app"], "'web_0' is not a valid pod name"),
        (["pod", "web-0", "--target", "app/1"], "'app/1' is not a valid container name"),
    ],
)
def test_names_that_kubernetes_would_refuse_are_reported(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--print") == 2
    assert capsys.readouterr().err == f"node-observability debug: {expected}\n"


def test_the_help_names_the_oldest_kubectl_that_reads_profiles_in_yaml(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert "Needs kubectl 1.31 or later" in capsys.readouterr().out


@pytest.mark.parametrize(
    "profile", [*command.NODE_PROFILES.values(), command.POD_PROFILE], ids=lambda one: one.file
)
def test_a_profile_sets_only_what_kubectl_allows(profile: command.Profile) -> None:
    content = yaml.safe_load(debug_cli.profile_file(profile).read_text())
    assert set(content) <= ALLOWED
    # A debugging pod on a node has no other volume.
    assert {mount["name"] for mount in content.get("volumeMounts", [])} <= {"host-root"}


def test_every_profile_of_the_package_is_used() -> None:
    used = {one.file for one in (*command.NODE_PROFILES.values(), command.POD_PROFILE)}
    directory = debug_cli.profile_file(command.POD_PROFILE).parent
    assert {path.name for path in directory.iterdir()} == used
