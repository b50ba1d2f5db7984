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
    ("JournalExporterDown", {f'up{{{POD},container="journal-exporter"}}': "0x100"}),
    ("JournalExporterHangs", {f"journal_exporter_heartbeat_timestamp_seconds{{{POD}}}": "0x100"}),
    ("HostLogStale", {f"journal_exporter_lines_written_total{{{POD}}}": "5x100"}),
    ("JournalExporterBehind", {f"journal_exporter_lag_seconds{{{POD}}}": "400x100"}),
    (
        "JournalEntriesNearDeletion",
        {
            f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "600x100",
            f"journal_exporter_lag_seconds{{{POD}}}": "90x100",
        },
    ),
    ("JournalEntriesLost", {f"journal_exporter_entries_lost_total{{{POD}}}": "0+1x100"}),
    (
        "JournalNumberingRestarted",
        {f"journal_exporter_numbering_restarts_total{{{POD}}}": "0+1x100"},
    ),
    ("HostLogChanged", {f"journal_exporter_recovery_mismatches_total{{{POD}}}": "0+1x100"}),
    (
        "JournalCheckpointDamaged",
        {f"journal_exporter_checkpoints_set_aside_total{{{POD}}}": "0+1x100"},
    ),
    (
        "JournalExporterOutputBlocked",
        {f'journal_exporter_output_blocked{{{POD},reason="enospc"}}': "1x100"},
    ),
    (
        "JournalExporterWorkerRestarting",
        {f'journal_exporter_worker_restarts_total{{{POD},signal="SIGBUS"}}': "0+1x100"},
    ),
    (
        "JournalFilesUnreadable",
        {f'journal_exporter_journal_files{{{POD},state="corrupt"}}': "1x100"},
    ),
    (
        "FluentBitOutputFailing",
        {
            f'fluentbit_output_retries_total{{{POD},name="out"}}': "0+1x100",
            f'fluentbit_output_proc_records_total{{{POD},name="out"}}': "5x100",
        },
    ),
    (
        "FluentBitRetriesFailed",
        {f'fluentbit_output_retries_failed_total{{{POD},name="out"}}': "0+1x100"},
    ),
    (
        "FluentBitRecordsDropped",
        {f'fluentbit_output_dropped_records_total{{{POD},name="out"}}': "0+1x100"},
    ),
    (
        "FluentBitStorageNearLimit",
        {f'fluentbit_output_chunk_available_capacity_percent{{{POD},name="out"}}': "10x100"},
    ),
    (
        "FluentBitInputPaused",
        {f'fluentbit_input_ingestion_paused{{{POD},name="containers"}}': "1x100"},
    ),
    (
        "NodeObservabilityPodsNotReady",
        {
            "kube_daemonset_status_desired_number_scheduled"
            '{namespace="logging",daemonset="node-observability-fluent-bit-cri"}': "5x100",
            "kube_daemonset_status_number_ready"
            '{namespace="logging",daemonset="node-observability-fluent-bit-cri"}': "4x100",
        },
    ),
    ("NodeWithoutFluentBit", {OTHER: "1x100"}),
    (
        "NodeWithTwoFluentBits",
        {OTHER: "1x100", pod_of("fluent-bit-cri"): "1x100", pod_of("fluent-bit-docker"): "1x100"},
    ),
    (
        "BottlerocketNodeWithoutLabel",
        {
            BOTTLEROCKET: "1x100",
            pod_of("fluent-bit-docker"): "1x100",
            pod_of("zabbix-agent"): "1x100",
        },
    ),
    ("BottlerocketNodeWithoutAgent", {BOTTLEROCKET: "1x100", pod_of("fluent-bit-cri"): "1x100"}),
]
"""Series that make each alert fire, and no other. Their values are a minute apart."""

