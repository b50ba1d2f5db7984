"""What an exporter has done so far, from the files that it leaves."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journal_exporter.cli import main
from journal_exporter.errors import ConfigError
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.position import Position
from journal_exporter.journal.sequence import SequenceTracker
from journal_exporter.output.checkpoint import CheckpointFile, Intent, Progress, State
from journal_exporter.output.file_id import FileId
from journal_exporter.process.state_lock import StateLock, is_running, lock_state
from journal_exporter.status import as_json, collect, text
from tests.support.fakes import START_US, cursor, read_up_to
from tests.support.journal_headers import name_id, write_header

JOURNAL_FILE = "a.journal"


def position(*numbers: int) -> Position:
    """Return the place after these numbers of ``JOURNAL_FILE``; those between them are lost."""
    sequence = SequenceTracker()
    for before, number in itertools.pairwise(numbers):
        if number > before + 1:
            gap = Gap(before + 1, number - 1, number - before - 1)
            sequence.count(gap, cursor(number).realtime_us)
    files = {name_id(JOURNAL_FILE): read_up_to(number) for number in numbers[-1:]}
    return Position(cursor(numbers[-1]).text if numbers else None, files, sequence.snapshot())


def store(tmp_path: Path, place: Position, intent: Intent | None = None) -> Path:
    """Leave a state directory as a run does."""
    state_directory = tmp_path / "state"
    state_directory.mkdir(exist_ok=True)
    progress = Progress(place, FileId(1, 2, 0, 0), 0)
    state = State(
        output=str(tmp_path / "messages"),
        boot_id="b",
        render_hash="h",
        durable=progress,
        written=progress,
        intent=intent,
        journal=[str(tmp_path / "journal"), str(tmp_path / "none")],
    )
    file = CheckpointFile(state_directory)
    file.store(dataclasses.replace(state))
    file.close()
    return state_directory


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[StateLock]:
    with closing(lock_state(tmp_path / "state", wait_s=0)) as lock:
        yield lock


def test_names_that_the_locale_can_not_show_are_escaped(tmp_path: Path) -> None:
    for name in ("\u2603", "\udcff"):
        place = tmp_path / name
        place.mkdir()
        state = store(place, position(1))
        (place / "messages").touch()
        done = subprocess.run(
            [sys.executable, "-m", "journal_exporter", "status", "--state-directory", state],
            env={"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        escaped = name.encode("ascii", "backslashreplace")
        assert b"/" + escaped + b"/messages (0 B)\n" in done.stdout


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; give the exporter's"):
        collect(tmp_path / "none")


def test_a_directory_that_no_exporter_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no checkpoint"):
        collect(tmp_path)


def test_a_checkpoint_of_garbage_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"garbage")
    with pytest.raises(ConfigError, match="is not a valid checkpoint"):
        collect(tmp_path)


def test_without_a_lock_nothing_runs(tmp_path: Path) -> None:
    assert not is_running(tmp_path)


@pytest.mark.usefixtures("lock")
def test_an_exporter_that_holds_the_lock_runs(tmp_path: Path) -> None:
    assert is_running(tmp_path / "state")


def test_looking_does_not_keep_an_exporter_from_starting(tmp_path: Path) -> None:
    lock_state(tmp_path, wait_s=0).close()
    assert not is_running(tmp_path)
    lock_state(tmp_path, wait_s=0).close()


def test_the_checkpoint_has_the_newest_entry(tmp_path: Path) -> None:
    state_directory = store(tmp_path, position(1, 2, 3))
    found = collect(state_directory)["checkpoint"]
    assert found["cursor"] == cursor(3).text
    assert found["newest_entry_s"] == cursor(3).realtime_us / 1e6
    assert found["stored_s"] == (state_directory / "checkpoint").stat().st_mtime


def test_an_append_that_was_announced_counts_as_done(tmp_path: Path) -> None:
    state_directory = store(tmp_path, position(1), Intent(position(1, 2), 100))
    assert collect(state_directory)["checkpoint"]["cursor"] == cursor(2).text


def test_an_exporter_that_has_read_nothing_yet_has_a_status(tmp_path: Path) -> None:
    found = collect(store(tmp_path, position()))
    assert found["checkpoint"]["newest_entry_s"] is None
    assert found["lag"] == {"entries": 0, "seconds": 0.0}
    assert "newest entry:  never" in text(found)


def test_the_lag_is_what_the_journals_files_hold_more(tmp_path: Path) -> None:
    write_header(tmp_path / "journal" / JOURNAL_FILE, tail_seqnum=10)
    write_header(tmp_path / "journal/other.journal", flags=1 << 9, tail_seqnum=10**6)
    found = collect(
        store(tmp_path, position(1, 2, 3)), time_s=lambda: cursor(3).realtime_us / 1e6 + 2.5
    )
    assert found["lag"] == {"entries": 7, "seconds": 2.5}
    assert found["journal"] == [
        {"path": str(tmp_path / "journal" / JOURNAL_FILE), "state": "readable"},
        {"path": str(tmp_path / "journal/other.journal"), "state": "unsupported"},
    ]


def test_a_clock_that_went_back_gives_no_negative_lag(tmp_path: Path) -> None:
    write_header(tmp_path / "journal" / JOURNAL_FILE, tail_seqnum=10)
    found = collect(store(tmp_path, position(1)), time_s=lambda: 1.0)
    assert found["lag"] == {"entries": 9, "seconds": 0.0}


def test_the_output_is_the_live_file_and_its_archives(tmp_path: Path) -> None:
    (tmp_path / "messages").write_bytes(b"x" * 10)
    (tmp_path / "messages.2").write_bytes(b"x" * 2048)
    (tmp_path / "messages.10").touch()
    assert collect(store(tmp_path, position(1)))["output"] == [
        {"path": str(tmp_path / "messages"), "size_bytes": 10},
        {"path": str(tmp_path / "messages.2"), "size_bytes": 2048},
    ]


def test_gaps_are_reported_with_their_numbers_and_times(tmp_path: Path) -> None:
    assert collect(store(tmp_path, position(1, 5, 6, 8)))["gaps"] == {
        "lost_entries": 4,
        "count": 2,
        "recent": [
            {"first": 2, "last": 4, "time_s": cursor(5).realtime_us / 1e6},
            {"first": 7, "last": 7, "time_s": cursor(8).realtime_us / 1e6},
        ],
    }


@pytest.mark.usefixtures("lock")
def test_the_text_has_one_line_per_fact(tmp_path: Path) -> None:
    (tmp_path / "messages").write_bytes(b"x" * 1536)
    write_header(tmp_path / "journal" / JOURNAL_FILE, tail_seqnum=9)
    write_header(tmp_path / "journal/b.journal", missing_bytes=1)
    state_directory = store(tmp_path, position(1, 5))
    os.utime(state_directory / "checkpoint", (START_US // 10**6, START_US // 10**6))
    assert text(collect(state_directory, time_s=lambda: cursor(5).realtime_us / 1e6 + 1.5)) == (
        "exporter:      running\n"
        "newest entry:  2026-11-07T22:33:20Z\n"
        "checkpoint:    stored 2026-11-07T22:33:20Z\n"
        "lag:           4 entries, 1.5 s\n"
        "lost:          3 entries in 1 gap\n"
        "gap:           2..4 before 2026-11-07T22:33:20Z\n"
        f"output:        {tmp_path}/messages (1.5 KiB)\n"
        "journal files: 1 corrupt, 1 readable"
    )


def test_without_journal_files_the_text_reports_none(tmp_path: Path) -> None:
    assert text(collect(store(tmp_path, position(1)))).endswith("journal files: none")


def test_programs_read_json(tmp_path: Path) -> None:
    found = collect(store(tmp_path, position(1, 5)))
    assert json.loads(as_json(found)) == found
    assert found["running"] is False


def test_the_command_prints_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state_directory = store(tmp_path, position(1, 5))
    command = ["status", "--state-directory", str(state_directory)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("exporter:      stopped\n")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == collect(state_directory)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    state_directory = store(tmp_path, position(1, 5))
    before = {path: path.read_bytes() for path in state_directory.iterdir()}
    collect(state_directory)
    assert {path: path.read_bytes() for path in state_directory.iterdir()} == before
