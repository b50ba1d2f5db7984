"""The fakes behave as what they stand for."""

import pytest

from journal_exporter.clock import Clock, Stop
from journal_exporter.journal.cursor import parse
from journal_exporter.journal.fields import CONTEXT_FIELDS
from tests.support.fakes import FakeClock, ScriptedStop, batch, context


def test_the_fakes_are_a_clock_and_a_stop() -> None:
    clock: Clock = FakeClock()
    stop: Stop = ScriptedStop()
    assert clock.monotonic_s() > 0
    assert not stop.is_set()


def test_a_scripted_stop_moves_the_clock_and_is_set_in_the_end() -> None:
    clock = FakeClock()
    stop = ScriptedStop(clock, set_after=2)
    before_s, epoch_s = clock.monotonic_s(), clock.time_s()
    assert not stop.wait(0.25)
    assert stop.wait(1.0)
    assert clock.monotonic_s() - before_s == 1.25
    assert clock.time_s() - epoch_s == 1.25
    assert stop.waits == [0.25, 1.0]


def test_a_wait_that_nothing_would_end_fails_instead_of_hanging() -> None:
    with pytest.raises(AssertionError, match="without end"):
        ScriptedStop().wait(None)


def test_a_built_context_has_every_field_and_a_built_batch_a_real_cursor() -> None:
    assert len(context()) == len(CONTEXT_FIELDS)
    built = batch([b"a", b"b"])
    assert len(built.times_us) == len(built.contexts) == len(built.messages) == built.entries == 2
    assert built.end.cursor is not None
    assert parse(built.end.cursor).seqnum == 2
