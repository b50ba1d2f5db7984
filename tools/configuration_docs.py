"""Renders ``docs/reference/configuration.md`` from the settings table; a contract test compares."""

from journal_exporter.config import FIELDS, default_text, flag, variable
from journal_exporter.monitoring.metrics import METRICS, PREFIX

_HEAD = """\
# Configuration of the journal exporter

Made from `journal_exporter/config.py` and `journal_exporter/monitoring/metrics.py` by `make goldens`; a test
compares.

## Settings

Every setting is a flag of `journal-exporter run` and an environment variable. Flags win. Lists are
separated by commas in variables; their flags can be repeated. Sizes take `Ki`, `Mi`, `Gi` (or `k`, `M`,
`G`), durations `ms`, `s`, `min`, `h`, `d`. A variable that begins with `JOURNAL_EXPORTER_` and is no
setting is an error, except those that Kubernetes sets for a Service called `journal-exporter`.

| Flag | Variable | Default | |
|---|---|---|---|
"""


def render() -> str:
    """Return the whole page."""
    rows = []
    for name, field in FIELDS.items():
        default = default_text(name)
        rows.append(
            f"| `{flag(name)}` | `{variable(name)}` | {f'`{default}`' if default else ''} |"
            f" {field.metadata['help']} |\n"
        )
    metrics = ["\n## Metrics\n\n| Metric | Type | Labels | |\n|---|---|---|---|\n"]
    for metric in METRICS:
        suffix = "_total" if metric.kind == "counter" else ""
        label = f"`{metric.label}`: {', '.join(metric.values)}" if metric.label else ""
        metrics.append(
            f"| `{PREFIX}{metric.name}{suffix}` | {metric.kind} | {label} | {metric.help} |\n"
        )
    metrics.append(
        f"| `{PREFIX}checkpoint_age_seconds` | gauge | |"
        " Time since the checkpoint was last made durable. |\n"
        f"| `{PREFIX}build_info` | gauge | `version`, `python` | Always 1. |\n"
    )
    return _HEAD + "".join(rows) + "".join(metrics)
