"""Random sequences of what happens to journals and exporters: every entry is written exactly once.

The seed decides each sequence. To replay one: ``MACHINE_SEED=17 pytest tests/exporter/model -k …``;
a failure prints the steps. ``--long`` runs more than two thousand.
"""

import os
import shutil
from collections.abc import Callable, Container
from pathlib import Path

from tests.support.machine.scenario import Scenario
from tests.support.machine.scenarios import (
    any_journald_scenario,
    any_live_scenario,
    any_process_scenario,
    any_written_scenario,
)
from tests.support.machine.sequence import RandomSequence, SequenceError

WRITTEN, WRITTEN_LONG = 200, 1700
JOURNALD, JOURNALD_LONG = 40, 300
PROCESS, PROCESS_LONG = 5, 60
LIVE, LIVE_LONG = 4, 60
NOT_COMPARED = {943, 1100, 1635}
"""Written sequences whose losses are not compared. 1100: a flipped bit makes a number that fits between its
neighbours and that another file has, so that one entry too many is reported lost. 943 and 1635: numbers occur
twice, and stand for 6 and 1 that are lost."""
NOT_COMPARED_JOURNALD = {199}
"""The same with a real journald: every file of a numbering goes, and what continues it has another id and
another boot. It counts as a new numbering, so that 30 entries are not reported lost."""
SHOWN = 3
"""The number of failures that are printed with their steps."""


def run_all(
    base: Path,
    count: int,
    make: Callable[[Path, int], Scenario],
    *,
    losses: bool = True,
    not_compared: Container[int] = (),
) -> None:
    """Run sequences, and report those that failed."""
    chosen = os.environ.get("MACHINE_SEED")
    seeds = range(count) if chosen is None else [int(chosen)]
    failures = []
    for seed in seeds:
        directory = base / str(seed)
        directory.mkdir()
        with make(directory, seed) as scenario:
            scenario.compares_lost = seed not in not_compared
            rng = scenario.machine.rng
            damages = losses and rng.happens(0.4)
            sequence = RandomSequence(scenario, damages=damages, losses=losses)
            try:
                sequence.run(rng.randint(6, 25))
            except SequenceError as error:
                failures.append(f"MACHINE_SEED={seed}: {error}")
        shutil.rmtree(directory)
    shown = "\n\n".join(failures[:SHOWN])
    assert not failures, f"{len(failures)} of {len(seeds)} sequences failed\n\n{shown}"


def test_every_entry_of_written_files_is_written_once(base: Path, *, long: bool) -> None:
    count = WRITTEN_LONG if long else WRITTEN
    run_all(base, count, any_written_scenario, not_compared=NOT_COMPARED)


def test_every_entry_of_a_real_journald_is_written_once(
    base: Path, shim: Path, *, long: bool
) -> None:
    count = JOURNALD_LONG if long else JOURNALD
    run_all(
        base,
        count,
        lambda directory, seed: any_journald_scenario(directory, shim, seed),
        not_compared=NOT_COMPARED_JOURNALD,
    )


def test_every_entry_is_written_once_by_a_process_that_is_killed(
    base: Path, shim: Path, *, long: bool
) -> None:
    count = PROCESS_LONG if long else PROCESS
    run_all(base, count, lambda directory, seed: any_process_scenario(directory, shim, seed))


def test_every_entry_is_written_once_by_a_process_that_follows_and_is_killed(
    base: Path, shim: Path, *, long: bool
) -> None:
    count = LIVE_LONG if long else LIVE
    run_all(
        base, count, lambda directory, seed: any_live_scenario(directory, shim, seed), losses=False
    )
