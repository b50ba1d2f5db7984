"""The command line on real directories: what is refused, and what starting again means."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from journal_exporter.output.lock import lock_output
from tests.support.exporter import Exporter
from tests.support.journals import numbered
from tests.support.paths import ROOT
from tests.support.tools import need
from tools.journal_writer import write_journal

Make = Callable[..., Exporter]

OTHER_USER = ("setpriv", "--reuid=65534", "--clear-groups")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a directory whose one journal file holds 100 entries."""
    directory = tmp_path / "host" / "var/log/journal"
    directory.mkdir(parents=True)
    write_journal(directory / "system.journal", numbered(range(100)))
    return directory


def refused(exporter: Exporter) -> str:
    """Expect exit code 2 and one line; return it."""
    before = exporter.errors.read_text() if exporter.errors.exists() else ""
    assert exporter.run() == 2
    text = exporter.log().removeprefix(before)
    assert text.count("\n") == 1, text
    return text


def test_metrics_without_their_library_are_refused_and_a_run_without_metrics_needs_none(
    journal: Path, tmp_path: Path
) -> None:
    code = "import sys; sys.modules['prometheus_client'] = None; import journal_exporter.__main__"
    command = [sys.executable, "-c", code, "run", "--once", "--journal-directory", str(journal)]
    command += ["--output", str(tmp_path / "messages"), "--state-directory", str(tmp_path)]
    done = subprocess.run(
        [*command, "--metrics-address", "127.0.0.1:0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "journal-exporter: --metrics-address: prometheus_client is not installed; install"
        " `node-observability[exporter]`, or give an empty address\n"
    )
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.usefixtures("journal")
def test_a_request_to_end_during_the_start_is_kept_until_it_can_be_obeyed(exporter: Make) -> None:
    tail = exporter("--start", "head").start()
    status = Path(f"/proc/{tail.process.pid}/status")

    def is_blocked() -> bool:
        mask = next(line for line in status.read_text().splitlines() if line.startswith("SigBlk"))
        return bool(int(mask.split()[1], 16) & 1 << signal.SIGTERM - 1)

    tail.wait_for(is_blocked, "the signal to be blocked")
    assert not tail.output.exists()
    tail.process.terminate()
    assert tail.process.wait(10) == 0


@pytest.mark.usefixtures("journal")
def test_closed_standard_streams_are_no_obstacle(exporter: Make) -> None:
    tail = exporter("--once", "--start", "head", prefix=("sh", "-c", 'exec "$@" >&- 2>&-', "sh"))
    assert tail.run() == 0
    assert tail.numbers() == list(range(100))


def test_directories_of_state_and_output_that_may_not_be_written_are_named() -> None:
    if os.geteuid():
        pytest.skip("root writes everywhere; another user must be tried from root")
    # Not below pytest's own directory, which is for its user alone.
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        write_journal(top / "system.journal", numbered(range(10)))
        (top / "system.journal").chmod(0o644)
        (top / "state").mkdir()
        (top / "log").mkdir()
        (top / "log/messages").touch()
        (top / "log/messages").chmod(0o666)
        done = as_other_user(
            *("run", "--once", "--journal-directory", top, "--output", top / "log/messages"),
            *("--state-directory", top / "state"),
        )
        assert done.returncode == 2
        assert f"--state-directory: user 65534 can't write {top}/state" in done.stderr
        # The file can be written, but a rotation could not rename it.
        assert f"--output: user 65534 can't write {top}/log;" in done.stderr
        assert (top / "log/messages").read_bytes() == b""


def test_an_output_directory_that_may_not_be_entered_is_named() -> None:
    if os.geteuid():
        pytest.skip("root enters everything; another user must be tried from root")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        (top / "journal").mkdir()
        write_journal(top / "journal/system.journal", numbered(range(10)))
        (top / "journal/system.journal").chmod(0o644)
        (top / "log").mkdir(mode=0)
        (top / "state").mkdir()
        os.chown(top / "state", 65534, 65534)
        for output in ("log/messages", "log/below/messages"):
            done = as_other_user(
                *("run", "--once", "--journal-directory", top / "journal"),
                *("--output", top / output, "--state-directory", top / "state"),
            )
            problem = f"--output: user 65534 can't write {top}/log"
            fix = "grant write permission, or choose another path"
            assert (done.returncode, done.stderr) == (2, f"journal-exporter: {problem}; {fix}\n")


def as_other_user(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*OTHER_USER, sys.executable, "-m", "journal_exporter", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["run --journal-directory", "status --state-directory"])
def test_a_directory_that_can_not_be_accessed_is_named(tmp_path: Path, command: str) -> None:
    if os.geteuid():
        pytest.skip("root sees everything; another user must be tried from root")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    done = as_other_user(*command.split(), private / "inside")
    assert done.returncode == 2
    flag = command.split()[1]
    assert f"{flag}: {private}/inside can't be accessed: Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_in_the_place_of_state_or_journal_is_refused(
    journal: Path, exporter: Make
) -> None:
    tail = exporter()
    for place in (tail.state, tail.state / "checkpoint", journal / "system.journal"):
        before = (journal / "system.journal").read_bytes()
        wrong = exporter("--output", str(place))
        assert f"--output: {place} is " in refused(wrong)
        assert (journal / "system.journal").read_bytes() == before