QUIET = {
    f'up{{{POD},container="journal-exporter"}}': "1x100",
    f'up{{{POD},container="another"}}': "0x100",
    f"journal_exporter_heartbeat_timestamp_seconds{{{POD}}}": "0+60x100",
    f"journal_exporter_lines_written_total{{{POD}}}": "0+100x100",
    f"journal_exporter_numbering_restarts_total{{{POD}}}": "1x100",
    f"journal_exporter_recovery_mismatches_total{{{POD}}}": "3x100",
    f"journal_exporter_checkpoints_set_aside_total{{{POD}}}": "1x100",
    f"journal_exporter_lag_seconds{{{POD}}}": "2x100",
    f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "1000000x100",
    f"journal_exporter_entries_lost_total{{{POD}}}": "7x100",
    f'journal_exporter_output_blocked{{{POD},reason="enospc"}}': "0x100",
    f'journal_exporter_worker_restarts_total{{{POD},signal="SIGBUS"}}': "2x100",
    f'journal_exporter_journal_files{{{POD},state="corrupt"}}': "0x100",
    f'journal_exporter_journal_files{{{POD},state="readable"}}': "9x100",
    f'fluentbit_output_retries_total{{{POD},name="out"}}': "0+1x100",
    f'fluentbit_output_proc_records_total{{{POD},name="out"}}': "0+100x100",
    f'fluentbit_output_retries_failed_total{{{POD},name="out"}}': "3x100",
    f'fluentbit_output_dropped_records_total{{{POD},name="out"}}': "3x100",
    f'fluentbit_output_chunk_available_capacity_percent{{{POD},name="out"}}': "99x100",
    f'fluentbit_input_ingestion_paused{{{POD},name="containers"}}': "0x100",
    BOTTLEROCKET: "1x100",
    pod_of("fluent-bit-cri"): "1x100",
    pod_of("zabbix-agent"): "1x100",
    'kube_node_info{node="fargate-ip-10-0-0-1",os_image="Amazon Linux 2"}': "1x100",
    'kube_node_info{node="w",os_image="Windows Server 2022 Datacenter"}': "1x100",
}


def quiet_test(series: dict[str, str]) -> dict[str, Any]:
    """Return a promtool test of the alerts that fire after 95 minutes with these series."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
    }


def firing(names: list[str]) -> dict[str, Any]:
    return {
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "95m",
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


def test_an_alert_on_a_program_names_its_namespace_pod_and_node(tmp_path: Path) -> None:
    named = f'count(ALERTS{{alertstate="firing",{POD}}})'
    tests = [
        quiet_test(series)
        | {
            "name": name,
            "promql_expr_test": [
                {
                    "expr": named,
                    "eval_time": "95m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        }
        for name, series in RISING
        if not name.startswith(("Node", "Bottlerocket"))
    ]
    assert len(tests) == len(RISING) - 5
    assert run_rule_tests(groups(), tests, tmp_path) == ""


def test_every_alert_has_a_test() -> None:
    alerts = [rule["alert"] for group in groups()["groups"] for rule in group["rules"]]
    assert sorted(alerts) == sorted(name for name, _ in RISING)


def test_no_alert_fires_in_a_healthy_cluster(tmp_path: Path) -> None:
    assert run_rule_tests(groups(), [quiet_test(QUIET) | firing([])], tmp_path) == ""


BOUNDARIES = [
    ("JournalExporterDown", {f'up{{{POD},container="journal-exporter"}}': "1x10 0x100"}, 15, 16),
    (
        "JournalExporterHangs",
        {f"journal_exporter_heartbeat_timestamp_seconds{{{POD}}}": "0+60x10 600x100"},
        16,
        17,
    ),
    (
        "HostLogStale",
        {f"journal_exporter_lines_written_total{{{POD}}}": "0+1x10 10x200"},
        78,
        82,
    ),
    (
        "JournalExporterBehind",
        {f"journal_exporter_lag_seconds{{{POD}}}": "300x10 301x100"},
        20,
        21,
    ),
    (
        "JournalEntriesNearDeletion",
        {
            f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "900x10 899x100",
            f"journal_exporter_lag_seconds{{{POD}}}": "60x20 61x100",
        },
        25,
        26,
    ),
    (
        "JournalEntriesNearDeletion",
        {
            f"journal_exporter_time_to_vacuum_seconds{{{POD}}}": "900x20 899x100",
            f"journal_exporter_lag_seconds{{{POD}}}": "61x100",
        },
        25,
        26,
    ),
    (
        "JournalExporterOutputBlocked",
        {f'journal_exporter_output_blocked{{{POD},reason="eio"}}': "0x10 1x100"},
        15,
        16,
    ),
    (
        "JournalFilesUnreadable",
        {f'journal_exporter_journal_files{{{POD},state="set_aside"}}': "0x10 1x100"},
        25,
        26,
    ),
    (
        "FluentBitStorageNearLimit",
        {f'fluentbit_output_chunk_available_capacity_percent{{{POD},name="out"}}': "20x10 19x100"},
        20,
        21,
    ),
    (
        "JournalExporterWorkerRestarting",
        {
            f'journal_exporter_worker_restarts_total{{{POD},signal="SIGBUS"}}': "_x10 2x80",
            f'journal_exporter_worker_restarts_total{{{POD},signal="SIGSEGV"}}': "_x20 1x10 2x80",
        },
        30,
        32,
    ),
]
"""Alerts, series that change to just beyond a limit, and the last quiet and the first firing minute."""


@pytest.mark.parametrize(("alert", "series", "quiet_min", "firing_min"), BOUNDARIES)
def test_an_alert_fires_beyond_its_limit_and_after_its_time_and_not_before(
    alert: str, series: dict[str, str], quiet_min: int, firing_min: int, tmp_path: Path
) -> None:
    expr = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    expected = {quiet_min: [], firing_min: [{"labels": "{}", "value": 1}]}
    test = quiet_test(series) | {
        "promql_expr_test": [
            {"expr": expr, "eval_time": f"{minute}m", "exp_samples": samples}
            for minute, samples in expected.items()
        ]
    }
    assert run_rule_tests(groups(), [test], tmp_path) == ""


def test_no_alert_fires_for_pods_of_another_release(tmp_path: Path) -> None:
    """Nodes are the whole cluster's, whatever the release."""
    others = [
        quiet_test({name.replace('namespace="logging"', 'namespace="other"'): values})
        | firing([])
        | {"name": name}
        for _, series in RISING
        for name, values in series.items()
        if not name.startswith("kube_")
    ]
    assert run_rule_tests(groups(), others, tmp_path) == ""


