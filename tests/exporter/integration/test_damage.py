"""Journal files that are truncated, corrupted, removed or of another kind."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from journal_exporter.journal.cursor import parse
from tests.support.exporter import Exporter
from tests.support.journald import Journald
from tests.support.journals import START_US, numbered
from tests.support.paths import ROOT
from tests.support.tools import need
from tools.journal_writer import write_journal

Make = Callable[..., Exporter]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a directory whose one journal file holds 20,000 entries."""
    directory = tmp_path / "host" / "var/log/journal"
    directory.mkdir(parents=True)
    write_journal(directory / "system.journal", numbered(range(20_000)))
    return directory


def assert_adds_up(exporter: Exporter, entries: int) -> int:
    """Expect lines and counted losses to be all entries, in order; return the losses."""
    found = exporter.numbers()
    assert found == sorted(set(found))
    lost: int = exporter.status()["gaps"]["lost_entries"]
    markers = exporter.lines(b"journal entries lost")
    lines = len(exporter.lines()) - len(markers)
    assert lines + lost == entries
    # At each edge of the damage an entry or two may have a line without its whole message.
    assert lines - len(found) <= 4
    assert parse(exporter.status()["checkpoint"]["cursor"]).seqnum == entries
    return lost


@pytest.mark.parametrize("size", [4096, 65_536, 1_048_576])
def test_a_hole_in_a_file_loses_its_entries_and_counts_them(
    journal: Path, exporter: Make, size: int
) -> None:
    path = journal / "system.journal"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * size)
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    lost = assert_adds_up(tail, 20_000)
    markers = tail.lines(b"journal entries lost (seqnum ")
    assert sum(int(line.split(b": ")[1].split()[0]) for line in markers) == lost > 0


def test_a_file_truncated_under_the_reader_costs_what_was_cut_off_and_no_worker(
    journal: Path, exporter: Make
) -> None:
    # The pause before the first rotation keeps the reader in the middle of the file.
    tail = exporter("--start", "head", "--max-bytes", "100Ki", "--rotation-settle-s", "1").start()
    tail.wait_for_line(b"number 000900")
    worker = tail.worker()
    os.truncate(journal / "system.journal", 65_536)
    write_journal(journal / "next.journal", numbered(range(20_000, 20_100)))
    tail.wait_for_line(b"number 020099")
    tail.wait_for(lambda: tail.metric("entries_lost_total") > 0, "the loss")
    found = tail.numbers()
    before = [number for number in found if number < 20_000]
    assert before == list(range(len(before)))
    assert [number for number in found if number >= 20_000] == list(range(20_000, 20_100))
    assert len(before) + tail.metric("entries_lost_total") == 20_000
    assert tail.worker() == worker
    assert tail.process.poll() is None


@pytest.fixture
def deadly_read(tmp_path: Path) -> Path:
    """Return a library with which reading one file, by its inode, kills the process."""
    library = tmp_path / "faults_pread.so"
    flags = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-D_FILE_OFFSET_BITS=64")
    source = ROOT / "tests/support/faults_pread.c"
    subprocess.run((need("gcc"), *flags, "-o", str(library), str(source)), check=True)
    return library


def test_a_file_that_kills_every_reader_is_set_aside_and_the_others_are_read(
    journal: Path, exporter: Make, deadly_read: Path
) -> None:
    deadly = journal / "deadly.journal"
    write_journal(deadly, numbered(range(30_000, 30_010)))
    # What a bad sector does to a reader that maps the file, under its later name too.
    variables = (f"LD_PRELOAD={deadly_read}", f"DEADLY_INODE={deadly.stat().st_ino}")
    tail = exporter("--start", "head", prefix=("env", *variables)).start()
    tail.wait_for_line(b"number 019999")
    assert tail.numbers() == list(range(20_000))
    tail.wait_for(
        lambda: tail.metric("journal_files", '{state="set_aside"}') == 1, "the scan of the files"
    )
    assert tail.metric("worker_restarts_total", '{signal="SIGBUS"}') >= 3
    assert f"journal file {deadly} kills its readers; it is set aside" in tail.log()
    # journald renames files: what is set aside is the file, not its name.
    restarts = tail.metric("worker_restarts_total", '{signal="SIGBUS"}')
    deadly.rename(journal / "renamed.journal")
    write_journal(journal / "new.journal", numbered(range(40_000, 40_010)))
    tail.wait_for_line(b"number 040009")
    assert tail.metric("worker_restarts_total", '{signal="SIGBUS"}') == restarts


