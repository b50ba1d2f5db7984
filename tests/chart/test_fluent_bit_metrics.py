"""Alerts and dashboard query metrics and labels that Fluent Bit has."""

import json
import re
import subprocess
from pathlib import Path

from tests.support.chart.programs import fluent_bit
from tests.support.exporter import free_port
from tests.support.helm import CHART, rendered
from tests.support.servers import fetch
from tests.support.waiting import wait_for

LISTED = Path(__file__).parent / "fluent_bit_metrics.txt"
OF_THE_TARGET = {"namespace", "pod", "node"}
"""Labels that Prometheus adds: see templates/monitoring/_targets.tpl."""


def listed() -> dict[str, set[str]]:
    """Return the labels of each metric in fluent_bit_metrics.txt."""
    rows = [line.split() for line in LISTED.read_text().splitlines() if not line.startswith("#")]
    return {row[0]: set(row[2].split(",")) if len(row) > 2 else set() for row in rows}


def exposed(text: str) -> dict[str, set[str]]:
    """Return the labels of each metric that Fluent Bit exposes."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if parts := re.fullmatch(r"(\w+?)(?:\{(.*)\})? \S+", line):
            found.setdefault(parts[1], set()).update(re.findall(r'(\w+)="', parts[2] or ""))
    return found


def expressions() -> list[str]:
    manifests = rendered(CHART / "ci" / "everything-values.yaml")
    rules = [
        rule["expr"]
        for found in manifests
        if found["kind"] == "PrometheusRule"
        for group in found["spec"]["groups"]
        for rule in group["rules"]
    ]
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    panels = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
    ]
    return [text for text in rules + panels if "fluentbit_" in text]


def test_queries_use_only_metrics_of_fluent_bit() -> None:
    names = {name for text in expressions() for name in re.findall(r"\bfluentbit_\w+", text)}
    assert len(names) >= 9
    assert names - listed().keys() == set()


def test_queries_select_series_by_labels_that_they_have() -> None:
    known = listed()
    for text in expressions():
        for name, selector in re.findall(r"\b(fluentbit_\w+)\{([^}]*)\}", text):
            chosen = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector))
            assert chosen <= known[name] | OF_THE_TARGET, text
        names = re.findall(r"\bfluentbit_\w+", text)
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", text):
            for name in names:
                assert set(labels.split(", ")) <= known[name] | OF_THE_TARGET, text


def test_a_real_fluent_bit_has_every_listed_metric(tmp_path: Path) -> None:
    case = tmp_path / "values.yaml"
    case.write_text(
        "fluentBit: {common: {kubernetesMetadata: false, output: {preset: http},"
        " variables: {NODEOBS_HTTP_HOST: 127.0.0.1}}}"
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "logs" / "pod_ns_app-0.log").write_text(
        "2026-11-04T22:13:20.123456789Z stdout F hello\n"
    )
    port = free_port()
    command, env = fluent_bit(
        *(case, "docker", tmp_path),
        NODEOBS_CONTAINER_LOGS=f"{tmp_path}/logs/*.log",
        NODEOBS_HTTP_PORT=str(port),
        NODEOBS_HTTP_LISTEN="127.0.0.1",
        NODEOBS_HTTP_TO_PORT=str(free_port()),
        NODEOBS_HTTP_TLS="off",
    )
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    missing = set(listed())

    def is_complete() -> bool:
        _, text = fetch(port, "/api/v2/metrics/prometheus")
        types = set(re.findall(r"(?m)^# TYPE (\w+)", text))
        found = exposed(text)
        missing.clear()
        missing.update(
            name
            for name, labels in listed().items()
            if name not in types or not labels <= found.get(name, set())
        )
        return not missing

    try:
        wait_for(is_complete, "all metrics", 60, evidence=lambda: str(missing))
    finally:
        process.kill()  # its output is away, for which it would wait
        process.wait()
