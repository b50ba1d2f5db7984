"""Both programs have the same exit codes, and the page about them too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import journal_exporter.exit_codes
import node_observability.exit_codes
from tests.support.paths import ROOT


def meanings(pattern: str, text: str) -> dict[str, str]:
    """Return the first words of each code's meaning."""
    found = re.findall(rf"^{pattern}([a-z]+(?: [a-z]+)*)", text, re.MULTILINE)
    return dict(found)


def test_the_exit_codes_of_both_programs_and_of_the_page_mean_the_same() -> None:
    ours, theirs = journal_exporter.exit_codes, node_observability.exit_codes
    assert (ours.SUCCESS, ours.ERROR) == (theirs.SUCCESS, theirs.ERROR)
    expected = {"0": "success", "1": "findings", "2": "error", "3": "a difference"}
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    assert meanings(r"  (\d)  ", ours.TABLE) == expected
    assert meanings(r"  (\d)  ", theirs.TABLE) == expected
    assert meanings(r"\| (\d) \| ", page) == expected


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("check-config >&-", "Bad file descriptor"),
        ("--version >&-", "Bad file descriptor"),
        ("--help >&-", "Bad file descriptor"),
        ("run --help >/dev/full", "No space left on device"),
        ("status --help >/dev/full", "No space left on device"),
        ("check-config --max-bytes x 2>&-", ""),
        ("check-config --max-bytes x 2>/dev/full", ""),
        ("--no-such-flag 2>/dev/full", ""),
        (">/dev/full 2>&1", ""),
    ],
)
def test_output_that_the_exporter_cannot_write_is_an_error(line: str, problem: str) -> None:
    command = ["sh", "-c", f'"$0" -m journal_exporter {line}', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"journal-exporter: standard output: {problem}\n" if problem else "")


@pytest.mark.parametrize(
    "command",
    [
        "journal_exporter.cli --help",
        "journal_exporter.cli check-config",
        "node_observability.cli --help",
        "node_observability.cli nodegroup kube-reserved --cores 8 --max-pods 58",
    ],
)
def test_a_reader_that_has_gone_is_an_error_without_a_message(command: str) -> None:
    module, *arguments = command.split()
    program = f"import sys; from {module} import main; sys.exit(main())"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (2, b"")


LACKING = "import sys; sys.modules[sys.argv.pop(1)] = None; "


def lacking(package: str, program: str, *arguments: str) -> tuple[int, str]:
    """Run a program without a package; return its exit code and what it reports."""
    command = [sys.executable, "-c", LACKING + program, package, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_package_that_the_exporter_lacks_is_named_with_the_fix() -> None:
    found = lacking("systemd", "import journal_exporter.__main__", "run")
    problem = "systemd is not installed; install `node-observability[exporter]`"
    assert found == (2, f"journal-exporter: {problem}\n")


def test_a_library_that_the_system_lacks_is_reported_and_not_taken_for_a_missing_package(
    tmp_path: Path,
) -> None:
    reason = "libsystemd.so.0: cannot open shared object file"
    (tmp_path / "systemd.py").write_text(f"raise ImportError({reason!r}, name='systemd._reader')\n")
    done = subprocess.run(
        [sys.executable, "-m", "journal_exporter", "run"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    problem = f"systemd can't be loaded: {reason}; install what it needs"
    assert (done.returncode, done.stderr) == (2, f"journal-exporter: {problem}\n")


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("yaml", "coverage --nodes a --manifest b"),
        ("yaml", "parsers lint"),
        ("jinja2", "nodegroup check a"),
        ("pyzabbix", "zabbix render"),
        ("packaging", "zabbix render"),
        ("requests", "zabbix render"),
    ],
)
def test_a_package_that_the_toolbox_lacks_is_named_with_the_fix(package: str, command: str) -> None:
    program = "from node_observability.cli import main; sys.exit(main())"
    problem = f"{package} is not installed; install `node-observability[toolbox]`"
    found = lacking(package, program, *command.split())
    assert found == (2, f"node-observability: {problem}\n")
