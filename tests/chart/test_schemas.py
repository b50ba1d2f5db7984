"""Every object is valid in the oldest Kubernetes that the chart allows and in the newest one."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.chart.cases import each_case
from tests.support.chart.schemas import NEWEST, OLDEST, problems
from tests.support.helm import CHART, Manifest, rendered
from tests.support.tools import skip_outside_ci

_CUSTOM = {
    "PodMonitor": "podmonitors",
    "ServiceMonitor": "servicemonitors",
    "PrometheusRule": "prometheusrules",
}
"""Kinds of the Prometheus operator, with their plural names. Kubernetes has no schemas of these kinds."""
_MADE = CHART.parents[1] / ".cache" / "schemas"
"""Written by tools/install_schemas."""


def made(name: str) -> Path:
    path = _MADE / name
    if not path.exists():
        skip_outside_ci(f"{path} is missing; run tools/install_schemas (it needs Go and Node.js)")
    return path


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with unknown keys forbidden, as in the API server's strict validation."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: strict(one) for name, one in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = strict(schema[key])
    if schema.get("type") == "object" and "properties" in schema:
        result.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    return result


def custom_problems(manifest: Manifest) -> list[str]:
    path = made(f"crds/monitoring.coreos.com_{_CUSTOM[manifest['kind']]}.yaml")
    definition = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]
    assert manifest["apiVersion"].startswith(f"{definition['group']}/")
    (schema,) = [
        one["schema"]["openAPIV3Schema"]
        for one in definition["versions"]
        if manifest["apiVersion"].endswith(f"/{one['name']}")
    ]
    validator = jsonschema.Draft7Validator({**strict(schema), "additionalProperties": True})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@each_case
def test_every_object_is_valid(case: Path, version: str) -> None:
    found = {
        f"{manifest['kind']}/{manifest['metadata']['name']}": problems(manifest, version)
        for manifest in rendered(case)
        if manifest["kind"] not in _CUSTOM
    }
    assert found
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_the_schemas_refuse_a_key_that_kubernetes_does_not_have() -> None:
    (daemonset, *_) = [found for found in rendered() if found["kind"] == "DaemonSet"]
    assert problems(daemonset, NEWEST) == []
    broken = json.loads(json.dumps(daemonset))
    broken["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    assert any("imagePolicy" in text for text in problems(broken, NEWEST))


@pytest.mark.parametrize("name", ["everything", "pod-settings", "service-monitor"])
def test_every_object_of_the_prometheus_operator_is_valid(name: str) -> None:
    found = [
        manifest
        for manifest in rendered(CHART / "ci" / f"{name}-values.yaml")
        if manifest["kind"] in _CUSTOM
    ]
    assert len(found) >= 3
    for manifest in found:
        assert custom_problems(manifest) == []


@pytest.mark.parametrize("kind", ["PodMonitor", "ServiceMonitor", "PrometheusRule"])
def test_the_operators_schemas_refuse_unknown_keys_and_other_types(kind: str) -> None:
    name = "service-monitor" if kind == "ServiceMonitor" else "everything"
    (found, *_) = [
        one for one in rendered(CHART / "ci" / f"{name}-values.yaml") if one["kind"] == kind
    ]
    broken = json.loads(json.dumps(found))
    part = broken["spec"]["groups"][0] if kind == "PrometheusRule" else broken["spec"]
    part["intervall"] = "30s"
    part["rules" if kind == "PrometheusRule" else "selector"] = "x"
    texts = " ".join(custom_problems(broken))
    assert "intervall" in texts
    assert "'x' is not of type" in texts


def test_the_dashboard_is_valid_by_grafanas_schema() -> None:
    schema = json.loads(made("dashboard.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    assert [f"{one.json_path}: {one.message}" for one in validator.iter_errors(dashboard)] == []
    dashboard["panels"][1]["titel"] = "x"
    assert "titel" in str([one.message for one in validator.iter_errors(dashboard)])
