"""Seven faults of reading through libsystemd's merged view, each seen with systemd 252.

Clocks that go back, a new numbering, a flipped bit, a wrong offset, a damaged page, many users, many files.
"""

import lzma
import os
import re
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.exporter import Exporter
from tests.support.machine import damage
from tests.support.machine.file_writer import OFFLINE, JournalFile, Stamp
from tests.support.machine.history import problems_of
from tests.support.machine.output_lines import key_of_line, shown_by_journalctl
from tests.support.machine.parsed_files import below, objects, parse
from tests.support.machine.process_subject import ProcessSubject
from tests.support.machine.scenario import Scenario
from tests.support.machine.scenarios import journald_scenario, written_scenario
from tests.support.machine.subject import Subject
from tests.support.tools import need

SYSTEM = None
START_US = 1_790_000_000_000_000
JOURNALS = Path(__file__).parent / "journals"
DAMAGED = (
    ("damaged-5-37", 6),
    ("damaged-6-11", 400),
    ("damaged-6-34", 163),
    ("damaged-6-78", 400),
    ("damaged-7-44", 400),
    ("damaged-7-75", 399),
    ("damaged-8-16", 399),
    ("damaged-8-55", 400),
)
"""Files, and the number of their 400 entries that journalctl 252 shows."""


def log_as(scenario: Scenario, users: int, count: int) -> None:
    """Log messages of the system and of some users, one each in turn."""
    scenario.log_all([SYSTEM, *range(1000, 1000 + users)] * count)


@pytest.mark.parametrize("users", [1, 3])
@pytest.mark.parametrize("behind_s", [5, 3600])
def test_entries_of_a_boot_whose_clock_is_behind_are_written_once(
    base: Path, shim: Path, users: int, behind_s: float
) -> None:
    with journald_scenario(base, shim) as scenario:
        log_as(scenario, users, count=30)
        scenario.look()
        scenario.boot(-behind_s)
        log_as(scenario, users, count=30)
        scenario.look()
        scenario.start_with_nothing_new()
        scenario.start_with_nothing_new()


@pytest.mark.parametrize("users", [1, 3])
def test_a_first_run_writes_entries_of_both_boots(base: Path, shim: Path, users: int) -> None:
    with journald_scenario(base, shim) as scenario:
        log_as(scenario, users, count=30)
        scenario.boot(-5)
        log_as(scenario, users, count=30)
        scenario.look()
        scenario.start_with_nothing_new()


def test_entries_of_a_new_numbering_after_a_power_cut_are_written_though_the_clock_is_older(
    base: Path, shim: Path
) -> None:
    with journald_scenario(base, shim) as scenario:
        log_as(scenario, users=1, count=50)
        scenario.look()
        scenario.kill()
        path = next(scenario.machine.root.glob("var/log/journal/*/system.journal"))
        scenario.do(lambda: os.truncate(path, 0))
        scenario.boot(-300, clean=False)
        scenario.log(SYSTEM, 50)
        scenario.look()
        scenario.start_with_nothing_new()


def test_a_machine_id_of_its_own_beside_an_old_one_is_read_whole_though_the_clock_is_older(
    base: Path, shim: Path
) -> None:
    with journald_scenario(base, shim) as scenario:
        scenario.log(SYSTEM, 100)
        scenario.look()
        scenario.machine.change_machine_id()
        scenario.boot(-300)
        scenario.log(SYSTEM, 100)
        scenario.look()
        scenario.start_with_nothing_new()


def test_an_entry_dated_years_ahead_hides_nothing_that_comes_later(base: Path) -> None:
    with written_scenario(base, numbers_on=False) as scenario:
        years_s = 15 * 365 * 86400
        scenario.log(SYSTEM, 100)
        scenario.machine.step_clock(years_s)
        scenario.log(SYSTEM, 1)
        scenario.look()
        scenario.boot(-years_s, clean=False)
        scenario.log(SYSTEM, 100)
        scenario.look()
        scenario.start_with_nothing_new()


def only_file(scenario: Scenario) -> Path:
    (path,) = below(scenario.machine.root)
    return path


