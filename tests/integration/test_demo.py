"""``make run`` on a host without a journal."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]


def has_rotated(output: Path) -> bool:
    """Whether there is an archive, and lines in the file after it; for an instant there is no file."""
    try:
        return output.with_name("messages.1").exists() and output.stat().st_size > 0
    except FileNotFoundError:
        return False


def test_a_newcomer_sees_lines_arrive_the_file_rotate_and_the_metrics_move(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo", "--sample"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    ) as demo:
        assert demo.stdout is not None
        said = []
        for line in demo.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        text = "".join(said)
        output = Path(re.search(r"^writes +(\S+)", text, re.MULTILINE)[1])  # type: ignore[index]
        url = re.search(r"^metrics +(\S+)", text, re.MULTILINE)[1]  # type: ignore[index]
        try:
            deadline_s = time.monotonic() + 30
            while not has_rotated(output):
                assert time.monotonic() < deadline_s, text
                time.sleep(0.05)
            with urllib.request.urlopen(url, timeout=10) as reply:
                metrics = reply.read().decode()
            second = subprocess.run(
                [sys.executable, "-m", "tools.demo", "--sample"],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            demo.send_signal(signal.SIGINT)
            code = demo.wait(10)
    assert code == 0
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.startswith("run: another one is running here, which holds ")
    assert re.search(r"^journal_exporter_lines_written_total [1-9]", metrics, re.MULTILINE)
    assert "a sample journal in" in text
