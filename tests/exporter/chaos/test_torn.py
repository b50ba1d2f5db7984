"""Lines that are torn in the middle: a limit on the size of files ends a write at an exact byte."""

import resource
from pathlib import Path

import pytest

from tests.support.chaos.oracle import Oracle
from tests.support.chaos.runs import Case, children, end, kill, side_by_side
from tests.support.chaos.torn import ended, places, torn

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def case(wide: Oracle, tmp_path: Path) -> Case:
    return Case(wide.journal, tmp_path, ("--once", "--max-bytes", "1Mi"))


def test_a_line_that_a_kill_tears_at_any_byte_is_finished_and_not_repeated(
    wide: Oracle, tmp_path: Path, *, long: bool
) -> None:
    some = places(wide) if long else places(wide)[::4]

    def check(place: int) -> None:
        case = Case(wide.journal, tmp_path / str(place), ("--once", "--max-bytes", "1Mi"))
        ended(case, torn(case, place))
        case.heal()
        case.expect(wide.lines)

    side_by_side(check, some)


def test_a_recovery_never_shortens_a_file_not_even_for_a_moment(case: Case, wide: Oracle) -> None:
    ended(case, torn(case, places(wide)[3]))
    assert case.traced("-e", "trace=openat,truncate,ftruncate,fallocate") == 0, case.log()
    opened = [text for text in case.trace.read_bytes().splitlines() if b"log/messages" in text]
    assert opened
    assert not [text for text in opened if b"O_TRUNC" in text or b"fallocate" in text]
    case.expect(wide.lines)


def test_a_recovery_that_is_torn_and_killed_again_and_again_resumes_where_it_was(
    case: Case, wide: Oracle, *, long: bool
) -> None:
    for place in places(wide) if long else places(wide)[::4]:
        ended(case, torn(case, place))
    case.heal()
    case.expect(wide.lines)


def test_a_line_torn_while_stop_is_requested_is_finished_at_the_next_start(
    case: Case, wide: Oracle
) -> None:
    process = torn(case, places(wide)[3])
    process.terminate()
    assert process.wait(5) == 0, case.log()
    case.look()
    case.heal()
    case.expect(wide.lines)


def test_a_torn_line_is_finished_once_there_is_room(case: Case, wide: Oracle) -> None:
    process = torn(case, places(wide)[3])
    try:
        for pid in (process.pid, *children(process.pid)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, UNLIMITED)
        assert process.wait(20) == 0, case.log()
    finally:
        end(process)
    case.expect(wide.lines)


def test_a_torn_line_survives_a_rotation_by_another_program(case: Case, wide: Oracle) -> None:
    """As logrotate does with ``nocreate``: the torn part stays, the rest is written to the new file."""
    process = torn(case, places(wide)[0])
    ended(case, process)
    case.output.rename(case.output.with_name("messages.1"))
    case.heal()
    case.expect(wide.lines)


def test_the_worker_alone_is_killed_with_a_torn_line(case: Case, wide: Oracle) -> None:
    process = torn(case, places(wide)[3])
    try:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        for pid in children(process.pid):
            kill(pid)
        assert process.wait(20) == 0, case.log()
    finally:
        end(process)
    case.expect(wide.lines)
