"""The list of conditions that alert, and ``docs/reference/alerts.md``, which is generated from it.

Prometheus' alerts and Zabbix' triggers cover the conditions of the journal exporter alike: tests/contract
compares this list with the chart, with the Zabbix template and with the exporter's metrics.
"""

from typing import NamedTuple

__all__ = [
    "CONDITIONS",
    "ONLY_PROMETHEUS",
    "ONLY_ZABBIX",
    "WITHOUT_CONDITION",
    "Condition",
    "render",
]


class Condition(NamedTuple):
    """A condition of the exporter.

    Metrics are without their prefix. Triggers have their names in ``template/uuids.yaml``.
    """

    meaning: str
    metrics: frozenset[str]
    alert: str
    triggers: tuple[str, ...]


CONDITIONS = (
    Condition(
        "The exporter does not answer", frozenset(), "JournalExporterDown", ("exporter-down",)
    ),
    Condition(
        "The exporter answers, but its worker makes no progress",
        frozenset({"heartbeat_timestamp_seconds"}),
        "JournalExporterHangs",
        ("exporter-hangs",),
    ),
    Condition(
        "Nothing was written to the host log for an hour",
        frozenset({"lines_written_total"}),
        "HostLogStale",
        ("log-stale",),
    ),
    Condition(
        "The host log is behind the journal",
        frozenset({"lag_seconds"}),
        "JournalExporterBehind",
        ("exporter-lag",),
    ),
    Condition(
        "journald is about to delete entries that were not read",
        frozenset({"time_to_vacuum_seconds", "lag_seconds"}),
        "JournalEntriesNearDeletion",
        ("exporter-vacuum",),
    ),
    Condition(
        "Entries were lost",
        frozenset({"entries_lost_total"}),
        "JournalEntriesLost",
        ("exporter-lost",),
    ),
    Condition(
        "The journal's sequence numbers started again, so losses can't be counted",
        frozenset({"numbering_restarts_total"}),
        "JournalNumberingRestarted",
        ("exporter-numbering",),
    ),
    Condition(
        "Another program changed the host log",
        frozenset({"recovery_mismatches_total"}),
        "HostLogChanged",
        ("exporter-mismatch",),
    ),
    Condition(
        "The exporter's checkpoint was damaged",
        frozenset({"checkpoints_set_aside_total"}),
        "JournalCheckpointDamaged",
        ("exporter-checkpoint",),
    ),
    Condition(
        "The exporter can't write its output or its state",
        frozenset({"output_blocked"}),
        "JournalExporterOutputBlocked",
        ("exporter-blocked",),
    ),
    Condition(
        "The exporter's worker keeps restarting",
        frozenset({"worker_restarts_total"}),
        "JournalExporterWorkerRestarting",
        ("exporter-restarts",),
    ),
    Condition(
        "Journal files can't be read",
        frozenset({"journal_files"}),
        "JournalFilesUnreadable",
        tuple(
            f"exporter-journal-files-{state}"
            for state in ("corrupt", "unsupported", "denied", "set_aside")
        ),
    ),
)

ONLY_PROMETHEUS = {
    "The agent does not see Fluent Bit, which is in another pod.": (
        "FluentBitOutputFailing",
        "FluentBitRetriesFailed",
        "FluentBitRecordsDropped",
        "FluentBitStorageNearLimit",
        "FluentBitInputPaused",
    ),
    "An agent can't see nodes without an agent; `node-observability zabbix check` lists them.": (
        "NodeObservabilityPodsNotReady",
        "NodeWithoutFluentBit",
        "NodeWithTwoFluentBits",
        "BottlerocketNodeWithoutLabel",
        "BottlerocketNodeWithoutAgent",
    ),
}
"""Alerts without a trigger, by the reason."""

ONLY_ZABBIX = {
    "Prometheus does not see the agent; the alerts on nodes and pods report it if its pod is missing.": (
        "agent-silent",
    ),
    "node_exporter and its alerts watch the host.": (
        *("cpu", "load", "memory", "swap", "restarted", "time", "pressure-memory", "pressure-io"),
        *("fs-warn", "fs-crit", "fs-inodes", "dev-util"),
    ),
}
"""Triggers without an alert, by the reason; so are those of log patterns, which search the text of lines."""

WITHOUT_CONDITION = {
    "how busy the exporter is": (
        *("entries_read_total", "written_bytes_total", "entries_filtered_total", "lag_entries"),
        *("newest_entry_timestamp_seconds", "checkpoint_timestamp_seconds", "rotations_total"),
        *("archives", "archives_deleted_total", "output_size_bytes", "journal_size_bytes"),
    ),
    "part of another condition": ("gaps_total", "output_blocked_seconds_total"),
    "nothing is lost": (
        *("entries_invalid_total", "duplicates_suppressed_total", "recoveries_total"),
        *("journal_reopens_total", "inotify_available"),
    ),
}
"""Metrics that need no alert, by the reason."""

_HEAD = """\
# Alerts

`make goldens` generates this page from `tools/alerts_docs.py`.

The chart's alerts (`monitoring.prometheusRule.enabled`) and the Zabbix template report the same
conditions of the journal exporter:

| Condition | Alert | Trigger |
|---|---|---|
"""
_COUNTERS = """
Alerts and triggers on counters include what the exporter counted before it was first scraped, such as a loss
that it found at its start. Alerts also include what was counted while Prometheus did not scrape for up to an
hour, even if the exporter was restarted meanwhile. After a longer time, an old count is reported once more.
"""


def render(triggers: dict[str, str]) -> str:
    """Return the page as Markdown, for the names of the triggers."""
    rows = [
        f"| {one.meaning} | `{one.alert}` | {', '.join(triggers[name] for name in one.triggers)} |\n"
        for one in CONDITIONS
    ]
    parts = [_HEAD, *rows, _COUNTERS]
    parts.append("\n## Only in Prometheus\n\n| Alerts | Why not in Zabbix |\n|---|---|\n")
    for reason, alerts in ONLY_PROMETHEUS.items():
        parts.append(f"| {', '.join(f'`{alert}`' for alert in alerts)} | {reason} |\n")
    parts.append("\n## Only in Zabbix\n\n| Triggers | Why not in Prometheus |\n|---|---|\n")
    for reason, names in ONLY_ZABBIX.items():
        parts.append(f"| {', '.join(triggers[name] for name in names)} | {reason} |\n")
    parts.append(
        "| one per [log pattern](../../zabbix/README.md#log-patterns) | Metrics have no text. |\n"
    )
    return "".join(parts)
