"""The journald that other tests rely on is a real one and does as it is told."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.journald import Journald, JournaldError, unavailable
from tests.support.journals import entries
from tests.support.waiting import WaitError, wait_for
from tools.journal_writer import BOTTLEROCKET

pytestmark = pytest.mark.skipif(bool(unavailable()), reason=unavailable())

AWKWARD = [b"", b"two\nlines", b"\xff\xfe invalid", b"nul \0", b"x" * 100_000, b"\0y" * 500_000]


def own(directory: Path) -> list[bytes]:
    """Return the messages that have our mark, as journald writes some of its own."""
    return [entry["MESSAGE"] for entry in entries(directory) if "TEST" in entry]


def test_any_message_is_read_back_as_it_was_sent(tmp_path: Path) -> None:
    with Journald(tmp_path) as journald:
        for message in AWKWARD:
            journald.send(message, TEST="yes", BINARY=b"\xff\n\0", PRIORITY=3)
        journald.sync()
        found = [entry for entry in entries(journald.persistent) if "TEST" in entry]
    assert [entry["MESSAGE"] for entry in found] == AWKWARD
    assert {(entry["BINARY"], entry["PRIORITY"]) for entry in found} == {(b"\xff\n\0", b"3")}
    assert {entry["_TRANSPORT"] for entry in found} == {b"journal"}


def test_files_have_bottlerockets_format_unless_asked_otherwise(tmp_path: Path) -> None:
    flags = []
    for name, environment in (("plain", BOTTLEROCKET), ("today", {})):
        with Journald(tmp_path / name, environment=environment) as journald:
            header = (journald.persistent / "system.journal").read_bytes()[:16]
        flags.append(int.from_bytes(header[12:], "little"))
    assert flags[0] == 0
    assert flags[1] != 0


def test_rotating_archives_the_file_and_loses_nothing(tmp_path: Path) -> None:
    with Journald(tmp_path) as journald:
        for name in (b"before", b"after"):
            journald.send(name, TEST=1)
            journald.sync()
            journald.rotate()
        archives = list(journald.persistent.glob("system@*.journal"))
        assert own(journald.persistent) == [b"before", b"after"]
    assert len(archives) == 2


def test_a_size_limit_deletes_the_oldest_entries(tmp_path: Path) -> None:
    with Journald(tmp_path, max_use="4M", max_file_size="1M") as journald:
        journald.send_many((b"%05d " % n + b"x" * 500 for n in range(10_000)), TEST=1)
        journald.sync()
        kept = [int(message[:5]) for message in own(journald.persistent)]
        size = sum(path.stat().st_size for path in journald.persistent.iterdir())
    assert 0 < len(kept) < 10_000
    assert kept == list(range(10_000 - len(kept), 10_000))
    assert size <= 5 << 20


def test_flushing_moves_the_runtime_journal_to_the_persistent_one(tmp_path: Path) -> None:
    with Journald(tmp_path, storage="auto") as journald:
        journald.send(b"early", TEST=1)
        journald.sync()
        assert own(journald.runtime) == [b"early"]
        assert not journald.persistent.exists()
        journald.flush()
        journald.send(b"late", TEST=1)
        journald.sync()
        assert not journald.runtime.exists()
        assert own(journald.persistent) == [b"early", b"late"]


def test_a_volatile_journal_stays_where_it_is(tmp_path: Path) -> None:
    with Journald(tmp_path, storage="volatile") as journald:
        journald.send(b"here", TEST=1)
        journald.sync()
        with pytest.raises(JournaldError, match="volatile"):
            journald.flush()
        assert own(journald.runtime) == [b"here"]


def test_five_thousand_messages_a_second_are_no_trouble(tmp_path: Path) -> None:
    with Journald(tmp_path) as journald:
        started = time.monotonic()
        assert journald.send_many((b"message %d" % n for n in range(10_000)), TEST=1) == 10_000
        seconds = time.monotonic() - started
        journald.sync()
        assert own(journald.persistent) == [b"message %d" % n for n in range(10_000)]
    assert seconds < 2


def test_two_at_a_time_do_not_mix(tmp_path: Path) -> None:
    with Journald(tmp_path / "one") as one, Journald(tmp_path / "two") as two:
        one.send(b"one", TEST=1)
        two.send(b"two", TEST=1)
        one.sync()
        two.sync()
        assert (own(one.persistent), own(two.persistent)) == ([b"one"], [b"two"])
    assert one.machine_id != two.machine_id


def test_a_killed_daemon_starts_again_with_its_journal(tmp_path: Path) -> None:
    with Journald(tmp_path) as journald:
        journald.send(b"before", TEST=1)
        journald.sync()
        journald.kill()
        with pytest.raises(JournaldError, match="not running"):
            journald.send(b"nobody listens")
        journald.start()
        journald.send(b"after", TEST=1)
        journald.sync()
        assert own(tmp_path / "var/log/journal") == [b"before", b"after"]


def test_stopping_writes_what_was_sent_and_leaves_no_process_and_no_mount(tmp_path: Path) -> None:
    with Journald(tmp_path / ("long-name" * 12)) as journald:
        pid = journald.pid
        journald.send_many([b"queued"] * 100, TEST=1)
    assert own(journald.persistent) == [b"queued"] * 100
    assert not Path(f"/proc/{pid}").exists()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_a_daemon_that_cannot_start_is_an_error_with_its_log(tmp_path: Path) -> None:
    journald = Journald(tmp_path)
    (tmp_path / "var/log/journal").rmdir()
    (tmp_path / "var/log").rmdir()
    with pytest.raises(WaitError, match=r"ended with \d+ before it was ready"):
        journald.start()


def test_a_daemon_does_not_outlive_a_killed_test_run(tmp_path: Path) -> None:
    script = (
        "import pathlib, os, signal, sys\n"
        "from tests.support.journald import Journald\n"
        "journald = Journald(pathlib.Path(sys.argv[1]))\n"
        "journald.start()\n"
        "print(journald.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=False, stdout=subprocess.PIPE
    )
    daemon = Path(f"/proc/{int(ran.stdout)}/exe")
    wait_for(lambda: not daemon.exists(), "the daemon to end", 10)
