"""``kill -9`` before every single system call that changes a file or makes a change last.

Before a call is after the one before it, so these are all states that a kill can leave, but for a call
that was interrupted in the middle: see test_torn. strace makes the kills; which calls there are is
found out by a first run, so a call that is new in the exporter is killed at, too.
"""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chaos.oracle import Oracle
from tests.support.chaos.runs import (
    CHANGING,
    Case,
    calls,
    calls_of_supervisor,
    children,
    end,
    kill,
    kill_all,
    kill_at_open,
    kill_worker,
    paths,
    side_by_side,
)

Point = tuple[str, int]
Make = Callable[[str], Case]
SAMPLE = 8
"""Kill points of the slower variants in the short form."""


def undisturbed(make: Make) -> tuple[dict[str, bytes], list[Point]]:
    """Run once to the end; return the files, and every call of every kind as a kill point."""
    case = make("undisturbed")
    assert case.traced("-e", f"trace={CHANGING}") == 0, case.log()
    counted = calls(case.trace)
    return case.layout(), [(call, n) for call in counted for n in range(1, counted[call] + 1)]


def some(points: list[Point], rng: random.Random, *, long: bool) -> list[Point]:
    return points if long else rng.sample(points, min(SAMPLE, len(points)))


@pytest.fixture
def make(small: Oracle, tmp_path: Path) -> Make:
    return lambda name: Case(small.journal, tmp_path / name)


def test_a_kill_of_everything_at_any_system_call_loses_and_repeats_nothing(
    make: Make, small: Oracle
) -> None:
    layout, points = undisturbed(make)
    assert len(layout) > 3
    assert all(len(data) <= 4096 or data.count(b"\n") == 1 for data in layout.values())
    assert {"write", "pwrite64", "rename", "fsync", "fdatasync"} <= {call for call, _ in points}

    def check(point: Point) -> None:
        case = make("{}-{}".format(*point))
        assert kill_all(case, *point), case.log()
        case.heal()
        case.expect(small.lines)
        assert case.layout() == layout

    side_by_side(check, points)
    beyond = make("beyond")
    assert not kill_all(beyond, "pwrite64", 1 + sum(call == "pwrite64" for call, _ in points))
    beyond.expect(small.lines)


def test_a_worker_that_is_killed_at_any_system_call_is_replaced_and_nothing_is_lost_or_repeated(
    make: Make, small: Oracle, rng: random.Random, *, long: bool
) -> None:
    layout, points = undisturbed(make)
    # strace counts calls for each process, and the supervisor makes and syncs the first directories.
    first = calls_of_supervisor(make("undisturbed").trace)
    assert first["mkdir"]
    assert not first["pwrite64"]
    of_worker = [(call, number) for call, number in points if number > first[call]]

    def check(point: Point) -> None:
        case = make("{}-{}".format(*point))
        kill_worker(case, *point)
        case.expect(small.lines)
        assert case.layout() == layout

    side_by_side(check, some(of_worker, rng, long=long))


def test_a_recovery_that_is_itself_killed_at_any_system_call_loses_and_repeats_nothing(
    make: Make, small: Oracle, rng: random.Random, *, long: bool
) -> None:
    """The first kill is at a write of lines or at a rename; the second anywhere in the recovery."""
    layout, points = undisturbed(make)
    firsts = [point for point in points if point[0] in ("write", "rename", "pwrite64")]
    pairs = [(first, second) for first in firsts for second in points]

    def check(pair: tuple[Point, Point]) -> None:
        first, second = pair
        case = make("{}-{}-{}-{}".format(*first, *second))
        kill_all(case, *first)
        kill_all(case, *second)
        case.heal()
        case.expect(small.lines)
        assert case.layout() == layout

    side_by_side(check, rng.sample(pairs, 300 if long else SAMPLE))


def test_a_kill_while_archives_are_deleted_leaves_what_an_undisturbed_run_leaves(
    small: Oracle, tmp_path: Path
) -> None:
    def make(name: str) -> Case:
        case = Case(small.journal, tmp_path / name)
        case.arguments = (*case.arguments, "--keep-files", "2")
        case.witness.may_delete = True
        return case

    layout, points = undisturbed(make)
    assert len(layout) == 3

    def check(point: Point) -> None:
        case = make("{}-{}".format(*point))
        assert kill_all(case, *point), case.log()
        case.heal()
        assert case.layout() == layout, case.log()

    deleting = [point for point in points if point[0] in ("unlink", "rename")]
    assert ("unlink", 1) in deleting
    side_by_side(check, deleting)


def test_a_kill_as_the_output_or_the_state_is_opened_loses_and_repeats_nothing(
    make: Make, small: Oracle, *, long: bool
) -> None:
    first, like = make("undisturbed"), make("counted")
    first.heal()
    assert like.traced("-e", "trace=openat", *paths(like, first)) == 0, like.log()
    count = calls(like.trace)["openat"]
    assert count > 3

    def check(number: int) -> None:
        case = make(f"openat-{number}")
        kill_at_open(case, number, like)
        case.heal()
        case.expect(small.lines)

    side_by_side(check, range(1, count + 1, 1 if long else 3))


def test_a_worker_that_hangs_without_its_supervisor_keeps_the_next_exporter_out(
    make: Make, small: Oracle
) -> None:
    case = make("hanging")
    once, case.arguments = case.arguments, ("--max-bytes", "4096", "--log-level", "error")
    orphaned = case.start()
    workers: list[int] = []
    try:
        case.wait_for(case.output.exists, "the output")
        workers += children(orphaned.pid)
        os.kill(workers[0], signal.SIGSTOP)
        orphaned.kill()
        orphaned.wait()
        case.arguments = once
        assert case.run() == 2
        assert "is in use by another exporter" in case.log()
        os.kill(workers[0], signal.SIGCONT)
        case.wait_for_end()
    finally:
        end(orphaned)
        for pid in workers:
            kill(pid)
    case.heal()
    case.expect(small.lines)