@pytest.mark.parametrize("bit", [3, 44, 63])
@pytest.mark.parametrize("known", [0, 30])
def test_a_flipped_bit_in_a_sequence_number_is_no_loss_and_hides_nothing(
    base: Path, bit: int, known: int
) -> None:
    with written_scenario(base) as scenario:
        if known:
            scenario.log(SYSTEM, known)
            scenario.look()
        scenario.log(SYSTEM, 100)
        path = only_file(scenario)
        parsed = parse(path)
        assert parsed is not None
        damage.flip_bit(path, parsed.entries[known + 60].offset + damage.SEQNUM, bit)
        scenario.history.damaged(path, scenario.subject.lines)
        scenario.look()
        assert scenario.subject.lost() == 0
        scenario.log(SYSTEM, 50)
        scenario.look()
        scenario.start_with_nothing_new()
        assert len(scenario.subject.lines()) == 1 + known + 150


@pytest.mark.parametrize("item", range(9))
def test_an_offset_beyond_the_file_costs_one_field(base: Path, item: int) -> None:
    with written_scenario(base) as scenario:
        scenario.log(SYSTEM, 30)
        scenario.look()
        scenario.log(SYSTEM, 100)
        path = only_file(scenario)
        parsed = parse(path)
        assert parsed is not None
        offset = parsed.entries[90].offset + 64 + 16 * item
        damage.put(path, offset, (0xFFFFFFFFFFFFFFF0).to_bytes(8, "little"))
        scenario.history.damaged(path, scenario.subject.lines)
        scenario.stop()
        scenario.look()
        assert len(scenario.subject.lines()) == 131
        assert scenario.subject.lost() == 0
        scenario.log(SYSTEM, 50)
        scenario.look()
        scenario.start_with_nothing_new()


