"""The whole text that Prometheus reads."""

import re
import subprocess
from collections.abc import Callable

from prometheus_client import generate_latest

from journal_exporter.monitoring.metrics import METRICS, SharedMetrics
from journal_exporter.monitoring.prometheus import registry, version
from tests.support.tools import need

NOW_S = 1_794_090_800.0
_VERSIONS = re.compile(r'build_info\{python="[^"]+",version="([^"]+)"\}')


def text(metrics: SharedMetrics) -> str:
    return generate_latest(registry(metrics, lambda: NOW_S)).decode()


def normalised(exposition: str) -> str:
    return _VERSIONS.sub('build_info{python="PYTHON",version="VERSION"}', exposition)


def busy() -> SharedMetrics:
    """Every series has another value, so that none stands for another."""
    metrics = SharedMetrics()
    for place, (metric, value, _) in enumerate(list(metrics.samples()), 1):
        metrics.set(metric.name, place, value)
    metrics.set("checkpoint_timestamp_seconds", NOW_S - 2.5)
    metrics.set("time_to_vacuum_seconds", float("inf"))
    return metrics


def test_the_exposition_is_the_golden(golden: Callable[[str, str], None]) -> None:
    golden("metrics.prom", normalised(text(busy())))


def test_every_series_is_exposed_at_0_from_the_start() -> None:
    lines = [line for line in text(SharedMetrics()).splitlines() if not line.startswith("#")]
    assert len(lines) == sum(len(metric.values) for metric in METRICS) + 2
    values = {line.rsplit(" ", 1)[1] for line in lines if "build_info" not in line}
    assert values == {"0.0"}


def test_the_build_is_this_version() -> None:
    match = _VERSIONS.search(text(SharedMetrics()))
    assert match is not None
    assert match[1] == version()


def test_the_checkpoint_gets_older_by_the_clock() -> None:
    metrics = SharedMetrics()
    assert "journal_exporter_checkpoint_age_seconds 0.0\n" in text(metrics)
    metrics.set("checkpoint_timestamp_seconds", NOW_S - 7)
    assert "journal_exporter_checkpoint_age_seconds 7.0\n" in text(metrics)
    metrics.set("checkpoint_timestamp_seconds", NOW_S + 7)
    assert "journal_exporter_checkpoint_age_seconds 0.0\n" in text(metrics)


def test_a_scrape_returns_the_present_values() -> None:
    metrics = SharedMetrics()
    own = registry(metrics, lambda: NOW_S)
    metrics.add("entries_read", 5)
    assert own.get_sample_value("journal_exporter_entries_read_total") == 5
    metrics.add("entries_read", 5)
    assert own.get_sample_value("journal_exporter_entries_read_total") == 10


def test_promtool_finds_no_problem() -> None:
    promtool = need("promtool")
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=text(busy()), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
