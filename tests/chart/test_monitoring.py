"""Alerts and dashboard: promtool accepts each query, and each alert fires only in its own situation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.helm import CHART, Manifest, RenderError, rendered
from tests.support.promtool import check_expressions, check_rules, run_rule_tests

EVERYTHING = CHART / "ci" / "everything-values.yaml"
POD = 'namespace="logging",pod="p",node="n"'
NODE = 'node="n",namespace="kube-system",job="kube-state-metrics"'
BOTTLEROCKET = f'kube_node_info{{{NODE},os_image="Bottlerocket OS 1.50.0 (aws-k8s-1.34)"}}'
OTHER = f'kube_node_info{{{NODE},os_image="Amazon Linux 2023"}}'


def pod_of(name: str) -> str:
    created = f'created_by_kind="DaemonSet",created_by_name="node-observability-{name}"'
    return f'kube_pod_info{{namespace="logging",pod="{name}-1",node="n",{created}}}'


def groups() -> dict[str, Any]:
    (rule,) = [found for found in rendered(EVERYTHING) if found["kind"] == "PrometheusRule"]
    return dict(rule["spec"])


def dashboard() -> Manifest:
    (found,) = [
        one for one in rendered(EVERYTHING) if one["metadata"]["name"].endswith("-dashboard")
    ]
    loaded: Manifest = json.loads(found["data"]["node-observability.json"])
    return loaded


def queries(panels: list[Manifest]) -> list[str]:
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_promtool_accepts_every_alert(tmp_path: Path) -> None:
    assert check_rules(groups(), tmp_path) == ""


def test_promtool_refuses_a_broken_expression(tmp_path: Path) -> None:
    assert "parse error" in check_expressions(["sum(up"], tmp_path)


RISING = [
    ("JournalExporterBehind", {f"journal_exporter_lag_seconds{{{POD}}}": "400x40"}),
    (
        "JournalEntriesNearDeletion",
        {
            f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "600x40",
            f"journal_exporter_lag_seconds{{{POD}}}": "90x40",
        },
    ),
    ("JournalEntriesLost", {f"journal_exporter_entries_lost_total{{{POD}}}": "0+1x40"}),
    (
        "JournalExporterOutputBlocked",
        {f'journal_exporter_output_blocked{{{POD},reason="enospc"}}': "1x40"},
    ),
    (
        "JournalExporterWorkerRestarting",
        {f'journal_exporter_worker_restarts_total{{{POD},signal="SIGBUS"}}': "0+1x40"},
    ),
    (
        "JournalFilesUnreadable",
        {f'journal_exporter_journal_files{{{POD},state="corrupt"}}': "1x40"},
    ),
    (
        "FluentBitOutputFailing",
        {
            f'fluentbit_output_retries_total{{{POD},name="out"}}': "0+1x40",
            f'fluentbit_output_proc_records_total{{{POD},name="out"}}': "5x40",
        },
    ),
    (
        "FluentBitRetriesFailed",
        {f'fluentbit_output_retries_failed_total{{{POD},name="out"}}': "0+1x40"},
    ),
    (
        "FluentBitRecordsDropped",
        {f'fluentbit_output_dropped_records_total{{{POD},name="out"}}': "0+1x40"},
    ),
    (
        "FluentBitStorageNearLimit",
        {f'fluentbit_output_chunk_available_capacity_percent{{{POD},name="out"}}': "10x40"},
    ),
    (
        "FluentBitInputPaused",
        {f'fluentbit_input_ingestion_paused{{{POD},name="containers"}}': "1x40"},
    ),
    (
        "NodeObservabilityPodsNotReady",
        {
            "kube_daemonset_status_desired_number_scheduled"
            '{namespace="logging",daemonset="node-observability-fluent-bit-cri"}': "5x40",
            "kube_daemonset_status_number_ready"
            '{namespace="logging",daemonset="node-observability-fluent-bit-cri"}': "4x40",
        },
    ),
    ("NodeWithoutFluentBit", {OTHER: "1x40"}),
    (
        "NodeWithTwoFluentBits",
        {OTHER: "1x40", pod_of("fluent-bit-cri"): "1x40", pod_of("fluent-bit-docker"): "1x40"},
    ),
    (
        "BottlerocketNodeWithoutLabel",
        {BOTTLEROCKET: "1x40", pod_of("fluent-bit-docker"): "1x40", pod_of("zabbix-agent"): "1x40"},
    ),
    ("BottlerocketNodeWithoutAgent", {BOTTLEROCKET: "1x40", pod_of("fluent-bit-cri"): "1x40"}),
]
"""Series that make each alert fire, and no other. Their values are a minute apart."""

QUIET = {
    f"journal_exporter_lag_seconds{{{POD}}}": "2x40",
    f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "1000000x40",
    f"journal_exporter_entries_lost_total{{{POD}}}": "7x40",
    f'journal_exporter_output_blocked{{{POD},reason="enospc"}}': "0x40",
    f'journal_exporter_worker_restarts_total{{{POD},signal="SIGBUS"}}': "2x40",
    f'journal_exporter_journal_files{{{POD},state="corrupt"}}': "0x40",
    f'journal_exporter_journal_files{{{POD},state="readable"}}': "9x40",
    f'fluentbit_output_retries_total{{{POD},name="out"}}': "0+1x40",
    f'fluentbit_output_proc_records_total{{{POD},name="out"}}': "0+100x40",
    f'fluentbit_output_retries_failed_total{{{POD},name="out"}}': "3x40",
    f'fluentbit_output_dropped_records_total{{{POD},name="out"}}': "3x40",
    f'fluentbit_output_chunk_available_capacity_percent{{{POD},name="out"}}': "99x40",
    f'fluentbit_input_ingestion_paused{{{POD},name="containers"}}': "0x40",
    BOTTLEROCKET: "1x40",
    pod_of("fluent-bit-cri"): "1x40",
    pod_of("zabbix-agent"): "1x40",
    'kube_node_info{node="fargate-ip-10-0-0-1",os_image="Amazon Linux 2"}': "1x40",
    'kube_node_info{node="w",os_image="Windows Server 2022 Datacenter"}': "1x40",
}


def quiet_test(series: dict[str, str]) -> dict[str, Any]:
    """Return a promtool test of the alerts that fire after 35 minutes with these series."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
    }


