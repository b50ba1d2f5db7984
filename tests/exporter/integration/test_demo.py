"""``make run`` on a host without a journal."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.waiting import wait_for


def has_rotated(output: Path) -> bool:
    """Whether there is an archive, and lines in the file after it; for an instant there is no file."""
    try:
        return output.with_name("messages.1").exists() and output.stat().st_size > 0
    except FileNotFoundError:
        return False


def demo(
    where: Path, *, stderr: int = subprocess.PIPE, **environment: str
) -> "subprocess.Popen[str]":
    """Start ``make run`` on a sample journal, in an empty directory."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.demo", "--sample"],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        process_group=0,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ending_it_while_the_sample_is_made_shows_no_traceback(tmp_path: Path, number: int) -> None:
    with demo(tmp_path) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        sample = tmp_path / "var" / "sample"
        wait_for(sample.exists, "the sample", every_s=0.001, process=process)
        started = children.read_text().split()
        process.send_signal(number)
        printed, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
    # On a slow machine, the exporter may have been started in the meantime.
    assert (printed, errors) == ("", "") or len(started) > 1
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def test_a_killed_exporter_ends_it_with_a_message(tmp_path: Path) -> None:
    """With a setpriv that knows no --pdeathsig, as before util-linux 2.33: it is done without."""
    old = tmp_path / "bin" / "setpriv"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'setpriv: unrecognized option' >&2\nexit 1\n")
    old.chmod(0o755)
    with demo(tmp_path, PATH=f"{old.parent}:{os.environ['PATH']}") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                break
        output = tmp_path / "var" / "log" / "messages"
        wait_for(output.exists, "the output", process=process)
        # The sample's writer was started before it.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        os.kill(int(children.read_text().split()[-1]), signal.SIGKILL)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + signal.SIGKILL
    assert errors.endswith("run: SIGKILL ended the exporter\n")


def test_a_newcomer_sees_lines_arrive_the_file_rotate_and_the_metrics_move(tmp_path: Path) -> None:
    with demo(tmp_path, stderr=subprocess.DEVNULL) as first:
        assert first.stdout is not None
        printed = []
        for line in first.stdout:
            printed.append(line)
            if line.startswith("Ctrl-C"):
                break
        text = "".join(printed)
        output = Path(re.search(r"^writes +(\S+)", text, re.MULTILINE)[1])  # type: ignore[index]
        url = re.search(r"^metrics +(\S+)", text, re.MULTILINE)[1]  # type: ignore[index]
        try:
            wait_for(lambda: has_rotated(output), "a rotation", evidence=lambda: text)
            with urllib.request.urlopen(url, timeout=10) as reply:
                metrics = reply.read().decode()
            with demo(tmp_path) as second:
                refusal = second.communicate(timeout=30)
        finally:
            first.send_signal(signal.SIGINT)
            code = first.wait(10)
    assert (code, second.returncode, refusal[0]) == (0, 2, "")
    assert refusal[1].startswith("run: another one is running here, which holds ")
    assert re.search(r"^journal_exporter_lines_written_total [1-9]", metrics, re.MULTILINE)
    assert "a sample journal in" in text