COUNTED = [
    ("JournalEntriesLost", "journal_exporter_entries_lost_total", ""),
    ("JournalNumberingRestarted", "journal_exporter_numbering_restarts_total", ""),
    ("HostLogChanged", "journal_exporter_recovery_mismatches_total", ""),
    ("JournalCheckpointDamaged", "journal_exporter_checkpoints_set_aside_total", ""),
    ("JournalExporterWorkerRestarting", "journal_exporter_worker_restarts_total", "signal"),
    ("FluentBitRetriesFailed", "fluentbit_output_retries_failed_total", "name"),
    ("FluentBitRecordsDropped", "fluentbit_output_dropped_records_total", "name"),
]
"""Alerts on counters: name, counter and its own label. A counter may begin above zero: it counts from the
program's start, and the first scrape comes later."""
RISES = {
    "a new pod that had counted before the first scrape": ("_x60 800x30", "61m"),
    "a new pod whose program was restarted before the alert was evaluated": (
        "_x60 800 0x30",
        "62m",
    ),
    "a new pod that counts after its first scrape": ("_x60 0 800x30", "62m"),
    "a pod whose program was restarted and had counted before the first scrape": (
        "900x60 800x30",
        "61m",
    ),
    "a running pod": ("900x60 1700x30", "61m"),
    "a pod that counted while Prometheus was away": ("900x60 _x30 1700x30", "92m"),
    "a pod that was restarted and counted while Prometheus was away": (
        "900x60 _x30 800x30",
        "92m",
    ),
    "a pod that counted nothing while Prometheus was away for too long": (
        "900x60 _x120 900x30",
        "182m",
    ),
}
"""Values a minute apart, which count 800 or more, and the time at which the alert must fire."""
STEADY = {
    "a new pod that counted nothing": ("_x60 0x30", "62m"),
    "a running pod that counted long ago": ("900x90", "62m"),
    "a pod whose program was restarted and has counted nothing": ("900x60 0x30", "62m"),
    "a pod that counted nothing while Prometheus was away": ("900x60 _x30 900x30", "92m"),
    "a pod that counted nothing while Prometheus was away for almost an hour": (
        "900x60 _x55 900x30",
        "126m",
    ),
    "a pod that was restarted long ago and has counted nothing since": ("900x60 5x100", "150m"),
    "a new pod whose start is long ago": ("_x60 800x150", "190m"),
}


def counted(counter: str, label: str, values: str, time: str, alert: str, found: int) -> Any:  # noqa: ANN401 - JSON
    """Return a promtool test of whether an alert fires for a counter with these values."""
    own = f',{label}="SIGBUS"' if label else ""
    expr = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    samples = [{"labels": "{}", "value": found}] if found else []
    return quiet_test({f"{counter}{{{POD}{own}}}": values}) | {
        "promql_expr_test": [{"expr": expr, "eval_time": time, "exp_samples": samples}]
    }