@pytest.mark.parametrize("part", [0.3, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
@pytest.mark.parametrize("known", [0, 100])
def test_a_damaged_page_in_the_newest_file_costs_what_was_in_it(
    base: Path, part: float, byte: bytes, known: int
) -> None:
    with written_scenario(base) as scenario:
        if known:
            scenario.log(SYSTEM, known)
            scenario.look()
        scenario.log(SYSTEM, 400)
        path = only_file(scenario)
        _kind, last, _size = objects(path)[-1]
        damage.put(path, 4096 * (int(last * part) // 4096), 4096 * byte)
        scenario.history.damaged(path, scenario.subject.lines)
        scenario.look()
        scenario.start_with_nothing_new()


def unpacked(name: str, base: Path) -> Path:
    path = base / "host/var/log/journal/system.journal"
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.decompress((JOURNALS / f"{name}.journal.xz").read_bytes()))
    return path


@pytest.mark.parametrize("name", [name for name, _shown in DAMAGED])
@pytest.mark.parametrize("max_bytes", [64 << 10, 50 << 20])
def test_a_run_over_a_damaged_file_ends(base: Path, name: str, max_bytes: int) -> None:
    unpacked(name, base)
    with closing(ProcessSubject(base / "exporter", base / "host", max_bytes=max_bytes)) as exporter:
        exporter.start("")
        assert exporter.run_until_idle()


@pytest.mark.parametrize(("name", "shown"), DAMAGED)
def test_of_a_damaged_file_at_least_what_journalctl_shows_is_written(
    base: Path, name: str, shown: int
) -> None:
    path = unpacked(name, base)
    with closing(Subject(base / "exporter", base / "host", time.time)) as exporter:
        exporter.start("b0" * 16)
        exporter.run_until_idle()
        lines = exporter.lines()
        missing = shown_by_journalctl(path) - Counter(map(key_of_line, lines))
        assert not missing
        numbers = Counter(number for line in lines for number in re.findall(rb"seq=\d+;", line))
        assert len(numbers) >= shown
        assert set(numbers.values()) == {1}
        assert len(lines) <= 400
        exporter.restart("b0" * 16)
        exporter.run_until_idle()
        assert exporter.lines() == lines


def test_entries_of_users_who_appear_while_others_log_are_written(base: Path, shim: Path) -> None:
    with (
        journald_scenario(base, shim) as scenario,
        Exporter(
            base / "out",
            *("--journal-root", str(scenario.machine.root), "--start", "head"),
        ) as exporter,
    ):
        log_in_disorder(scenario, users=60, count=3000)
        scenario.history.looked(exporter.lines)
        exporter.wait_for(lambda: len(exporter.lines()) >= len(scenario.history), "all lines")
        exporter.stop()
        lost: int = exporter.status()["gaps"]["lost_entries"]
        assert not problems_of(scenario.history, exporter.lines(), lost)


@pytest.mark.parametrize("is_alive", [False, True])
@pytest.mark.parametrize("users", [3, 24, 60])
def test_losses_of_many_users_are_counted(
    base: Path, shim: Path, users: int, *, is_alive: bool
) -> None:
    with journald_scenario(base, shim) as scenario:
        log_as(scenario, users, count=1)
        scenario.look()
        if not is_alive:
            scenario.stop()
        log_in_disorder(scenario, users, count=4 * users)
        scenario.do(scenario.machine.rotate)
        scenario.vacuum(users // 2)
        log_as(scenario, users, count=2)
        scenario.look()
        bounds = scenario.history.lost(scenario.subject.lines())
        assert bounds.least == bounds.most >= 3 * users
        scenario.start_with_nothing_new()


def test_what_was_known_of_a_file_that_vanished_is_counted(base: Path) -> None:
    with written_scenario(base, max_bytes=4096) as scenario:
        scenario.log(SYSTEM, 150)
        scenario.do(scenario.machine.rotate)
        scenario.log(SYSTEM, 150)
        point = 10
        while not scenario.subject.lines():
            assert not scenario.look(kill_at=point)
            point += 2
        assert len(scenario.subject.lines()) < 150
        (newest,) = scenario.machine.root.glob("var/log/journal/*/system.journal")
        scenario.delete(newest)
        scenario.look()
        assert scenario.subject.lost() == 150
        scenario.start_with_nothing_new()


def log_in_disorder(scenario: Scenario, users: int, count: int) -> None:
    """Log messages of the system and of a growing number of users, in random order."""
    known = (range(1000, 1000 + users * (number + 1) // count) for number in range(count))
    scenario.log_all([scenario.machine.rng.choice((SYSTEM, *uids)) for uids in known])


@pytest.mark.parametrize("kill_at", range(8, 44, 3))
def test_entries_that_a_kill_left_in_the_output_are_not_lost_though_their_file_is_deleted(
    base: Path, kill_at: int
) -> None:
    """After another boot the checkpoint's intent is not trusted: the lines are compared."""
    with written_scenario(base) as scenario:
        log_as(scenario, users=3, count=8)
        scenario.look(kill_at)
        scenario.kill()
        scenario.do(scenario.machine.rotate)
        for path in below(scenario.machine.root):
            if "@" in path.name and path.name.startswith(("user-1000", "user-1002")):
                scenario.delete(path)
        scenario.boot(0)
        log_as(scenario, users=3, count=2)
        scenario.look()
        scenario.start_with_nothing_new()


@pytest.mark.parametrize("limits", ["210:4096", "210:210"])
def test_more_files_than_descriptors_are_read_whole(base: Path, limits: str) -> None:
    directory = base / "host/var/log/journal" / ("ec" * 16)
    for number in range(202):
        write_file(directory / f"user-{1000 + number}.journal", number)
    with Exporter(
        base / "out",
        *("--journal-root", str(base / "host"), "--start", "head"),
        prefix=(need("prlimit"), f"--nofile={limits}"),
    ) as exporter:
        exporter.wait_for(lambda: len(exporter.lines(b"number ")) >= 1010, "all lines")
        exporter.stop()
        exporter.start()
        exporter.wait_for(lambda: exporter.get("/readyz")[0] == 200, "readiness")
        assert exporter.metric("lag_entries") == 0
        exporter.stop()
        lines = exporter.lines(b"number ")
    assert len(lines) == len(set(lines)) == 1010
    assert exporter.status()["gaps"]["lost_entries"] == 0


def write_file(path: Path, number: int) -> None:
    """Write five entries whose numbers are spread over all files."""
    file_id = number.to_bytes(16, "big")
    file = JournalFile(path, file_id=file_id, machine_id=bytes(16))
    for turn in range(5):
        seqnum = 1 + 202 * turn + number
        time_us = START_US + 1000 * seqnum
        fields = [b"MESSAGE=number %d" % seqnum, b"PRIORITY=6", b"_HOSTNAME=node"]
        file.append(fields, Stamp(seqnum, time_us, 1000 * seqnum, bytes(15) + b"\1"))
    file.set_state(OFFLINE)
    file.close()
