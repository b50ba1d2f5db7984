"""Every command reads hostile and broken input to an exit code and short errors that name it."""

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from node_observability import cli
from node_observability.exit_codes import ERROR, FINDINGS, SUCCESS

FILES = {
    "nodes.json": '{"items": [{"metadata": {"name": "a"}}]}',
    "manifest.yaml": """
kind: DaemonSet
metadata: {name: fb}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/component: fluent-bit-cri}}
    spec: {nodeSelector: {os: x}}
""",
    "parsers.conf": "[PARSER]\n    Name p\n    Format json\n",
    "cases.yaml": "parser: p\ncases:\n- {name: a, line: x, expected: unmatched}\n",
    "lines.log": '{"k":"v"}\n',
    "token": "t\n",
    "group.yaml": "name: a\ncluster: {name: a}\nsubnets: [subnet-01234567]\n",
}
ASK = "--cluster c --url http://127.0.0.1:9 --timeout 1s"
TOKEN = f"{ASK} --token-file token"
READERS = [
    "coverage --nodes INPUT --manifest manifest.yaml",
    "coverage --nodes nodes.json --manifest INPUT",
    "nodegroup check INPUT",
    "nodegroup check --chart-values INPUT group.yaml",
    "nodegroup render --target cloudformation INPUT",
    "parsers test -c INPUT cases.yaml",
    "parsers test -c parsers.conf INPUT",
    "parsers lint -c INPUT",
    "parsers explain -c INPUT x",
    "parsers bench --seconds 0 -c INPUT lines.log",
    "parsers bench --seconds 0 -c parsers.conf INPUT",
    "parsers convert INPUT",
    "zabbix render --catalogue INPUT",
    f"zabbix check {TOKEN} --nodes-file INPUT",
]
READERS_OF_SECRETS = [
    f"zabbix apply {ASK} --token-file INPUT",
    f"zabbix diff {ASK} --password-file INPUT",
    f"zabbix apply {TOKEN} --psk-identity i --psk-file INPUT",
    f"zabbix diff {TOKEN} --ca-file INPUT",
]
LONG_NAME = "n" * 300
"""Longer than a file's name can be, for which Python's pathlib raises where other names are only missing."""
DIGITS = "9" * 5000
TEXTS = {
    "brackets": "[" * 50_000,
    "closed-brackets": "[" * 5000 + "]" * 5000,
    "braces": '{"items":' * 5000,
    "digits.json": f'{{"items": [{{"metadata": {{"name": "a"}}, "x": {DIGITS}}}]}}',
    "digits.yaml": f"kind: DaemonSet\nx: {DIGITS}\n",
    "digits.toml": f"[settings]\nx = {DIGITS}\n",
    "date.yaml": "kind: DaemonSet\nx: 2026-99-99\n",
    "one-long-line": "x" * 1_000_000,
    "empty": "",
    "zeros": "\0" * 1000,
    "includes.conf": f"@INCLUDE {LONG_NAME}\n[PARSER]\n    Name p\n    Format json\n",
    "includes.yaml": f"includes: [{LONG_NAME}]\n",
    "control-characters": "\x1b[31m: \x1b[0m\n",
}
UNREADABLE = ["directory", "pipe", "loop", "missing", "/dev/zero", "/dev/null/x", LONG_NAME]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (FILES | TEXTS).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin-1").write_bytes(b"\xe9: \xff\n")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(line: str, name: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Run a command on an input; return its exit code and the lines of its errors."""
    code = cli.main(shlex.split(line.replace("INPUT", name)))
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", [*TEXTS, "latin-1"])
@pytest.mark.parametrize("line", READERS)
def test_hostile_content_ends_with_an_exit_code_and_short_errors(
    line: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors = ended(line, name, capsys)
    assert code in (SUCCESS, FINDINGS, ERROR)
    assert errors or code != ERROR
    for error in errors:
        assert error.isprintable()
        assert len(error) < 1000
        # An operator of a command can't follow advice for Python's programmers.
        assert "sys." not in error


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("line", [*READERS, *READERS_OF_SECRETS])
def test_what_can_not_be_read_is_one_error_that_names_it(
    line: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors = ended(line, name, capsys)
    assert (code, len(errors)) == (ERROR, 1), errors
    assert f" {name}: " in errors[0]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("line", READERS)
def test_control_characters_of_a_name_are_escaped_in_errors(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors = ended(line, "'\x1b[31mred'", capsys)
    assert (code, len(errors)) == (ERROR, 1)
    assert r"\x1b[31mred: can't be read: No such file" in errors[0]


@pytest.mark.parametrize(
    "line",
    [
        "coverage --nodes - --manifest manifest.yaml",
        "coverage --nodes nodes.json --manifest -",
        "parsers lint -c -",
        "parsers bench -c parsers.conf --seconds 0 -",
        "parsers explain -c parsers.conf -",
        "parsers convert -",
        "zabbix render --catalogue -",
        f"zabbix check {TOKEN} --nodes-file -",
        f"zabbix apply {ASK} --token-file -",
    ],
)
def test_a_closed_standard_input_is_one_error(line: str, here: Path) -> None:
    program = "import sys; from node_observability.cli import main; sys.exit(main())"
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {line} <&-', sys.executable, program],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ERROR, "")
    assert done.stderr.count("\n") == 1
    assert ": standard input: is closed" in done.stderr


def test_standard_input_that_is_empty_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert cli.main(shlex.split(f"zabbix diff {ASK} --token-file -")) == ERROR
    assert ": standard input: is empty; " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_has_two_names(name: str, here: Path) -> None:
    program = "import sys; from node_observability.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "parsers", "convert", name],
        cwd=here,
        input=FILES["parsers.conf"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "name: p\n" in done.stdout
