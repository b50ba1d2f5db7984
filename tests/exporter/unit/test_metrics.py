"""The metrics: all there from the start, shared between processes, named after events."""

import os
import re

import pytest

from journal_exporter.errors import OutputError
from journal_exporter.monitoring.metrics import METRICS, SIGNALS, Metric, SharedMetrics
from tests.support.fakes import FakeClock


@pytest.fixture
def metrics() -> SharedMetrics:
    return SharedMetrics()


def values(metrics: SharedMetrics) -> dict[tuple[str, str], float]:
    return {(metric.name, value): number for metric, value, number in metrics.samples()}


def test_every_series_is_there_at_0_from_the_start() -> None:
    found = values(SharedMetrics())
    assert len(found) == sum(len(metric.values) for metric in METRICS)
    assert set(found.values()) == {0.0}


def test_names_are_unique_and_valid_in_prometheus() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z_]*[a-z]", name) for name in names)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.kind in {"counter", "gauge"}
    assert metric.help.endswith(".")
    assert bool(metric.label) == (metric.values != ("",))


def test_counts_add_up_and_set_values_do_not(metrics: SharedMetrics) -> None:
    metrics.add("entries_read", 3)
    metrics.add("entries_read")
    metrics.set("lag_seconds", 5.0)
    metrics.set("lag_seconds", 2.5)
    assert metrics.get("entries_read") == 4
    assert metrics.get("lag_seconds") == 2.5


def test_each_value_has_its_own_place(metrics: SharedMetrics) -> None:
    for place, (name, value) in enumerate(values(metrics), 1):
        metrics.set(name, place, value)
    metrics.recovered = True
    assert list(values(metrics).values()) == list(range(1, len(values(metrics)) + 1))
    assert metrics.recovered
    assert metrics.heartbeat_s == 0.0


@pytest.mark.parametrize(("name", "value"), [("nonsense", ""), ("recoveries", ""), ("gaps", "x")])
def test_a_series_that_is_not_in_the_table_is_an_error(name: str, value: str) -> None:
    with pytest.raises(KeyError):
        SharedMetrics().add(name, 1, value)


def test_a_heartbeat_is_on_both_clocks(metrics: SharedMetrics) -> None:
    metrics.heartbeat(FakeClock(12.5, 1.7e9))
    assert metrics.heartbeat_s == 12.5
    assert metrics.get("heartbeat_timestamp_seconds") == 1.7e9


def test_the_parent_sees_what_a_child_counts(metrics: SharedMetrics) -> None:
    pid = os.fork()
    if not pid:
        metrics.add("entries_read", 7)
        metrics.recovered = True
        os._exit(0)
    os.waitpid(pid, 0)
    assert metrics.get("entries_read") == 7
    assert metrics.recovered


def test_recovered_can_be_taken_back(metrics: SharedMetrics) -> None:
    metrics.recovered = True
    metrics.recovered = False
    assert not metrics.recovered


def test_blocked_time_is_counted_by_reason(metrics: SharedMetrics) -> None:
    assert metrics.blocked_reason is None
    metrics.output_blocked("enospc", 1.0)
    metrics.output_blocked("enospc", 0.5)
    assert metrics.blocked_reason == "enospc"
    assert metrics.get("output_blocked_seconds", "enospc") == 1.5


def test_there_is_one_reason_at_a_time(metrics: SharedMetrics) -> None:
    metrics.output_blocked("enospc", 1.0)
    metrics.output_blocked("eio", 2.0)
    found = {reason: metrics.get("output_blocked", reason) for reason in OutputError.REASONS}
    assert found == dict.fromkeys(OutputError.REASONS, 0.0) | {"eio": 1.0}


def test_the_time_stays_when_writing_works_again(metrics: SharedMetrics) -> None:
    metrics.output_blocked("erofs", 3.0)
    metrics.output_unblocked()
    assert metrics.blocked_reason is None
    assert metrics.get("output_blocked_seconds", "erofs") == 3.0


@pytest.mark.parametrize(
    ("cause", "label"), [*zip(SIGNALS, SIGNALS, strict=True), ("SIGXCPU", "other")]
)
def test_the_end_of_a_worker_is_counted_by_its_cause(
    metrics: SharedMetrics, cause: str, label: str
) -> None:
    metrics.worker_replaced(cause)
    assert metrics.get("worker_restarts", label) == 1
