"""The exporter on the journal of a running journald."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from journal_exporter.journal.cursor import parse
from tests.support.exporter import Exporter
from tests.support.journald import Journald
from tests.support.tools import need

Make = Callable[..., Exporter]


def numbered(first: int, last: int) -> list[bytes]:
    return [b"number %06d" % number for number in range(first, last)]


def found(exporter: Exporter) -> list[bytes]:
    """Return the numbered messages in the output, in its order."""
    return [b"number " + line.split(b"number ", 1)[1] for line in exporter.lines(b"number ")]


def test_a_message_is_in_the_file_soon_after_it_was_logged(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter().start()
    journald.send(b"first", SYSLOG_IDENTIFIER="app", PRIORITY=6)
    tail.wait_for_line(b" app[")
    journald.send(b"second", SYSLOG_IDENTIFIER="kernel-like", PRIORITY=6)
    tail.wait_for_line(b": second")
    assert tail.get("/livez") == (200, "alive\n")
    assert tail.get("/readyz") == (200, "ready\n")


def test_asked_to_end_it_ends_within_a_second_with_everything_written(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter().start()
    journald.send_many(numbered(0, 5000))
    tail.wait_for_line(b"number 002500")
    assert tail.stop() < 1.0
    tail.start()
    tail.wait_for_line(b"number 004999")
    assert found(tail) == numbered(0, 5000)


def test_a_signal_to_the_whole_group_ends_it_as_cleanly(journald: Journald, exporter: Make) -> None:
    tail = exporter().start()
    journald.send_many(numbered(0, 2000))
    tail.wait_for_line(b"number 000001")
    os.killpg(tail.process.pid, signal.SIGTERM)
    assert tail.process.wait(10) == 0
    tail.start()
    tail.wait_for_line(b"number 001999")
    assert found(tail) == numbered(0, 2000)


def test_a_worker_killed_while_it_was_blocked_does_not_leave_it_unready(
    journald: Journald, exporter: Make
) -> None:
    # Half a mebibyte is what one process may put into a file: as good as a full disk, for one worker.
    tail = exporter("--max-bytes", "8Mi", prefix=("prlimit", "--fsize=524288:")).start()
    journald.send_many(b"number %06d " % n + b"x" * 1000 for n in range(1000))
    tail.wait_for(lambda: tail.get("/readyz")[0] == 503, "it to be blocked")
    worker = tail.worker()
    subprocess.run(["prlimit", f"--pid={tail.process.pid}", "--fsize=unlimited"], check=True)
    os.kill(worker, signal.SIGKILL)
    tail.wait_for_line(b"number 000999")
    tail.wait_for(lambda: tail.get("/readyz") == (200, "ready\n"), "it to be ready")
    assert len(found(tail)) == 1000


def test_nothing_is_lost_or_repeated_while_journald_rotates_and_the_output_too(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter("--max-bytes", "100Ki", "--keep-files", "9").start()
    for first in range(0, 8000, 1000):
        journald.send_many(numbered(first, first + 1000))
        journald.rotate()
    tail.wait_for_line(b"number 007999")
    assert found(tail) == numbered(0, 8000)
    assert len(tail.files()) > 4
    assert tail.metric("entries_lost_total") == 0


def test_a_journald_that_is_killed_and_started_again_is_followed(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter().start()
    journald.send_many(numbered(0, 500))
    journald.sync()
    journald.kill()
    journald.start()
    journald.send_many(numbered(500, 1000))
    tail.wait_for_line(b"number 000999")
    assert found(tail) == numbered(0, 1000)


def test_entries_that_journald_deletes_unread_are_counted_exactly_and_marked(
    tmp_path: Path, exporter: Make
) -> None:
    with Journald(tmp_path / "host", max_use="4M", max_file_size="1M") as journald:
        tail = exporter("--start", "head").start()
        journald.send_many(numbered(0, 10))
        tail.wait_for_line(b"number 000009")
        tail.process.send_signal(signal.SIGSTOP)
        worker = tail.worker()
        os.kill(worker, signal.SIGSTOP)
        journald.send_many(b"number %06d " % n + b"x" * 400 for n in range(10, 20_000))
        journald.sync()
        os.kill(worker, signal.SIGCONT)
        tail.process.send_signal(signal.SIGCONT)
        tail.wait_for_line(b"number 019999")
    lost = int(tail.metric("entries_lost_total"))
    assert lost > 1000
    markers = tail.lines(b"journal entries lost (seqnum ")
    assert sum(int(line.split(b": ")[1].split()[0]) for line in markers) == lost
    first, last = (int(n) for n in markers[0].split(b"seqnum ")[1].rstrip(b")").split(b".."))
    assert last - first + 1 == int(markers[0].split(b": ")[1].split()[0])
    # A new journal numbers from 1, so the last number is how many entries there ever were.
    ever = parse(tail.status()["checkpoint"]["cursor"]).seqnum
    assert len(tail.lines()) - len(markers) + lost == ever


def test_a_journal_that_moves_from_run_to_var_is_read_once(tmp_path: Path, exporter: Make) -> None:
    with Journald(tmp_path / "host", storage="auto") as journald:
        journald.send_many(numbered(0, 300))
        journald.sync()
        tail = exporter("--start", "head").start()
        tail.wait_for_line(b"number 000299")
        journald.flush()
        journald.send_many(numbered(300, 600))
        tail.wait_for_line(b"number 000599")
        tail.stop()
        tail.start()
        journald.send_many(numbered(600, 700))
        tail.wait_for_line(b"number 000699")
        assert found(tail) == numbered(0, 700)
        assert tail.metric("entries_lost_total") == 0


def test_a_move_from_run_to_var_while_the_exporter_is_down_loses_and_repeats_nothing(
    tmp_path: Path, exporter: Make
) -> None:
    with Journald(tmp_path / "host", storage="auto") as journald:
        journald.send_many(numbered(0, 300))
        journald.sync()
        tail = exporter("--start", "head").start()
        tail.wait_for_line(b"number 000299")
        tail.kill()
        journald.send_many(numbered(300, 600))
        journald.flush()
        journald.send_many(numbered(600, 900))
        journald.sync()
        tail.start()
        tail.wait_for_line(b"number 000899")
        assert found(tail) == numbered(0, 900)
        assert tail.metric("entries_lost_total") == 0


def test_without_inotify_new_entries_and_new_files_are_found_nevertheless(
    journald: Journald, exporter: Make
) -> None:
    strace = (need("strace"), "-f", "-qq", "-o", "/dev/null")
    tail = exporter(prefix=(*strace, "-e", "inject=inotify_init1:error=EMFILE")).start()
    journald.send_many(numbered(0, 10))
    tail.wait_for_line(b"number 000009")
    assert tail.metric("inotify_available") == 0
    for first in range(10, 60, 10):
        journald.rotate()
        journald.send_many(numbered(first, first + 10))
        begun_s = time.monotonic()
        tail.wait_for_line(b"number %06d" % (first + 9))
        # It looks each second. A wait that grew with each new file would reach 16 s.
        assert time.monotonic() - begun_s < 8
    assert found(tail) == numbered(0, 60)


def test_a_denied_watch_keeps_no_new_file_from_being_found(
    journald: Journald, exporter: Make
) -> None:
    strace = (need("strace"), "-f", "-qq", "-o", "/dev/null")
    tail = exporter(prefix=(*strace, "-e", "inject=inotify_add_watch:error=EACCES")).start()
    journald.send_many(numbered(0, 10))
    tail.wait_for_line(b"number 000009")
    journald.rotate()
    journald.send_many(numbered(10, 20))
    tail.wait_for_line(b"number 000019")
    assert found(tail) == numbered(0, 20)
    assert tail.metric("inotify_available") == 0


def test_awkward_messages_become_one_line_each(journald: Journald, exporter: Make) -> None:
    awkward = [b"two\nlines", b"", b"\xff\xfe", b"nul \0 byte", b"y" * 100_000]
    tail = exporter().start()
    for number, message in enumerate(awkward):
        journald.send(message, SYSLOG_IDENTIFIER=f"awkward{number}", PRIORITY=6)
    journald.send(b"the end", SYSLOG_IDENTIFIER="awkward9", PRIORITY=6)
    tail.wait_for_line(b"the end")
    texts = [line.split(b"]: ", 1)[1] for line in tail.lines(b" awkward")]
    replaced = "\N{REPLACEMENT CHARACTER}".encode()
    assert texts == [
        *(b"two#012lines", b"", replaced * 2, b"nul #000 byte", b"y" * 100_000),
        b"the end",
    ]


@pytest.mark.parametrize(
    "replace", [Path.unlink, lambda path: os.truncate(path, 0)], ids=["removed", "emptied"]
)
def test_an_output_that_another_process_replaces_is_reported_and_a_new_one_begins(
    journald: Journald, exporter: Make, replace: Callable[[Path], None]
) -> None:
    tail = exporter().start()
    journald.send_many(numbered(0, 10))
    tail.wait_for_line(b"number 000009")
    replace(tail.output)
    tail.wait_for(lambda: "another process removed, renamed or emptied" in tail.log(), "the report")
    tail.wait_for(tail.output.exists, "a new output")
    journald.send_many(numbered(10, 20))
    tail.wait_for_line(b"number 000019")
    assert found(tail) == numbered(10, 20)


def test_a_worker_that_hangs_is_neither_ready_nor_in_the_way_of_the_end(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter("--live-timeout-s", "1").start()
    journald.send(b"here")
    tail.wait_for_line(b"here")
    os.kill(tail.worker(), signal.SIGSTOP)
    tail.wait_for(lambda: tail.get("/livez")[0] == 503, "the probe to notice")
    assert tail.get("/readyz")[0] == 503
    tail.process.terminate()
    assert tail.process.wait(40) == 2


def test_readers_that_keep_up_see_every_line_before_the_file_is_renamed(
    journald: Journald, exporter: Make
) -> None:
    tail = exporter(
        "--max-bytes", "20Ki", "--rotation-settle-s", "0.5", "--keep-files", "9"
    ).start()
    seen: list[bytes] = []
    done = threading.Event()

    def follow_by_name() -> None:
        # As log[] does: one path, from the start again when there is a new file.
        inode, at = 0, 0
        while not done.wait(0.02):
            with contextlib.ExitStack() as stack:
                try:
                    file = stack.enter_context(tail.output.open("rb"))
                except FileNotFoundError:
                    continue
                found_inode = os.fstat(file.fileno()).st_ino
                if found_inode != inode:
                    inode, at = found_inode, 0
                file.seek(at)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            at += len(whole)
            seen.extend(whole.split(b"\n")[:-1])

    reader = threading.Thread(target=follow_by_name)
    reader.start()
    try:
        journald.send_many(numbered(0, 1000))
        tail.wait_for_line(b"number 000999")
        tail.wait_for(lambda: seen[-1:] == tail.lines()[-1:], "the reader")
    finally:
        done.set()
        reader.join()
    assert seen == tail.lines()
    assert tail.metric("rotations_total") >= 2
