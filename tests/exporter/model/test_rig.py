"""Tests of the model itself: the machines, the writer of files, and the oracle."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.machine import damage
from tests.support.machine.file_writer import OFFLINE, JournalFile, Stamp
from tests.support.machine.history import History, problems_of
from tests.support.machine.journal_hashes import jenkins_hash64, siphash24
from tests.support.machine.parsed_files import Entry, below, parse
from tests.support.machine.scenario import Scenario
from tests.support.machine.scenarios import (
    any_written_scenario,
    journald_scenario,
    written_scenario,
)
from tests.support.machine.seeded_random import SeededRandom
from tests.support.tools import need

BOOT = bytes(range(16))
START_US = 1_790_000_000_000_000


def as_journalctl(path: Path) -> list[tuple[int, bytes]]:
    """Return time and message of every entry, as journalctl reads them."""
    command = (
        need("journalctl"),
        f"--file={path}",
        "--output=json",
        "--all",
        "--output-fields=MESSAGE",
    )
    done = subprocess.run(command, check=True, capture_output=True)
    found = map(json.loads, done.stdout.splitlines())
    return [(int(one["__REALTIME_TIMESTAMP"]), one["MESSAGE"].encode()) for one in found]


def entries_of(path: Path) -> list[Entry]:
    file = parse(path)
    assert file is not None
    return file.entries


def test_hashes_are_those_of_their_authors() -> None:
    assert siphash24(bytes(range(15)), bytes(range(16))) == 0xA129CA6149BE45E5
    # lookup3.c, driver5: hashlittle2 gives c and b.
    assert jenkins_hash64(b"Four score and seven years ago") == 0x17770551CE7226E6
    assert jenkins_hash64(b"") == 0xDEADBEEFDEADBEEF


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("truncated", [False, True])
def test_written_files_are_sound_and_read_the_same_by_journalctl_and_by_the_oracle(
    tmp_path: Path, *, compact: bool, keyed: bool, truncated: bool
) -> None:
    rng = SeededRandom(1)
    file = JournalFile(
        tmp_path / "system.journal",
        file_id=rng.id(),
        machine_id=rng.id(),
        compact=compact,
        keyed=keyed,
    )
    messages = [rng.message(number // 2) for number in range(400)]
    for number, message in enumerate(messages):
        fields = [
            b"MESSAGE=" + message,
            b"PRIORITY=%d" % (number % 8),
            b"_BOOT_ID=" + BOOT.hex().encode(),
        ]
        file.append(fields, Stamp(5 + number, START_US + number, 1000 + number, BOOT))
    file.set_state(OFFLINE)
    file.close(truncated=truncated)
    subprocess.run(
        (need("journalctl"), "--verify", f"--file={file.path}"), check=True, capture_output=True
    )
    expected = [(START_US + number, message) for number, message in enumerate(messages)]
    assert as_journalctl(file.path) == expected
    found = entries_of(file.path)
    assert [(entry.realtime_us, entry.message) for entry in found] == expected
    assert [entry.seqnum for entry in found] == list(range(5, 405))


def test_the_oracle_reads_a_real_journalds_files_as_journalctl_does(base: Path, shim: Path) -> None:
    with journald_scenario(base, shim) as scenario:
        scenario.log_all([None, 1000, 1001] * 20)
        scenario.do(scenario.machine.rotate)
        scenario.boot(-5, clean=False)
        scenario.log_all([None, 1000, 1001] * 20)
        paths = below(scenario.machine.root)
        assert len(paths) >= 6
        for path in paths:
            found = [(entry.realtime_us, entry.message) for entry in entries_of(path)]
            assert found == as_journalctl(path)


def test_a_boot_begins_a_monotonic_clock_and_the_realtime_clock_goes_where_it_is_sent(
    base: Path, shim: Path
) -> None:
    with journald_scenario(base, shim) as scenario:
        scenario.log(None, 1)
        scenario.boot(-3600)
        scenario.log(None, 1)
        paths = below(scenario.machine.root)
        entries = [entry for path in paths for entry in entries_of(path)]
    sent = sorted(e for e in entries if (e.message or b"").startswith(b"number"))
    first, second = sorted(sent, key=lambda entry: entry.message or b"")
    assert first.boot_id != second.boot_id
    assert 3500e6 < first.realtime_us - second.realtime_us < 3700e6
    assert max(first.monotonic_us, second.monotonic_us) < 60e6
    assert abs(first.realtime_us / 1e6 - time.time()) < 60


def test_users_have_files_of_their_own_and_entries_at_one_instant_have_equal_times(
    base: Path, shim: Path
) -> None:
    with journald_scenario(base, shim) as scenario:
        scenario.machine.log_at_once([(1001, b"the same")] * 3)
        (path,) = scenario.machine.root.glob("var/log/journal/*/user-1001.journal")
        entries = entries_of(path)
    # journald stores when each message was sent, so only the hashes differ.
    assert [entry.identity[:3] for entry in entries] == [entries[0].identity[:3]] * 3


def test_a_change_of_the_machine_id_begins_another_directory(base: Path, shim: Path) -> None:
    with journald_scenario(base, shim) as scenario:
        scenario.machine.change_machine_id()
        scenario.machine.restart(clean=True)
        scenario.log(None, 1)
        assert len(list(scenario.machine.root.glob("var/log/journal/*/system.journal"))) == 2


def test_a_sequence_follows_from_its_seed(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with any_written_scenario(tmp_path / name, 3) as scenario:
            scenario.log_all([None, 1000] * 10)
            scenario.do(scenario.machine.rotate)
            found.append([path.read_bytes() for path in below(scenario.machine.root)])
    assert found[0] == found[1]


@pytest.fixture
def read(base: Path) -> Scenario:
    """Return a scenario whose exporter has read fifty entries."""
    with written_scenario(base) as scenario:
        scenario.log_all([None, 1000] * 25)
        scenario.look()
    return scenario


def judged(scenario: Scenario, lines: list[bytes], lost: int = 0) -> str:
    """Return the oracle's problems with another output."""
    return "; ".join(problems_of(scenario.history, lines, lost))


