"""Pure: decides whether the exporter is alive, and whether it is ready."""

from typing import NamedTuple

from journal_exporter.monitoring.metrics import SharedMetrics


class Health(NamedTuple):
    """An answer and its reason, as text."""

    ok: bool
    text: str


def live(metrics: SharedMetrics, *, now_s: float, timeout_s: float) -> Health:
    """Whether the worker's loop runs; ``now_s`` is on the monotonic clock.

    A full disk does not make it fail, because a restart would not help.
    """
    silent_s = now_s - metrics.heartbeat_s
    if silent_s > timeout_s:
        return Health(
            False, f"the worker has been stalled for {silent_s:.0f} s (limit {timeout_s:g} s)"
        )
    return Health(True, "alive")


def ready(metrics: SharedMetrics, *, max_lag_s: float) -> Health:
    """Whether lines are written as entries arrive."""
    reason = metrics.blocked_reason
    if reason is not None:
        return Health(False, f"the output can't be written: {reason}")
    if not metrics.recovered:
        return Health(False, "recovering")
    if not metrics.get("journal_files", "readable"):
        return Health(False, "no journal file can be read")
    lag_s = metrics.get("lag_seconds")
    if lag_s > max_lag_s:
        return Health(False, f"{lag_s:.0f} s behind the journal (limit {max_lag_s:g} s)")
    return Health(True, "ready")
