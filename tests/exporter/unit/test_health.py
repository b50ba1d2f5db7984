"""Alive while the worker runs, ready while lines are written as entries arrive."""

import pytest

from journal_exporter.errors import OutputError
from journal_exporter.monitoring.health import live, ready
from journal_exporter.monitoring.metrics import SharedMetrics
from tests.support.fakes import FakeClock


def alive_at(at_s: float) -> SharedMetrics:
    metrics = SharedMetrics()
    metrics.heartbeat(FakeClock(at_s))
    return metrics


def healthy() -> SharedMetrics:
    metrics = alive_at(0.0)
    metrics.recovered = True
    metrics.set("journal_files", 1, "readable")
    return metrics


def test_without_a_journal_it_is_alive_but_not_ready() -> None:
    metrics = healthy()
    metrics.set("journal_files", 0, "readable")
    assert live(metrics, now_s=1.0, timeout_s=30.0).ok
    found = ready(metrics, max_lag_s=300.0)
    assert found == (False, "no journal file can be read")


@pytest.mark.parametrize("now_s", [100.0, 129.9, 130.0])
def test_it_is_alive_until_the_limit(now_s: float) -> None:
    assert live(alive_at(100.0), now_s=now_s, timeout_s=30.0) == (True, "alive")


def test_it_is_not_alive_when_the_worker_has_been_stalled_for_too_long() -> None:
    found = live(alive_at(100.0), now_s=142.0, timeout_s=30.0)
    assert found == (False, "the worker has been stalled for 42 s (limit 30 s)")


@pytest.mark.parametrize("reason", OutputError.REASONS)
def test_a_disk_that_refuses_leaves_it_alive_but_not_ready(reason: str) -> None:
    metrics = healthy()
    metrics.output_blocked(reason, 1.0)
    assert live(metrics, now_s=1.0, timeout_s=30.0).ok
    found = ready(metrics, max_lag_s=300.0)
    assert found == (False, f"the output can't be written: {reason}")


def test_it_is_ready_again_when_the_disk_takes_lines() -> None:
    metrics = healthy()
    metrics.output_blocked("enospc", 1.0)
    metrics.output_unblocked()
    assert ready(metrics, max_lag_s=300.0) == (True, "ready")


def test_it_is_not_ready_before_it_has_resumed() -> None:
    assert ready(SharedMetrics(), max_lag_s=300.0) == (False, "recovering")


def test_it_is_ready_up_to_the_limit_and_not_when_further_behind() -> None:
    metrics = healthy()
    metrics.set("lag_seconds", 300.0)
    assert ready(metrics, max_lag_s=300.0).ok
    metrics.set("lag_seconds", 301.0)
    found = ready(metrics, max_lag_s=300.0)
    assert found == (False, "301 s behind the journal (limit 300 s)")
