"""The toolbox's command line: exit codes, and one line per problem."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from node_observability import cli

_LIBRARY = "node-observability: a_library_of_the_toolbox"
COMMANDS = (("try", "tests.support.toolbox_command", "try it"),)


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["try"], 0, "done\n", ""),
        (["try", "--how", "stopped"], 130, "", "node-observability: interrupted\n"),
        (
            ["try", "--how", "bare"],
            2,
            "",
            f"{_LIBRARY} is not installed; install `node-observability[toolbox]`\n",
        ),
        (["try", "--how", "failed"], 2, "", "node-observability try: the server is gone\n"),
        (
            ["try", "--how", "wrong"],
            2,
            "",
            "node-observability try: a.yaml:3: `siz`: no such key\nnode-observability try: no b.yaml\n",
        ),
    ],
)
def test_a_command_ends_with_an_exit_code_and_one_line_per_problem(
    arguments: list[str], code: int, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments, COMMANDS) == code
    assert capsys.readouterr() == (out, err)


def test_an_unknown_flag_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["try", "--hwo", "well"], COMMANDS)
    assert end.value.code == 2
    assert "--hwo" in capsys.readouterr().err


def test_no_command_prints_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: node-observability")


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("node-observability 0.")


def _shell(line: str) -> tuple[int, bytes, bytes]:
    """Run a shell line in which TOOL is the command; return its exit code, output and errors."""
    code = "import sys; from node_observability.cli import main; sys.exit(main())"
    quoted = shlex.join([sys.executable, "-c", code])
    ended = subprocess.run(
        ["/bin/sh", "-c", line.replace("TOOL", quoted)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout, ended.stderr


RESERVED = "TOOL nodegroup kube-reserved --cores 8 --max-pods 58"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{RESERVED} >&-", "Bad file descriptor"),
        (f"{RESERVED} >/dev/full", "No space left on device"),
        ("TOOL --version >/dev/full", "No space left on device"),
        ("TOOL --help >/dev/full", "No space left on device"),
        ("TOOL nodegroup check --help >/dev/full", "No space left on device"),
        ("PYTHONUNBUFFERED=1 TOOL debug node --help >/dev/full", "No space left on device"),
        ("TOOL nodegroup --help >&-", "Bad file descriptor"),
    ],
)
def test_output_that_cannot_be_written_is_one_line_and_an_error(line: str, expected: str) -> None:
    code, out, err = _shell(line)
    assert (code, out) == (2, b"")
    assert err.decode() == f"node-observability: standard output: {expected}\n"


def test_a_command_that_prints_nothing_needs_no_standard_output(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: a\ncluster: {name: a}\nsubnets: [subnet-01234567]\n")
    made = tmp_path / "stack.yaml"
    line = f"TOOL nodegroup render --target cloudformation --output {made} {file} >&-"
    assert _shell(line) == (0, b"", b"")
    assert made.read_text().startswith("AWSTemplateFormatVersion")


def test_problems_never_go_to_standard_output_even_if_standard_error_is_closed() -> None:
    assert _shell("TOOL nodegroup check no-such.toml 2>&-") == (2, b"", b"")


def test_a_reader_that_stops_early_causes_no_message() -> None:
    _, _, err = _shell(f"{RESERVED} | true")
    assert err == b""
