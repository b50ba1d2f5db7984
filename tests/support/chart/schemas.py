"""Kubernetes' own schemas, of the oldest version that the chart allows and of the newest one."""

import functools
import importlib.resources
import json
import re
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.support.helm import CHART, Manifest

__all__ = ["NEWEST", "OLDEST", "problems"]

_SCHEMAS = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
_OURS = re.search(r"\d+\.\d+", yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"])
_KNOWN = [
    found["v"] for path in _SCHEMAS.iterdir() if (found := re.match(r"v(?P<v>\d+\.\d+)", path.name))
]
OLDEST = _OURS[0] if _OURS else ""
NEWEST = max(_KNOWN, key=lambda text: [int(part) for part in text.split(".")])


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
    """Return what makes an object invalid for a version of Kubernetes, such as ``1.31``."""
    validator = _validator(version, manifest["kind"], manifest["apiVersion"])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
