"""Exposes the shared metrics to prometheus-client."""

import platform
import time
from collections.abc import Callable, Iterable
from importlib import metadata

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from journal_exporter.monitoring.metrics import PREFIX, SharedMetrics


def version() -> str:
    """Return the version of this distribution."""
    return metadata.version("node-observability")


class _SharedCollector(Collector):
    def __init__(self, metrics: SharedMetrics, now_s: Callable[[], float]) -> None:
        self._metrics = metrics
        self._now_s = now_s

    def describe(self) -> Iterable[Metric]:
        """Return the metrics whose names ``name[]`` may ask for."""
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for metric, value, number in self._metrics.samples():
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = families.get(metric.name)
            if family is None:
                labels = [metric.label] if metric.label else []
                family = families[metric.name] = kind(
                    PREFIX + metric.name, metric.help, labels=labels
                )
            family.add_metric([value] if metric.label else [], number)
        yield from families.values()
        synced_s = self._metrics.get("checkpoint_timestamp_seconds")
        yield GaugeMetricFamily(
            PREFIX + "checkpoint_age_seconds",
            "Seconds since the checkpoint was last synced to disk; 0 before the first sync.",
            value=max(0.0, self._now_s() - synced_s) if synced_s else 0.0,
        )
        yield InfoMetricFamily(
            PREFIX + "build",
            "Versions of the exporter and of Python.",
            {"version": version(), "python": platform.python_version()},
        )


def registry(metrics: SharedMetrics, now_s: Callable[[], float] = time.time) -> CollectorRegistry:
    """Return a registry that has only the exporter's metrics."""
    own = CollectorRegistry(auto_describe=False)
    own.register(_SharedCollector(metrics, now_s))
    return own
