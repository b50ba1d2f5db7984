"""The numbers: all there from the start, shared between processes, named after events."""

import os
import re

import pytest

from journal_exporter.errors import SinkError
from journal_exporter.monitoring.metrics import METRICS, SIGNALS, Metric, SharedMetrics


def values(numbers: SharedMetrics) -> dict[tuple[str, str], float]:
    return {(metric.name, value): number for metric, value, number in numbers.samples()}


def test_every_series_is_there_at_0_from_the_start() -> None:
    found = values(SharedMetrics())
    assert len(found) == sum(len(metric.values) for metric in METRICS)
    assert set(found.values()) == {0.0}


def test_no_name_is_there_twice_and_all_are_prometheus_names() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z_]*[a-z]", name) for name in names)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.kind in {"counter", "gauge"}
    assert metric.help.endswith(".")
    assert bool(metric.label) == (metric.values != ("",))


def test_what_is_counted_adds_up_and_what_is_set_does_not() -> None:
    numbers = SharedMetrics()
    numbers.add("entries_read", 3)
    numbers.add("entries_read")
    numbers.set("lag_seconds", 5.0)
    numbers.set("lag_seconds", 2.5)
    assert numbers.get("entries_read") == 4
    assert numbers.get("lag_seconds") == 2.5


def test_each_number_has_a_place_of_its_own() -> None:
    numbers = SharedMetrics()
    for place, (name, value) in enumerate(values(numbers), 1):
        numbers.set(name, place, value)
    numbers.recovered = True
    assert list(values(numbers).values()) == list(range(1, len(values(numbers)) + 1))
    assert numbers.recovered
    assert numbers.beat_s == 0.0


@pytest.mark.parametrize(("name", "value"), [("nonsense", ""), ("recoveries", ""), ("gaps", "x")])
def test_a_series_that_is_not_in_the_table_is_an_error(name: str, value: str) -> None:
    with pytest.raises(KeyError):
        SharedMetrics().add(name, 1, value)


def test_a_beat_is_on_both_clocks() -> None:
    numbers = SharedMetrics()
    numbers.beat(12.5, 1.7e9)
    assert numbers.beat_s == 12.5
    assert numbers.get("heartbeat_timestamp_seconds") == 1.7e9


def test_what_a_child_counts_its_parent_sees() -> None:
    numbers = SharedMetrics()
    pid = os.fork()
    if not pid:
        numbers.add("entries_read", 7)
        numbers.recovered = True
        os._exit(0)
    os.waitpid(pid, 0)
    assert numbers.get("entries_read") == 7
    assert numbers.recovered


def test_recovered_can_be_taken_back() -> None:
    numbers = SharedMetrics()
    numbers.recovered = True
    numbers.recovered = False
    assert not numbers.recovered


def test_blocked_time_is_counted_by_reason() -> None:
    numbers = SharedMetrics()
    assert numbers.blocked_reason is None
    numbers.output_blocked("enospc", 1.0)
    numbers.output_blocked("enospc", 0.5)
    assert numbers.blocked_reason == "enospc"
    assert numbers.get("output_blocked_seconds", "enospc") == 1.5


def test_there_is_one_reason_at_a_time() -> None:
    numbers = SharedMetrics()
    numbers.output_blocked("enospc", 1.0)
    numbers.output_blocked("eio", 2.0)
    found = {reason: numbers.get("output_blocked", reason) for reason in SinkError.REASONS}
    assert found == dict.fromkeys(SinkError.REASONS, 0.0) | {"eio": 1.0}


def test_the_time_stays_when_writing_works_again() -> None:
    numbers = SharedMetrics()
    numbers.output_blocked("erofs", 3.0)
    numbers.output_unblocked()
    assert numbers.blocked_reason is None
    assert numbers.get("output_blocked_seconds", "erofs") == 3.0


@pytest.mark.parametrize("cause", SIGNALS)
def test_the_end_of_a_worker_is_counted_by_its_cause(cause: str) -> None:
    numbers = SharedMetrics()
    numbers.worker_replaced(cause)
    assert numbers.get("worker_restarts", cause) == 1


def test_the_end_of_a_worker_by_another_signal_is_counted_too() -> None:
    numbers = SharedMetrics()
    numbers.worker_replaced("SIGXCPU")
    assert numbers.get("worker_restarts", "other") == 1