@pytest.mark.parametrize(("alert", "counter", "label"), COUNTED)
def test_an_alert_on_a_counter_fires_for_what_was_counted_before_the_first_scrape_too(
    alert: str, counter: str, label: str, tmp_path: Path
) -> None:
    tests = [
        counted(counter, label, values, time, alert, 1) | {"name": name}
        for name, (values, time) in RISES.items()
    ]
    assert run_rule_tests(groups(), tests, tmp_path) == ""


@pytest.mark.parametrize(("alert", "counter", "label"), COUNTED)
def test_an_alert_on_a_counter_is_quiet_if_nothing_was_counted(
    alert: str, counter: str, label: str, tmp_path: Path
) -> None:
    tests = [
        counted(counter, label, values, time, alert, 0) | {"name": name}
        for name, (values, time) in STEADY.items()
    ]
    assert run_rule_tests(groups(), tests, tmp_path) == ""


@pytest.mark.parametrize(("alert", "counter", "label"), COUNTED)
def test_an_alert_on_a_counter_ends_with_its_window(
    alert: str, counter: str, label: str, tmp_path: Path
) -> None:
    window_min = 60 if alert == "JournalExporterWorkerRestarting" else 15
    values, changed_min = "900x60 1700x150", 61
    tests = [
        counted(counter, label, values, f"{changed_min + window_min - 2}m", alert, 1),
        counted(counter, label, values, f"{changed_min + window_min + 1}m", alert, 0),
    ]
    assert run_rule_tests(groups(), tests, tmp_path) == ""


def test_no_alert_uses_increase_without_the_value_of_a_new_series() -> None:
    known = {alert for alert, _, _ in COUNTED}
    # A rise of these two means nothing by itself: one needs a comparison, the other an absence.
    known |= {"FluentBitOutputFailing", "HostLogStale"}
    used = {
        rule["alert"]
        for group in groups()["groups"]
        for rule in group["rules"]
        if re.search(r"\b(increase|i?rate|i?delta)\(", rule["expr"])
    }
    assert used == known


def panel_query(title: str, counter: str) -> str:
    (panel,) = [found for found in dashboard()["panels"] if found["title"] == title]
    (query,) = [query for query in queries([panel]) if counter in query]
    query = query.replace('namespace=~"$namespace",node=~"$node"', 'node=~".*"')
    return query.replace("$__rate_interval", "5m")


COUNTING_PANELS = [
    ("Entries lost in 24 h", "journal_exporter_entries_lost_total"),
    ("Records dropped in 24 h", "fluentbit_output_dropped_records_total"),
    ("Entries lost", "journal_exporter_entries_lost_total"),
    ("Worker restarts", "journal_exporter_worker_restarts_total"),
    ("Changes of the host log by others", "journal_exporter_recovery_mismatches_total"),
    ("Retries, failures and drops", "fluentbit_output_retries_total"),
    ("Retries, failures and drops", "fluentbit_output_retries_failed_total"),
    ("Retries, failures and drops", "fluentbit_output_dropped_records_total"),
    ("Restarts of the sequence numbers", "journal_exporter_numbering_restarts_total"),
]


@pytest.mark.parametrize(("title", "counter"), COUNTING_PANELS)
def test_a_panel_shows_what_was_counted_before_the_first_scrape_too(
    title: str, counter: str, tmp_path: Path
) -> None:
    tests = [
        quiet_test({f"{counter}{{{POD}}}": values})
        | {
            "name": name,
            "promql_expr_test": [
                {
                    # promtool compares exactly, and increase() extrapolates.
                    "expr": f"count({panel_query(title, counter)} >= 640)",
                    "eval_time": time,
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        }
        for name, (values, time) in RISES.items()
        if "Prometheus was away" not in name
    ]
    assert run_rule_tests(groups(), tests, tmp_path) == ""


@pytest.mark.parametrize(("title", "counter"), COUNTING_PANELS)
def test_a_panel_shows_nothing_of_what_was_counted_long_ago(
    title: str, counter: str, tmp_path: Path
) -> None:
    test = quiet_test({f"{counter}{{{POD}}}": "900x1600"}) | {
        "promql_expr_test": [
            {
                "expr": f"count({panel_query(title, counter)} > 0)",
                "eval_time": "1595m",
                "exp_samples": [],
            }
        ]
    }
    assert run_rule_tests({"groups": []}, [test], tmp_path) == ""


def test_every_panel_that_counts_losses_has_a_test() -> None:
    found = {
        panel["title"]
        for panel in dashboard()["panels"]
        for query in queries([panel])
        if "increase(" in query
    }
    assert found == {title for title, _ in COUNTING_PANELS}


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
