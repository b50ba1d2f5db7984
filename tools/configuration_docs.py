"""Generates ``docs/reference/configuration.md`` from the tables of settings and metrics."""

from journal_exporter.config import FIELDS, default_text, flag, variable
from journal_exporter.monitoring.metrics import METRICS, PREFIX

_HEAD = """\
# Configuration of the journal exporter

`make goldens` generates this page from `journal_exporter/config.py` and
`journal_exporter/monitoring/metrics.py`.

## Settings

Every setting is a flag of `journal-exporter run` and an environment variable. Flags win over variables.
The flag of a list can be repeated; in a variable, commas separate the values. Sizes take the suffixes `Ki`,
`Mi`, `Gi` (or `k`, `M`, `G`), durations `ms`, `s`, `min`, `h`, `d`. A variable that begins with
`JOURNAL_EXPORTER_` and is not a setting is an error, except those that Kubernetes sets for a Service called
`journal-exporter`.

| Flag | Variable | Default | Meaning |
|---|---|---|---|
"""


def render() -> str:
    """Return the page as Markdown."""
    rows = []
    for name, field in FIELDS.items():
        default = default_text(name)
        rows.append(
            f"| `{flag(name)}` | `{variable(name)}` | {f'`{default}`' if default else ''} |"
            f" {field.metadata['help']} |\n"
        )
    metrics = ["\n## Metrics\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n"]
    for metric in METRICS:
        suffix = "_total" if metric.kind == "counter" else ""
        label = f"`{metric.label}`: {', '.join(metric.values)}" if metric.label else ""
        metrics.append(
            f"| `{PREFIX}{metric.name}{suffix}` | {metric.kind} | {label} | {metric.help} |\n"
        )
    metrics.append(
        f"| `{PREFIX}checkpoint_age_seconds` | gauge | |"
        " Seconds since the checkpoint was last synced to disk; 0 before the first sync. |\n"
        f"| `{PREFIX}build_info` | gauge | `version`, `python` |"
        " Versions of the exporter and of Python; always 1. |\n"
    )
    return _HEAD + "".join(rows) + "".join(metrics)
