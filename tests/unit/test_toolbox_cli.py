"""The toolbox's command line: exit codes, and one line for each problem."""

import pytest

from node_observability import cli

COMMANDS = (("try", "tests.support.toolbox_command", "try it"),)


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["try"], 0, "done\n", ""),
        (["try", "--how", "failed"], 1, "", "node-observability try: the server is gone\n"),
        (
            ["try", "--how", "wrong"],
            2,
            "",
            "node-observability try: a.yaml:3: `siz`: no such key\nnode-observability try: no b.yaml\n",
        ),
    ],
)
def test_a_command_ends_with_its_exit_code_and_one_line_for_each_problem(
    arguments: list[str], code: int, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments, COMMANDS) == code
    assert capsys.readouterr() == (out, err)


def test_an_unknown_flag_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["try", "--hwo", "well"], COMMANDS)
    assert end.value.code == 2
    assert "--hwo" in capsys.readouterr().err


def test_no_command_prints_the_help_and_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: node-observability")


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("node-observability 0.")
