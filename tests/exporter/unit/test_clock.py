"""A stop that is set when its pipe's other end closes, and the machine's clocks."""

import os
import signal
from collections.abc import Iterator

import pytest

from journal_exporter.clock import PipeStop, SystemClock


@pytest.fixture
def pipe() -> Iterator[tuple[PipeStop, int]]:
    stop, holder = PipeStop.pipe()
    yield stop, holder
    os.close(stop.fd)


def test_it_is_not_set_while_the_other_end_is_open(pipe: tuple[PipeStop, int]) -> None:
    stop, holder = pipe
    assert not stop.is_set()
    assert not stop.wait(0)
    assert not stop.wait(0.001)
    os.close(holder)


def test_it_stays_set_once_the_other_end_is_closed(pipe: tuple[PipeStop, int]) -> None:
    stop, holder = pipe
    os.close(holder)
    assert stop.is_set()
    assert stop.wait(0)
    assert stop.wait(60)
    assert stop.wait(None)


def test_it_is_set_when_the_last_process_that_holds_it_is_gone(pipe: tuple[PipeStop, int]) -> None:
    stop, holder = pipe
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    os.close(holder)
    assert not stop.is_set()
    os.kill(pid, signal.SIGKILL)
    assert stop.wait(60)
    os.waitpid(pid, 0)


def test_neither_end_leaks_into_started_programs(pipe: tuple[PipeStop, int]) -> None:
    stop, holder = pipe
    assert not os.get_inheritable(stop.fd)
    assert not os.get_inheritable(holder)
    os.close(holder)


def test_the_machines_clocks_go_forward() -> None:
    clock = SystemClock()
    before_s = clock.monotonic_s()
    assert clock.monotonic_s() >= before_s
    assert clock.time_s() > 1_700_000_000
