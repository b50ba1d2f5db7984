"""The scan of the journal's files: what is unread, and for how long it has been."""

from pathlib import Path

import pytest

from journal_exporter.journal.position import Position
from journal_exporter.monitoring.journal_watch import JournalWatch
from journal_exporter.monitoring.metrics import SharedMetrics
from tests.support.fakes import FakeClock, cursor, read_up_to
from tests.support.journal_headers import name_id, write_header

NAME = "a.journal"


class Scans:
    """A watch over one file, with both clocks in the test's hands."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(epoch_s=cursor(0).realtime_us / 1e6)
        self.metrics = SharedMetrics()
        self.path = directory / NAME
        self.watch = JournalWatch([directory], self.metrics, time_s=self.clock.time_s)

    def scan(self, read: int, held: int) -> tuple[bool, float, float]:
        """Return what a scan says after ``read`` of ``held`` entries; the first is a millisecond old."""
        write_header(self.path, tail_seqnum=held, head_realtime_us=cursor(1).realtime_us)
        position = Position(
            cursor(read).text if read else None, {name_id(NAME): read_up_to(read)} if read else {}
        )
        behind = self.watch.scan(position, self.clock.monotonic_s())
        lag = self.metrics.get("lag_entries"), self.metrics.get("lag_seconds")
        return behind, *lag


@pytest.fixture
def scans(tmp_path: Path) -> Scans:
    return Scans(tmp_path)


def test_a_journal_that_is_read_to_its_end_has_no_lag(scans: Scans) -> None:
    assert scans.scan(5, 5) == (False, 0, 0)
    assert scans.metrics.get("newest_entry_timestamp_seconds") == cursor(5).realtime_us / 1e6


def test_a_backlog_is_as_old_as_its_oldest_entry(scans: Scans) -> None:
    scans.clock.advance(60)
    behind, entries, seconds = scans.scan(0, 5)
    assert (behind, entries) == (True, 5)
    assert seconds == pytest.approx(60, abs=0.01)


def test_an_entry_after_a_quiet_hour_has_waited_only_since_the_last_scan(scans: Scans) -> None:
    scans.scan(5, 5)
    scans.clock.advance(3595)
    scans.scan(5, 5)
    scans.clock.advance(5)
    assert scans.scan(5, 6) == (True, 1, 5)


def test_an_entry_that_stays_unread_waits_longer_with_each_scan(scans: Scans) -> None:
    scans.scan(5, 5)
    scans.clock.advance(5)
    scans.scan(5, 6)
    scans.clock.advance(30)
    is_behind, unread, lag_s = scans.scan(5, 9)
    assert (is_behind, unread) == (True, 4)
    assert lag_s == pytest.approx(35, abs=0.01)
    scans.clock.advance(5)
    assert scans.scan(9, 9) == (False, 0, 0)


@pytest.mark.parametrize("shift_s", [-7200, -1e9])
def test_a_clock_that_went_back_gives_no_negative_lag(scans: Scans, shift_s: float) -> None:
    scans.clock.epoch_s += shift_s
    assert scans.scan(5, 6) == (True, 1, 0)
    scans.clock.advance(30)
    assert scans.scan(5, 6) == (True, 1, 30)


def test_a_file_that_can_not_be_read_is_no_part_of_the_lag(scans: Scans) -> None:
    write_header(scans.path.with_name("b.journal"), flags=1 << 9, tail_seqnum=100)
    assert scans.scan(5, 5) == (False, 0, 0)
    assert scans.metrics.get("journal_files", "unsupported") == 1