@pytest.mark.usefixtures("journal")
def test_a_hang_up_ends_it_cleanly(exporter: Make) -> None:
    tail = exporter("--start", "head").start()
    tail.wait_for_line(b"number 000099")
    tail.process.send_signal(signal.SIGHUP)
    assert tail.process.wait(10) == 0


@pytest.mark.usefixtures("journal")
def test_a_second_exporter_on_a_state_directory_is_refused(exporter: Make) -> None:
    first = exporter("--start", "head").start()
    first.wait_for_line(b"number 000099")
    second = exporter("--start", "head")
    second.errors = second.errors.with_name("second.log")
    assert "is in use by another exporter" in refused(second)
    assert first.process.poll() is None
    assert first.numbers() == list(range(100))


@pytest.mark.usefixtures("journal")
def test_a_second_exporter_on_an_output_is_refused_whatever_its_state_directory(
    exporter: Make, tmp_path: Path
) -> None:
    first = exporter("--start", "head", "--max-bytes", "4Ki", "--rotation-interval-s", "0").start()
    first.wait_for_line(b"number 000099")
    assert len(first.files()) > 1
    second = exporter("--start", "head", "--state-directory", str(tmp_path / "other"))
    second.errors = second.errors.with_name("second.log")
    assert f"--output: {first.output} is being written by another exporter" in refused(second)
    assert first.numbers() == list(range(100))


@pytest.mark.usefixtures("journal")
def test_an_output_whose_exporter_is_in_the_middle_of_a_rotation_is_refused(exporter: Make) -> None:
    second = exporter("--start", "head")
    second.output.parent.mkdir(parents=True)
    with second.output.with_name("messages.1").open("wb") as renamed:
        assert lock_output(renamed.fileno())
        assert "is being written by another exporter" in refused(second)


@pytest.mark.usefixtures("journal")
def test_a_reader_that_locks_the_output_neither_stops_the_exporter_nor_waits_for_it(
    exporter: Make,
) -> None:
    """A back-up under flock(1): the lock is exclusive, and it asks for no more than to read."""
    first = exporter("--start", "head", "--once")
    first.output.parent.mkdir(parents=True)
    first.output.touch()
    with first.output.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_EX)
        assert first.run() == 0, first.log()
    assert first.numbers() == list(range(100))
    first = exporter("--start", "head").start()
    first.wait_for(lambda: first.get("/readyz")[0] == 200, "the start")
    with first.output.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.usefixtures("journal")
def test_an_output_that_another_exporter_took_over_is_waited_for(exporter: Make) -> None:
    """As when another exporter made the file in the moment that a rotation left it without a name."""
    first = exporter("--start", "head").start()
    first.wait_for_line(b"number 000099")
    first.stop()
    before = first.output.read_bytes()
    other = os.open(first.output, os.O_RDWR)
    try:
        assert lock_output(other)
        first.output.rename(first.output.with_name("aside"))
        first.start()
        first.wait_for(lambda: first.get("/readyz")[0] == 200, "the start")
        first.output.with_name("aside").replace(first.output)
        first.wait_for(
            lambda: first.get("/readyz") == (503, "the output can't be written: in_use\n"),
            "the lock to be noticed",
        )
        assert first.metric("output_blocked", '{reason="in_use"}') == 1
        assert first.output.read_bytes() == before
    finally:
        os.close(other)
    first.wait_for(lambda: first.get("/readyz")[0] == 200, "the lock to be let go")
    assert first.numbers() == list(range(100))


