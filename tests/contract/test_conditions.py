"""Prometheus and Zabbix report the same conditions: one list, compared with alerts, triggers and metrics."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from journal_exporter.monitoring.metrics import METRICS, PREFIX
from node_observability.zabbix.template import catalogue, render
from node_observability.zabbix.template.identities import committed
from tests.support.helm import CHART, rendered
from tools import alerts_docs
from tools.alerts_docs import CONDITIONS, ONLY_PROMETHEUS, ONLY_ZABBIX, WITHOUT_CONDITION, Condition

PATTERNS = catalogue.load()
EXPORT = yaml.safe_load(render.render(PATTERNS))["zabbix_export"]
PRIORITIES = {"critical": {"AVERAGE", "HIGH", "DISASTER"}, "warning": {"WARNING"}}
THRESHOLDS = {
    "JournalExporterBehind": ("lag_seconds", "{$NODEOBS.EXPORTER.LAG.MAX}"),
    "JournalEntriesNearDeletion": ("time_to_vacuum_seconds", "{$NODEOBS.EXPORTER.VACUUM.MIN}"),
    "JournalExporterWorkerRestarting": ("", "{$NODEOBS.EXPORTER.RESTARTS.MAX}"),
}
each_condition = pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.alert)


def found_triggers(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - YAML
    """Yield all triggers and trigger prototypes of the export."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("triggers", "trigger_prototypes"):
                yield from value
            else:
                yield from found_triggers(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from found_triggers(value)


def triggers() -> dict[str, dict[str, Any]]:
    """Return the triggers by the names of their UUIDs."""
    names = {uuid: name.partition(":") for name, uuid in committed().items()}
    return {
        names[trigger["uuid"]][2]: trigger
        for trigger in found_triggers(EXPORT)
        if names[trigger["uuid"]][0].startswith("trigger")
    }


def alerts() -> dict[str, dict[str, Any]]:
    manifests = rendered(CHART / "ci" / "everything-values.yaml")
    return {
        rule["alert"]: rule
        for found in manifests
        if found["kind"] == "PrometheusRule"
        for group in found["spec"]["groups"]
        for rule in group["rules"]
    }


def metric_of_items() -> dict[str, str]:
    """Return the metric that each dependent item reads, by the item's key."""
    return {
        item["key"]: step["parameters"][0].partition("{")[0].removeprefix(PREFIX)
        for item in EXPORT["templates"][0]["items"]
        for step in item.get("preprocessing", [])
        if step["type"] == "PROMETHEUS_PATTERN"
    }


def seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    assert found
    number, unit = found.groups()
    return int(number) * {"": 1, "s": 1, "m": 60, "h": 3600}[unit]


def test_every_alert_of_the_chart_is_in_the_list() -> None:
    listed = [one.alert for one in CONDITIONS]
    listed += [alert for names in ONLY_PROMETHEUS.values() for alert in names]
    assert sorted(listed) == sorted(alerts())


def test_every_trigger_of_the_template_is_in_the_list() -> None:
    listed = [name for one in CONDITIONS for name in one.triggers]
    listed += [name for names in ONLY_ZABBIX.values() for name in names]
    listed += [f"log-{pattern.id}" for pattern in PATTERNS]
    assert sorted(listed) == sorted(triggers())


def test_every_metric_of_the_exporter_is_in_a_condition_or_has_a_reason() -> None:
    listed = {name for one in CONDITIONS for name in one.metrics}
    without = [name for names in WITHOUT_CONDITION.values() for name in names]
    assert not listed & {*without}
    assert listed | {*without} == {
        metric.name + ("_total" if metric.kind == "counter" else "") for metric in METRICS
    }


@each_condition
def test_alert_and_triggers_use_the_metrics_of_their_condition(condition: Condition) -> None:
    used = set(re.findall(rf"{PREFIX}(\w+)\{{", alerts()[condition.alert]["expr"]))
    assert used == condition.metrics
    known = metric_of_items()
    for name in condition.triggers:
        keys = re.findall(r"/(nodeobs\.exporter\.[a-z_.]+)", triggers()[name]["expression"])
        assert {known[key] for key in keys if key in known} <= condition.metrics


@each_condition
def test_alert_and_triggers_are_of_the_same_severity(condition: Condition) -> None:
    severity = alerts()[condition.alert]["labels"]["severity"]
    for name in condition.triggers:
        assert triggers()[name]["priority"] in PRIORITIES[severity], name


@pytest.mark.parametrize(("alert", "metric", "macro"), [(k, *v) for k, v in THRESHOLDS.items()])
def test_alert_and_trigger_have_the_same_default_threshold(
    alert: str, metric: str, macro: str
) -> None:
    macros = {one.name: one.value for one in render.macros(PATTERNS)}
    (rule,) = [
        rule
        for found in rendered(sets=("monitoring.prometheusRule.enabled=true",))
        if found["kind"] == "PrometheusRule"
        for group in found["spec"]["groups"]
        for rule in group["rules"]
        if rule["alert"] == alert
    ]
    limit = re.search(rf"{metric}(?:\{{[^}}]*\}}|\)) [<>] (\d+)(?: and|$)", rule["expr"])
    assert limit
    assert float(limit[1]) == seconds(macros[macro])


def test_the_page_of_alerts_is_generated_from_the_list(golden: Callable[[str, str], None]) -> None:
    names = {
        name: found["name"].removeprefix("Bottlerocket: ") for name, found in triggers().items()
    }
    golden("../../docs/reference/alerts.md", alerts_docs.render(names))
