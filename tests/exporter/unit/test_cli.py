"""The command line: help, exit codes, and one line for each thing that is wrong."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from journal_exporter import cli
from journal_exporter.config import FIELDS, flag
from journal_exporter.monitoring.prometheus import version
from tests.support.journal_headers import write_header
from tests.support.paths import ROOT


def run(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "journal_exporter", *arguments],
        env={"PATH": os.defpath, "COLUMNS": "100", "JOURNAL_EXPORTER_METRICS_ADDRESS": ""} | variables,
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def refused(*arguments: str | Path, **variables: str) -> str:
    """Return the one line that reports wrong usage; nothing else is printed."""
    done = run(*arguments, **variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("journal-exporter: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("journal-exporter: ").removesuffix("\n")


def test_the_help_of_run_is_the_golden(golden: Callable[[str, str], None]) -> None:
    done = run("run", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    golden("help.txt", done.stdout)


def test_the_help_has_every_flag_once() -> None:
    shown = run("run", "--help").stdout
    for name in FIELDS:
        assert shown.count(f"\n  {flag(name)} ") + shown.count(f"\n  {flag(name)}\n") == 1


@pytest.mark.parametrize("command", ["run", "check-config"])
def test_both_commands_take_every_setting(command: str) -> None:
    values = {name: field.default for name, field in FIELDS.items()}
    arguments = [flag(name) for name in values if name != "once"]
    pairs = [part for argument in arguments for part in (argument, "x")]
    options = vars(cli.parser().parse_args([command, "--once", *pairs]))
    assert {name: options[name] for name in values} == {
        name: True if name == "once" else ["x"] if isinstance(default, tuple) else "x"
        for name, default in values.items()
    }


def test_no_line_of_the_help_is_broken_by_a_terminal_of_110_columns() -> None:
    shown = run("run", "--help", COLUMNS="110").stdout + run("--help", COLUMNS="110").stdout
    assert max(map(len, shown.splitlines())) <= 110


def test_the_help_lists_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("run", "check-config", "status"))


def test_no_command_shows_the_help_and_is_an_error() -> None:
    done = run()
    assert done.returncode == 2
    assert "check-config" in done.stdout


def test_the_version_is_printed() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"journal-exporter {version()}\n")


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["run", "--nonsense"], ["run", "--out", "/o"], ["run", "extra"], ["runs"],
     ["run", "--output"], ["status", "--output", "/o"], ["run", "--once=yes"]],
    ids=" ".join,
)  # fmt: skip
def test_an_unknown_or_shortened_flag_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
    assert "usage: journal-exporter" in capsys.readouterr().err


def test_the_effective_settings_are_shown() -> None:
    done = run("check-config", "--max-bytes", "1Mi", JOURNAL_EXPORTER_FORMAT="json")
    assert (done.returncode, done.stderr) == (0, "")
    settings = json.loads(done.stdout)
    assert (settings["max_bytes"], settings["format"]) == (1 << 20, "json")
    assert settings.keys() == FIELDS.keys()


@pytest.mark.parametrize("command", ["run", "check-config"])
def test_every_problem_of_the_settings_is_a_line(command: str) -> None:
    done = run(command, "--keep-files", "0", "--max-bytes", "1", JOURNAL_EXPORTER_OUTPT="x")
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(line.split(": ", 1)[1] for line in done.stderr.splitlines()) == [
        "--keep-files: 0 is not a number from 1 to 9",
        "--max-bytes: 1 is below the minimum of 4Ki",
        "JOURNAL_EXPORTER_OUTPT: unknown setting; did you mean JOURNAL_EXPORTER_OUTPUT?",
    ]


def test_paths_that_run_would_refuse_are_problems_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(
        *("check-config", "--output", "/", "--state-directory", tmp_path / "file"),
        *("--journal-root", tmp_path / "file/below"),
    )
    assert (done.returncode, done.stdout) == (2, "")
    problems = [line.removeprefix("journal-exporter: ") for line in done.stderr.splitlines()]
    root = f"{tmp_path}/file/below is below {tmp_path}/file, which is not a directory"
    assert problems == [
        "--output: / is a directory; choose a file in it, such as /messages",
        f"--state-directory: {tmp_path}/file is not a directory; choose another directory",
        f"--journal-root: {root}; choose another directory",
    ]
    inside = run("check-config", "--journal-directory", tmp_path, "--output", tmp_path / "a")
    assert inside.returncode == 2
    assert "is inside the journal's directory" in inside.stderr


def test_paths_that_are_missing_are_no_problem_of_the_settings(tmp_path: Path) -> None:
    places = ("--output", tmp_path / "a/b", "--state-directory", tmp_path / "c/d")
    done = run("check-config", "--journal-root", tmp_path / "host", *places)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def good(tmp_path: Path) -> list[str | Path]:
    """Arguments of a run that could start as far as the settings go."""
    write_header(tmp_path / "journal/system.journal")
    return [
        "run", "--journal-directory", tmp_path / "journal", "--output", tmp_path / "o",
        "--state-directory", tmp_path / "state",
    ]  # fmt: skip


@pytest.mark.parametrize("flag", ["--journal-directory", "--journal-root"])
def test_a_missing_journal_is_named(tmp_path: Path, flag: str) -> None:
    fix = "give the path where the host's journal is mounted"
    assert (
        refused("run", flag, tmp_path / "none") == f"{flag}: {tmp_path}/none does not exist; {fix}"
    )


def test_a_journal_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "--journal-root" in refused("run", "--journal-root", tmp_path / "file")


def test_a_directory_without_journals_is_named(tmp_path: Path) -> None:
    problem = refused("run", "--journal-root", tmp_path)
    assert f"has no journal files: {tmp_path}/var/log/journal and {tmp_path}/run/log" in problem


@pytest.mark.parametrize("state", ["unsupported", "corrupt"])
def test_journals_that_can_not_be_read_are_named(tmp_path: Path, state: str) -> None:
    write_header(tmp_path / "a.journal", flags=1 << 20, missing_bytes=1)
    if state == "corrupt":
        (tmp_path / "a.journal").write_bytes(b"garbage" * 1000)
    problem = refused("run", "--journal-directory", tmp_path)
    assert f"{tmp_path}/a.journal ({state})" in problem


def test_an_output_that_is_a_directory_is_named(good: list[str | Path], tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    assert refused(*good) == (
        f"--output: {tmp_path}/o is a directory; choose a file in it, such as {tmp_path}/o/messages"
    )
    assert list((tmp_path / "o").iterdir()) == []


def test_a_status_of_garbage_is_named_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"garbage")
    problem = refused("status", "--state-directory", tmp_path)
    assert f"{tmp_path}/checkpoint is not a valid checkpoint" in problem
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"garbage"]


def test_a_state_directory_that_cannot_be_made_is_named(
    good: list[str | Path], tmp_path: Path
) -> None:
    (tmp_path / "state").touch()
    assert f"--state-directory: {tmp_path}/state is not a directory" in refused(*good)


def test_an_address_that_cannot_be_bound_is_named(good: list[str | Path], tmp_path: Path) -> None:
    problem = refused(*good, "--metrics-address", "192.0.2.1:9465")
    assert problem.startswith("--metrics-address: can't bind 192.0.2.1:9465: ")
    assert not (tmp_path / "o").exists()


def test_a_status_of_nothing_is_named(tmp_path: Path) -> None:
    assert "has no checkpoint" in refused("status", "--state-directory", tmp_path)
    assert "does not exist" in refused("status", "--state-directory", tmp_path / "none")


def test_the_status_uses_the_variable(tmp_path: Path) -> None:
    variables = {"JOURNAL_EXPORTER_STATE_DIRECTORY": str(tmp_path), "JOURNAL_EXPORTER_FOR": "run"}
    assert str(tmp_path) in refused("status", **variables)


@pytest.mark.parametrize("argument", ["check-config", "--version"])
def test_a_result_that_can_not_be_printed_is_one_line_and_an_error(argument: str) -> None:
    command = [sys.executable, "-m", "journal_exporter", argument]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "journal-exporter: standard output: No space left on device\n"