@pytest.mark.usefixtures("journal")
def test_an_output_that_a_rotation_could_not_rename_is_refused(
    exporter: Make, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("target")
    linked = exporter("--output", str(tmp_path / "link"))
    assert (
        f"a symbolic link, which a rotation would rename; give the file that it points to, {tmp_path}/"
        in (refused(linked))
    )
    (tmp_path / "messages.3").mkdir()
    blocked = exporter("--output", str(tmp_path / "messages"))
    assert f"{tmp_path}/messages.3 is not a regular file; move it away" in refused(blocked)
    (tmp_path / "messages.3").rmdir()
    os.mkfifo(tmp_path / "messages.3")
    piped = exporter("--output", str(tmp_path / "messages"))
    assert f"{tmp_path}/messages.3 is not a regular file; move it away" in refused(piped)


@pytest.mark.usefixtures("journal")
def test_the_root_directory_as_output_is_refused_like_any_other_directory(exporter: Make) -> None:
    text = refused(exporter("--output", "/"))
    assert text.strip() == (
        "journal-exporter: --output: / is a directory; choose a file in it, such as /messages"
    )


@pytest.mark.usefixtures("journal")
def test_names_that_the_checkpoint_could_not_hold_are_refused(
    exporter: Make, tmp_path: Path
) -> None:
    deep = tmp_path.joinpath(*["\x01" * 200] * 12, "messages")
    assert "exceed 12 KiB in total" in refused(exporter("--output", str(deep)))


@pytest.mark.usefixtures("journal")
def test_an_exporter_keeps_its_state_though_its_files_are_deleted(exporter: Make) -> None:
    first = exporter("--start", "head").start()
    first.wait_for_line(b"number 000099")
    for path in first.state.iterdir():
        path.unlink()
    second = exporter("--start", "head")
    second.errors = second.errors.with_name("second.log")
    assert "is in use by another exporter" in refused(second)


def test_a_state_directory_that_is_removed_is_created_and_locked_again_and_nothing_is_written_twice(
    journal: Path, exporter: Make
) -> None:
    first = exporter("--start", "head").start()
    first.wait_for_line(b"number 000099")
    shutil.rmtree(first.state)
    # Even without a new line: the next start could not know what is in the output.
    first.wait_for((first.state / "checkpoint").exists, "the checkpoint to be stored again")
    second = exporter("--start", "head")
    second.errors = second.errors.with_name("second.log")
    assert "is in use by another exporter" in refused(second)
    shutil.rmtree(first.state)
    write_journal(journal / "more.journal", numbered(range(100, 120)))
    first.wait_for_line(b"number 000119")
    first.kill()
    first.start()
    first.wait_for(lambda: first.get("/readyz")[0] == 200, "the start")
    first.stop()
    assert first.numbers() == list(range(120))


def test_every_reason_not_to_start_is_reported_at_once(tmp_path: Path, exporter: Make) -> None:
    state = tmp_path / "out" / "state"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"no directory")
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        wrong = exporter("--metrics-address", address, "--output", str(tmp_path))
        assert wrong.run() == 2
    assert f"can't bind {address}: Address already in use" in wrong.log()
    lines = wrong.log().splitlines()
    assert [line.split()[1] for line in lines] == [
        "--journal-root:",
        "--output:",
        "--state-directory:",
        "--metrics-address:",
    ]


@pytest.mark.usefixtures("journal")
def test_a_checkpoint_with_garbage_is_set_aside_and_the_output_shows_where_to_continue(
    journal: Path, exporter: Make
) -> None:
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    (tail.state / "checkpoint").write_bytes(b"\x00garbage" * 1000)
    write_journal(journal / "more.journal", numbered(range(100, 120)))
    other = exporter("--start", "tail", "--format", "json", "--max-bytes", "4Ki").start()
    other.wait_for_line(b"number 000119")
    assert other.metric("checkpoints_set_aside_total") == 1
    assert other.metric("recoveries_total", '{kind="from_output"}') == 1
    other.stop()
    assert other.numbers() == list(range(120))
    aside = tail.state / "checkpoint.damaged-1"
    assert aside.read_bytes() == b"\x00garbage" * 1000
    assert f"error: the checkpoint was damaged; it was renamed to {aside}\n" in other.log()


