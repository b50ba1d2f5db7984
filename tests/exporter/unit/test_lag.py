"""How far behind reading is, and how long the journal keeps what is unread."""

import math
from pathlib import Path

import pytest

from journal_exporter.journal.file_format import NO_HEADER
from journal_exporter.journal.files import JournalFile
from journal_exporter.monitoring.lag import (
    default_max_use_bytes,
    lag,
    lag_of_all,
    seconds_to_vacuum,
)

NEWEST_US = 1_000_000_000
MIB = 1 << 20


def file(
    seqnum_id: str = "a",
    tail: int = 100,
    *,
    age_s: float = 0.0,
    size_bytes: int = 8 * MIB,
    head_age_s: float = 0.0,
) -> JournalFile:
    """``age_s``: how much younger than the newest entry read its last one is; ``head_age_s`` its first."""
    header = NO_HEADER._replace(
        seqnum_id=seqnum_id, head_seqnum=1, tail_seqnum=tail,
        head_realtime_us=NEWEST_US + int(head_age_s * 1e6),
        tail_realtime_us=NEWEST_US + int(age_s * 1e6),
    )  # fmt: skip
    return JournalFile(Path("x.journal"), 1, size_bytes, "readable", header)


def test_a_journal_that_is_read_to_its_end_has_no_lag() -> None:
    assert lag([file(tail=100, age_s=5.0)], {"a": 100}, NEWEST_US) == (0, 0.0)


def test_entries_on_disk_that_are_not_read_are_counted_by_number() -> None:
    assert lag([file(tail=130, age_s=2.5)], {"a": 100}, NEWEST_US) == (30, 2.5)


def test_only_the_newest_file_of_an_id_counts() -> None:
    files = [file(tail=110, age_s=1), file(tail=130, age_s=3), file(tail=90, age_s=-9)]
    assert lag(files, {"a": 100}, NEWEST_US) == (30, 3.0)


def test_the_lag_of_several_ids_adds_up() -> None:
    files = [file("a", 110, age_s=1), file("b", 55, age_s=4)]
    assert lag(files, {"a": 100, "b": 50}, NEWEST_US) == (15, 4.0)


def test_an_id_that_is_ahead_of_its_files_does_not_hide_another() -> None:
    files = [file("a", 90), file("b", 55)]
    assert lag(files, {"a": 100, "b": 50}, NEWEST_US).entries == 5


def test_files_of_an_id_that_was_never_read_are_not_counted() -> None:
    assert lag([file("old", 5000, age_s=-100)], {"a": 100}, NEWEST_US) == (0, 0.0)


def test_a_file_that_is_read_to_its_end_adds_no_lag() -> None:
    files = [file("a", 110, age_s=1), file("b", 50, age_s=9)]
    assert lag(files, {"a": 100, "b": 50}, NEWEST_US) == (10, 1.0)


def test_before_anything_is_read_there_is_no_age() -> None:
    assert lag([file(tail=130)], {"a": 100}, 0) == (30, 0.0)
    assert lag([], {}, 0) == (0, 0.0)


def test_before_anything_is_read_the_whole_journal_is_the_lag() -> None:
    files = [
        file("a", 100, age_s=5, head_age_s=2),
        file("b", 30, age_s=9, head_age_s=4),
        file("c", 0),
    ]
    assert lag_of_all(files) == (130, 7.0)
    assert lag_of_all([file("c", 0)]) == lag_of_all([]) == (0, 0.0)
    assert lag_of_all([file(age_s=-1, head_age_s=1)]).lag_s == 0.0


def test_a_clock_that_went_back_gives_no_negative_lag() -> None:
    assert lag([file(tail=130, age_s=-60)], {"a": 100}, NEWEST_US) == (30, 0.0)


@pytest.mark.parametrize(
    ("disk", "limit"),
    [(0, 0), (20 << 30, 2 << 30), (40 << 30, 4 << 30), (400 << 30, 4 << 30)],
    ids=["none", "tenth", "just", "capped"],
)
def test_journald_keeps_a_tenth_of_the_disk_and_4_gib_at_most(disk: int, limit: int) -> None:
    assert default_max_use_bytes(disk) == limit


def to_vacuum(files: list[JournalFile], growth: float = MIB, limit: int = 100 * MIB) -> float:
    return seconds_to_vacuum(files, {"a": 100}, growth_bytes_per_s=growth, max_use_bytes=limit)


@pytest.mark.parametrize("growth", [0.0, -1.0])
def test_a_journal_that_does_not_grow_is_never_vacuumed(growth: float) -> None:
    assert to_vacuum([file(tail=130)], growth=growth) == math.inf


def test_the_space_below_the_limit_is_the_time_left() -> None:
    assert to_vacuum([file(tail=130, size_bytes=40 * MIB)]) == 60.0
    assert to_vacuum([file(tail=130, size_bytes=40 * MIB)], growth=2 * MIB) == 30.0
    assert to_vacuum([file(tail=130, size_bytes=0)], growth=0.5, limit=10) == 20.0


def test_files_that_are_read_already_are_a_reserve() -> None:
    files = [file(tail=100, size_bytes=30 * MIB), file(tail=101, size_bytes=40 * MIB)]
    assert to_vacuum(files) == 60.0


def test_above_the_limit_there_is_no_time_left() -> None:
    assert to_vacuum([file(tail=130, size_bytes=200 * MIB)]) == 0.0