def test_the_oracle_accepts_the_output_of_a_sound_run(read: Scenario) -> None:
    assert judged(read, read.subject.lines()) == ""


def test_the_oracle_sees_lines_that_are_missing_repeated_changed_or_out_of_order(
    read: Scenario,
) -> None:
    lines = read.subject.lines()
    assert "1 of 51 entries are missing" in judged(read, lines[:-1])
    assert "1 lines too many" in judged(read, [*lines, lines[7]])
    assert "1 of 51 entries are missing" in judged(read, [*lines[:9], lines[9] + b"x", *lines[10:]])
    assert "the order of a file is not kept" in judged(read, [lines[5], *lines[:5], *lines[6:]])


def test_the_oracle_sees_a_loss_that_never_was(read: Scenario) -> None:
    assert "3 reported as lost, not 0 to 0" in judged(read, read.subject.lines(), lost=3)


def lose(scenario: Scenario) -> None:
    """Delete five unread entries of a user, and log more."""
    scenario.log(1001, 5)
    scenario.delete(next(scenario.machine.root.glob("var/log/journal/*/user-1001.journal")))
    scenario.log(None, 2)


def test_the_oracle_counts_what_vanished_unread(base: Path) -> None:
    with written_scenario(base) as scenario:
        scenario.log(None, 3)
        scenario.look()
        lose(scenario)
        assert scenario.history.lost([]).most == 5
        scenario.history.looked(scenario.subject.lines)
        lines = scenario.subject.lines()
        assert scenario.history.lost(lines).least == 5
        assert "0 reported as lost, not 5 to 5" in judged(scenario, lines)


def test_the_oracle_knows_that_an_open_file_outlives_its_name(base: Path) -> None:
    with written_scenario(base) as scenario:
        scenario.log(1001, 3)
        scenario.look()
        lose(scenario)
        assert scenario.history.lost([]).most == 0
        scenario.kill()
        assert scenario.history.lost([]).most == 5


def test_the_oracle_takes_an_entry_and_its_copy_for_one(base: Path) -> None:
    with any_written_scenario(base, 0) as scenario:
        scenario.do(scenario.machine.relinquish)
        scenario.log_all([None] * 4)
        entries = len(scenario.history)
        scenario.do(scenario.machine.flush)
        assert len(scenario.history) == entries


def test_the_oracle_lets_damage_cost_what_it_damaged(base: Path) -> None:
    with written_scenario(base) as scenario:
        scenario.log(None, 10)
        (path,) = below(scenario.machine.root)
        damage.put(path, entries_of(path)[4].offset, b"\0")
        scenario.history.damaged(path, scenario.subject.lines)
        scenario.history.looked(list)
        assert "10 of 10 entries are missing" in judged(scenario, [])


def test_the_history_of_an_empty_machine_is_empty(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.observe(1, list)
    assert len(history) == 0
