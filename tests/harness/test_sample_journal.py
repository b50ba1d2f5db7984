"""The tools that make journals make the journals they were asked for."""

import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.journals import entries, messages
from tests.support.waiting import wait_for
from tools.sample_journal import (
    MACHINE_ID,
    JournalAppender,
    JournalRemoteError,
    export_entry,
    realistic,
    write_journal,
)

BOOT = "6f1d3a52b8b04c3d9a0c2f2d3b9e1f00"
START_US = 1_763_600_000_000_000
AWKWARD = (
    b"",
    b"plain",
    "größer, 日本語".encode(),
    b"two\nlines\n",
    b"\xff\xfe invalid",
    b"nul \0 and escape \x1b[1m",
    b"tab\tand = sign",
    b"x" * 100_000,
)
COMPACT_FLAG = 1 << 4


def entry(message: bytes, n: int = 0) -> bytes:
    return export_entry(
        [
            ("__REALTIME_TIMESTAMP", b"%d" % (START_US + n)),
            ("__MONOTONIC_TIMESTAMP", b"%d" % (1_000_000 + n)),
            ("_BOOT_ID", BOOT.encode()),
            ("MESSAGE", message),
        ]
    )


def incompatible_flags(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[12:16], "little")


@pytest.mark.parametrize("compressed", [False, True])
def test_any_message_is_read_back_as_it_was_written(tmp_path: Path, *, compressed: bool) -> None:
    stream = (entry(message, n) for n, message in enumerate(AWKWARD))
    write_journal(tmp_path / "system.journal", stream, compressed=compressed)
    assert messages(tmp_path) == list(AWKWARD)


def test_plain_journals_have_no_format_flag_and_todays_have(tmp_path: Path) -> None:
    for name, compressed in (("plain.journal", False), ("today.journal", True)):
        write_journal(tmp_path / name, [entry(b"x" * 5000)], compressed=compressed)
    assert incompatible_flags(tmp_path / "plain.journal") == 0
    assert incompatible_flags(tmp_path / "today.journal") & COMPACT_FLAG


def test_flushed_entries_become_visible_while_the_file_stays_open(tmp_path: Path) -> None:
    flushed = 0

    def are_visible() -> bool:
        return any(tmp_path.iterdir()) and len(messages(tmp_path)) == flushed

    with JournalAppender(tmp_path / "system.journal") as journal:
        for flushed in range(1, 4):
            journal.append(entry(b"live", flushed))
            journal.flush()
            wait_for(are_visible, f"{flushed} entries", 10)


def test_closing_twice_is_fine_and_leaves_no_process(tmp_path: Path) -> None:
    journal = JournalAppender(tmp_path / "system.journal")
    journal.close()
    journal.close()
    assert not Path(f"/proc/{journal.pid}").exists()


def test_a_writer_that_fails_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(JournalRemoteError, match=r"ended with 1.*missing"):
        write_journal(tmp_path / "missing" / "system.journal", [entry(b"lost")])


def test_a_missing_writer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    with pytest.raises(JournalRemoteError, match="install the package systemd-journal-remote"):
        write_journal(tmp_path / "system.journal", [])


def test_sample_entries_depend_on_the_seed_alone() -> None:
    def sample(seed: int) -> list[bytes]:
        return list(
            realistic(500, start_realtime_us=START_US, step_us=1000, seed=seed, boot_id=BOOT)
        )

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_sample_entries_look_like_those_of_a_node(tmp_path: Path) -> None:
    stream = realistic(5000, start_realtime_us=START_US, step_us=1000, seed=3, boot_id=BOOT)
    write_journal(tmp_path / "system.journal", stream)
    found = entries(tmp_path)
    texts = [entry["MESSAGE"] for entry in found]
    assert len(found) == 5000
    assert 165 <= statistics.mean(map(len, texts)) <= 205
    assert 18 <= statistics.mean(map(len, found)) <= 26
    assert {entry["_TRANSPORT"] for entry in found} == {
        b"kernel",
        b"stdout",
        b"journal",
        b"syslog",
    }
    assert any(b"\n" in text for text in texts)
    assert any(not text.isascii() for text in texts)
    assert all(re.fullmatch(rb"[0-7]", entry["PRIORITY"]) for entry in found)


def test_the_command_makes_a_past_and_appends_until_it_is_stopped(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tools.sample_journal", "--directory", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--entries", "200", "--follow", "--rate", "500"],
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert b"200 entries in" in process.stdout.readline()
            wait_for(lambda: len(messages(tmp_path)) > 220, "21 more entries", 10)
            tasks = Path(f"/proc/{process.pid}/task/{process.pid}")
            children = (tasks / "children").read_text().split()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert len(children) == 1
    assert not Path(f"/proc/{children[0]}").exists()
    newest = (tmp_path / MACHINE_ID / "system.journal").stat().st_mtime
    assert abs(time.time() - newest) < 60


def test_a_second_run_continues_the_journal_of_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.sample_journal", "--directory", str(tmp_path)]
    for _ in range(2):
        subprocess.run([*command, "--entries", "50"], check=True, capture_output=True)
    boots = messages(tmp_path, "_BOOT_ID")
    assert len(boots) == 100
    assert [len(set(half)) for half in (boots[:50], boots[50:])] == [1, 1]
