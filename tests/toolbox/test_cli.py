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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TOOL 2>/dev/full", 2),
        ("TOOL no-such-command 2>/dev/full", 2),
        ("TOOL nodegroup check no-such.toml 2>/dev/full", 2),
        (f"{RESERVED} >/dev/full 2>&1", 2),
        (f"{RESERVED} >/dev/full 2>&-", 2),
    ],
)
def test_the_exit_code_is_right_even_if_the_problem_can_not_be_printed(
    line: str, expected: int
) -> None:
    assert _shell(line) == (expected, b"", b"")


SNOWMEN = {
    "nodes.json": '{"items": [{"metadata": {"name": "\u2603\\u001b[31m"}}]}',
    "manifest.yaml": """
kind: DaemonSet
metadata: {name: fb}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/component: fluent-bit-cri}}
    spec: {nodeSelector: {os: "\u2603"}}
""",
    "parsers.conf": "[PARSER]\n    Name \u2603\n    Format json\n",
    "cases.yaml": "parser: \u2603\ncases: [{name: \u2603, line: '{}', expected: unmatched}]\n",
    "catalogue.yaml": """
patterns:
- {id: a, name: "\u2603", severity: high, regex: a, description: b, matches: [a], not_matches: [b]}
""",
    "user-data.toml": "[settings]\nmotd = '\u2603'\n",
}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("coverage --nodes nodes.json --manifest manifest.yaml", r"\u2603\x1b[31m "),
        ("coverage --nodes nodes.json --manifest manifest.yaml -o json", r"\u2603\u001b[31m"),
        ("parsers test -c parsers.conf cases.yaml", r"FAIL cases.yaml:2 \u2603"),
        ("parsers explain -c parsers.conf x", r"\u2603 stops at character 1"),
        ("nodegroup check user-data.toml", "user-data.toml: valid user data"),
        ("--help", "usage: node-observability"),
    ],
)
@pytest.mark.parametrize(
    "locale", ["PYTHONIOENCODING=ascii", "LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0"]
)
def test_what_the_locale_can_not_show_is_escaped(
    line: str, shown: str, locale: str, tmp_path: Path
) -> None:
    for name, text in SNOWMEN.items():
        (tmp_path / name).write_text(text, "utf-8")
    code, out, err = _shell(f"cd {tmp_path} && {locale} TOOL {line}")
    assert code in (0, 1)
    assert shown in out.decode("ascii")
    assert err == b""


@pytest.mark.parametrize(
    "line",
    [
        "zabbix render --catalogue catalogue.yaml",
        "zabbix render --catalogue - --output - <catalogue.yaml",
        "zabbix render --catalogue catalogue.yaml --readme -",
        "parsers convert parsers.conf",
        "parsers convert - <parsers.conf",
        "parsers test -c parsers.conf cases.yaml --junit -",
    ],
)
def test_a_document_is_utf_8_whatever_the_locale(line: str, tmp_path: Path) -> None:
    for name, text in SNOWMEN.items():
        (tmp_path / name).write_text(text, "utf-8")
    _code, out, err = _shell(f"cd {tmp_path} && PYTHONIOENCODING=ascii TOOL {line}")
    assert "\u2603" in out.decode("utf-8")
    assert err == b""
    assert {path.name for path in tmp_path.iterdir()} == SNOWMEN.keys()


def test_a_reader_that_stops_early_causes_no_message() -> None:
    _, _, err = _shell(f"{RESERVED} | true")
    assert err == b""
