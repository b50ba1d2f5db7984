"""Makes scenarios. A seed also chooses the files' format, journald's settings and the output's size."""

from pathlib import Path

from tests.support.machine.clock import MachineClock
from tests.support.machine.journald_machine import JournaldMachine
from tests.support.machine.live_subject import LiveSubject
from tests.support.machine.process_subject import ProcessSubject
from tests.support.machine.scenario import Scenario
from tests.support.machine.seeded_random import SeededRandom
from tests.support.machine.subject import Subject
from tests.support.machine.written_machine import WrittenMachine
from tools.journal_writer import BOTTLEROCKET, TODAY

__all__ = [
    "any_journald_scenario",
    "any_live_scenario",
    "any_process_scenario",
    "any_written_scenario",
    "journald_scenario",
    "written_scenario",
]

_MAX_BYTES = (4096, 16 << 10, 1 << 20)
"""Sizes at which the output is rotated: always, sometimes, never."""


def any_written_scenario(base: Path, seed: int) -> Scenario:
    """Return a scenario with files that the test writes."""
    rng = SeededRandom(seed)
    machine = WrittenMachine(
        base / "host",
        rng,
        compact=rng.happens(0.5),
        keyed=rng.happens(0.5),
        one_sequence=rng.happens(0.3),
        split=rng.happens(0.8),
        in_run=rng.happens(0.4),
    )
    return _scenario(base, machine, rng.choice(_MAX_BYTES))


def written_scenario(base: Path, *, numbers_on: bool = True, max_bytes: int = 1 << 20) -> Scenario:
    """Return a scenario with regular files in /var that the test writes, one per user."""
    machine = WrittenMachine(
        base / "host", SeededRandom(0), compact=False, keyed=False, numbers_on=numbers_on
    )
    return _scenario(base, machine, max_bytes)


def any_journald_scenario(base: Path, shim: Path, seed: int) -> Scenario:
    """Return a scenario with a real journald."""
    machine = _any_journald_machine(base, shim, seed)
    return _scenario(base, machine, machine.rng.choice(_MAX_BYTES))


def any_process_scenario(base: Path, shim: Path, seed: int) -> Scenario:
    """Return a scenario with a real journald and ``journal-exporter run --once``."""
    machine = _any_journald_machine(base, shim, seed)
    return Scenario(machine, ProcessSubject(base / "exporter", machine.root))


def any_live_scenario(base: Path, shim: Path, seed: int) -> Scenario:
    """Return a scenario with a real journald and an exporter that already follows it."""
    machine = _any_journald_machine(base, shim, seed)
    live = LiveSubject(base / "exporter", machine.root, lambda: len(scenario.history))
    scenario = Scenario(machine, live)
    live.start(machine.boot_id)
    return scenario


def journald_scenario(base: Path, shim: Path) -> Scenario:
    """Return a scenario with a real journald that writes to /var, one file per user."""
    clock = MachineClock(base / "clock", shim)
    machine = JournaldMachine(base / "host", SeededRandom(0), clock, environment=BOTTLEROCKET)
    return _scenario(base, machine)


def _any_journald_machine(base: Path, shim: Path, seed: int) -> JournaldMachine:
    rng = SeededRandom(seed)
    return JournaldMachine(
        base / "host",
        rng,
        MachineClock(base / "clock", shim),
        storage=rng.choice(("persistent", "auto")),
        split_mode=rng.choice(("uid", "uid", "none")),
        environment=rng.choice((BOTTLEROCKET, TODAY)),
    )


def _scenario(
    base: Path, machine: WrittenMachine | JournaldMachine, max_bytes: int = 1 << 20
) -> Scenario:
    subject = Subject(base / "exporter", machine.root, machine.time_s, max_bytes=max_bytes)
    return Scenario(machine, subject)