def test_a_new_sequence_loses_nothing(journal: Path, exporter: Make) -> None:
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    (journal / "system.journal").unlink()
    write_journal(journal / "system.journal", numbered(range(20_000, 20_100)))
    assert tail.run() == 0
    assert tail.numbers() == list(range(20_100))
    assert tail.status()["gaps"]["lost_entries"] == 0


def test_a_journal_that_is_replaced_whole_is_read_whole_though_the_clock_went_back(
    journal: Path, exporter: Make
) -> None:
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    (journal / "system.journal").unlink()
    earlier = numbered(range(20_000, 20_100), start_us=START_US - 10**12, boot="c" * 32)
    write_journal(journal / "system.journal", earlier)
    assert tail.run() == 0
    assert tail.run() == 0
    assert tail.numbers() == list(range(20_100))


def test_a_journal_that_goes_away_is_reported_and_read_again_when_it_comes_back(
    journal: Path, exporter: Make
) -> None:
    tail = exporter("--start", "head").start()
    tail.wait_for_line(b"number 019999")
    tail.wait_for(lambda: tail.get("/readyz")[0] == 200, "readiness")
    (journal / "system.journal").unlink()
    tail.wait_for(lambda: tail.get("/readyz")[0] == 503, "the scan of the files")
    assert "no journal file can be read" in tail.get("/readyz")[1]
    assert tail.get("/livez")[0] == 200
    write_journal(journal / "system.journal", numbered(range(20_000, 20_100)))
    tail.wait_for_line(b"number 020099")
    tail.wait_for(lambda: tail.get("/readyz")[0] == 200, "the scan of the files")
    assert tail.numbers() == list(range(20_100))
    assert "no journal file can be read in" in tail.log()
    assert "found journal files in" in tail.log()


def test_an_unread_archive_of_the_same_sequence_that_is_removed_is_counted_exactly(
    tmp_path: Path, exporter: Make
) -> None:
    with Journald(tmp_path / "host") as journald:
        journald.send_many(b"number %06d" % n for n in range(100))
        journald.sync()
        tail = exporter("--once", "--start", "head")
        assert tail.run() == 0
        journald.send_many(b"number %06d" % n for n in range(100, 900))
        journald.sync()
        journald.rotate()
        journald.send_many(b"number %06d" % n for n in range(900, 1000))
        journald.sync()
        archive = next(journald.persistent.glob("system@*.journal"))
        archive.unlink()
        assert tail.run() == 0
        lost = tail.status()["gaps"]["lost_entries"]
        ever = parse(tail.status()["checkpoint"]["cursor"]).seqnum
    assert tail.numbers() == [*range(100), *range(900, 1000)]
    assert 800 <= lost <= 810
    assert len(tail.lines()) - len(tail.lines(b"entries lost")) + lost == ever


def test_a_file_with_a_flag_of_the_future_is_counted_and_named(
    journal: Path, exporter: Make
) -> None:
    future = journal / "future.journal"
    future.write_bytes((journal / "system.journal").read_bytes()[:4096])
    with future.open("r+b") as file:
        file.seek(12)
        file.write((1 << 5).to_bytes(4, "little"))
    garbage = journal / "garbage.journal"
    garbage.write_bytes(b"no journal" * 100)
    tail = exporter("--start", "head").start()
    tail.wait_for_line(b"number 019999")
    tail.wait_for(
        lambda: tail.metric("journal_files", '{state="unsupported"}') == 1, "the scan of the files"
    )
    assert tail.metric("journal_files", '{state="corrupt"}') == 1
    assert tail.metric("journal_files", '{state="readable"}') == 1
    assert f"{future} is unsupported" in tail.log()
    assert f"{garbage} is corrupt" in tail.log()
    assert tail.numbers() == list(range(20_000))


def test_compressed_journals_of_other_nodes_are_read(tmp_path: Path, exporter: Make) -> None:
    directory = tmp_path / "host" / "var/log/journal"
    directory.mkdir(parents=True)
    write_journal(directory / "system.journal", numbered(range(2000)), compressed=True)
    tail = exporter("--once", "--start", "head")
    assert tail.run() == 0
    assert tail.numbers() == list(range(2000))