def firing(names: list[str]) -> dict[str, Any]:
    return {
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "35m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in names
                ],
            }
        ]
    }


@pytest.mark.parametrize(("name", "series"), RISING, ids=[name for name, _ in RISING])
def test_each_alert_fires_in_its_own_situation_and_no_other_alert_does(
    name: str, series: dict[str, str], tmp_path: Path
) -> None:
    assert run_rule_tests(groups(), [quiet_test(series) | firing([name])], tmp_path) == ""


def test_every_alert_has_a_test() -> None:
    alerts = [rule["alert"] for group in groups()["groups"] for rule in group["rules"]]
    assert sorted(alerts) == sorted(name for name, _ in RISING)


def test_no_alert_fires_in_a_healthy_cluster(tmp_path: Path) -> None:
    assert run_rule_tests(groups(), [quiet_test(QUIET) | firing([])], tmp_path) == ""


def test_promtool_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    found = queries(dashboard()["panels"])
    plain = [re.sub(r"\$__rate_interval", "5m", query) for query in found]
    assert len(found) > 15
    assert check_expressions(plain, tmp_path) == ""


def test_every_panel_has_its_own_place_a_title_a_description_and_a_unit() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridPos"]
        cells = {
            (column, line)
            for column in range(grid["x"], grid["x"] + grid["w"])
            for line in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["fieldConfig"]["defaults"]["unit"]


def test_every_variable_in_the_queries_is_defined_in_the_dashboard() -> None:
    known = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard()["panels"]))) - {"__rate_interval"}
    assert used <= known


def test_the_namespace_and_labels_for_monitoring_reach_monitors_and_alerts() -> None:
    manifests = rendered(CHART / "ci" / "service-monitor-values.yaml")
    ours = [found for found in manifests if found["kind"] in ("ServiceMonitor", "PrometheusRule")]
    assert len(ours) == 4
    for found in ours:
        assert found["metadata"]["namespace"] == "monitoring"
        assert found["metadata"]["labels"]["release"] == "prometheus"
        assert found["spec"].get("namespaceSelector", {"matchNames": ["logging"]}) == {
            "matchNames": ["logging"]
        }


def test_a_threshold_of_zero_is_kept() -> None:
    sets = (
        "monitoring.prometheusRule.enabled=true",
        "monitoring.prometheusRule.maxWorkerRestarts=0",
    )
    (rule,) = [found for found in rendered(sets=sets) if found["kind"] == "PrometheusRule"]
    assert any(
        alert["expr"].endswith("> 0") and "worker_restarts" in alert["expr"]
        for group in rule["spec"]["groups"]
        for alert in group["rules"]
    )


def test_a_percentage_above_a_hundred_is_refused() -> None:
    with pytest.raises(RenderError, match="minStoragePercent"):
        rendered(sets=("monitoring.prometheusRule.minStoragePercent=101",))