@pytest.mark.usefixtures("journal")
def test_a_checkpoint_with_garbage_beside_an_output_of_another_program_begins_as_a_first_run(
    exporter: Make,
) -> None:
    tail = exporter("--once", "--start", "head")
    tail.state.mkdir(parents=True)
    (tail.state / "checkpoint").write_bytes(b"")
    tail.output.parent.mkdir(parents=True)
    tail.output.write_bytes(b"of another program\n")
    assert tail.run() == 0
    assert tail.lines()[0] == b"of another program"
    assert tail.numbers() == list(range(100))
    assert (tail.state / "checkpoint.damaged-1").exists()


@pytest.mark.usefixtures("journal")
def test_the_state_of_another_output_is_refused(exporter: Make, tmp_path: Path) -> None:
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    other = exporter("--once", "--output", str(tmp_path / "other"))
    assert f"belongs to the output {tail.output}, not to {tmp_path / 'other'}" in refused(other)
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("journal")
def test_a_run_with_an_end_does_not_wait_forever_for_an_output_that_can_not_be_created(
    exporter: Make,
) -> None:
    tail = exporter("--once", "--output", "/proc/no-such-file")
    assert tail.run() == 2
    reason = "opening /proc/no-such-file: No such file or directory; gave up after 10 s"
    assert tail.log().endswith(f" error: {reason}\n")


@pytest.mark.usefixtures("journal")
def test_a_run_with_an_end_does_not_replace_its_worker_forever(exporter: Make) -> None:
    trace = (need("strace"), "-f", "-qq", "-o", "/dev/null")
    tail = exporter("--once")
    deadly = ("-P", str(tail.output), "-e", "inject=fchmod:signal=SIGKILL")
    tail = exporter("--once", prefix=(*trace, *deadly))
    assert tail.run() == 2
    assert "the worker ended (SIGKILL) without progress; giving up" in tail.log()


@pytest.mark.usefixtures("journal")
def test_a_second_run_writes_nothing_again(exporter: Make) -> None:
    tail = exporter("--once", "--start", "head")
    assert [tail.run(), tail.run()] == [0, 0]
    assert tail.numbers() == list(range(100))


def test_a_tail_begins_with_what_comes_and_keeps_its_place(journal: Path, exporter: Make) -> None:
    tail = exporter("--once", "--start", "tail")
    assert tail.run() == 0
    assert tail.lines() == []
    write_journal(journal / "more.journal", numbered(range(100, 120)))
    assert tail.run() == 0
    assert tail.numbers() == list(range(100, 120))


def test_the_first_run_begins_with_the_newest_boot(journal: Path, exporter: Make) -> None:
    other = (line.replace(b"b" * 32, b"c" * 32) for line in numbered(range(200, 220)))
    write_journal(journal / "next.journal", other)
    tail = exporter("--once")
    assert tail.run() == 0
    assert tail.numbers() == list(range(200, 220))


@pytest.mark.usefixtures("journal")
def test_another_format_at_the_next_start_continues_the_same_file(exporter: Make) -> None:
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    again = exporter("--once", "--format", "json")
    assert again.run() == 0
    assert again.numbers() == list(range(100))


@pytest.mark.usefixtures("journal")
def test_an_existing_file_is_continued_and_its_torn_line_ended(exporter: Make) -> None:
    tail = exporter("--once", "--start", "head")
    tail.output.parent.mkdir(parents=True)
    tail.output.write_bytes(b"what another program left")
    assert tail.run() == 0
    assert tail.lines()[0] == b"what another program left"
    assert tail.numbers() == list(range(100))


@pytest.mark.usefixtures("journal")
def test_status_distinguishes_a_running_exporter_from_a_stopped_one(exporter: Make) -> None:
    tail = exporter("--start", "head").start()
    tail.wait_for_line(b"number 000099")
    running = tail.status()
    tail.stop()
    stopped = tail.status()
    assert [running["running"], stopped["running"]] == [True, False]
    assert stopped["lag"] == {"entries": 0, "seconds": 0.0}
    assert [file["path"] for file in stopped["output"]] == [str(tail.output)]


@pytest.mark.usefixtures("journal")
def test_the_files_mode_lets_everybody_read_whatever_the_umask(exporter: Make) -> None:
    tail = exporter(
        "--once",
        "--start",
        "head",
        "--max-bytes",
        "4Ki",
        prefix=("sh", "-c", 'umask 077; exec "$0" "$@"'),
    )
    assert tail.run() == 0
    assert {path.stat().st_mode & 0o777 for path in tail.files()} == {0o644}
    assert len(tail.files()) > 2
