"""Every object is valid for Kubernetes: the oldest version that the chart allows, and the newest known."""

import functools
import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.chart.cases import each_case
from tests.support.helm import CHART, Manifest, rendered

_SCHEMAS = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
_OURS = re.search(r"\d+\.\d+", yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"])
_KNOWN = [
    found["v"] for path in _SCHEMAS.iterdir() if (found := re.match(r"v(?P<v>\d+\.\d+)", path.name))
]
OLDEST = _OURS[0] if _OURS else ""
NEWEST = max(_KNOWN, key=lambda text: [int(part) for part in text.split(".")])
_CUSTOM = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
"""Kinds that the Prometheus operator defines; Kubernetes has no schema of them."""


@functools.cache
def _definitions(version: str) -> Registry[Any]:
    text = (_SCHEMAS / f"v{version}.0-local-strict" / "_definitions.json").read_text()
    resource = Resource.from_contents(json.loads(text), default_specification=DRAFT4)
    registry: Registry[Any] = Registry().with_resource("/api/_definitions.json", resource)
    return registry


@functools.cache
def _validator(version: str, kind: str, api_version: str) -> jsonschema.protocols.Validator:
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    text = (_SCHEMAS / f"v{version}.0-local-strict" / f"{kind.lower()}-{api}.json").read_text()
    return jsonschema.Draft4Validator(json.loads(text), registry=_definitions(version))


def problems(manifest: Manifest, version: str) -> list[str]:
    validator = _validator(version, manifest["kind"], manifest["apiVersion"])
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
