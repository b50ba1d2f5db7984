"""A text that YAML could take for a number, a boolean or a mapping stays a string in every object."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart.changes import BASE_VALUES, BESIDE, LEAVES, merged, tree
from tests.support.helm import Manifest, render_text

TEXTS = ["no", "y", "1e3", "1234", "0x1f", "1_000", "~", "null", "a: b", "a #b", "- a", "*", "{a"]
NAMES = ["no", "y", "1234", "1e3"]
"""Release names and namespaces that Helm and Kubernetes accept."""
CHECKED_BY_RULES = {
    "zabbix.journalExporter.settings.keepBytes",
    "zabbix.journalExporter.settings.maxBytes",
    "zabbix.agent.extraConfig",
    "fluentBit.common.extraInputs",
    "fluentBit.common.extraFilters",
    "fluentBit.common.extraFiltersBeforeMetadata",
    "fluentBit.common.extraOutputs",
    "fluentBit.common.extraParsers",
}
"""Values that the chart checks further: sizes, and texts in a language of their own."""


REFUSED_KEYS = {
    "zabbix.api.apply.macros",
    "fluentBit.common.output.secretKeys",
    "fluentBit.common.variables",
}
"""Mappings whose keys the chart checks."""


class ApiLoader(yaml.CSafeLoader):
    """Reads plain scalars as the API server does: PyYAML takes `1e3` and `y` for strings."""

    bool_values = {**yaml.CSafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012 - as PyYAML


ApiLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
ApiLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))


def loaded(text: str) -> list[Manifest]:
    found = [one for one in yaml.load_all(text, ApiLoader) if one]
    return sorted(found, key=lambda one: (one["kind"], str(one["metadata"]["name"])))


def changed_types(before: object, after: object, path: str = "") -> Iterator[str]:
    """Yield the places at which a string became something else; a new key counts as a string."""
    if isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        for key, value in after.items():
            if not isinstance(key, str):
                yield f"{path}.{key!r} is a key"
            elif key in old:
                yield from changed_types(old[key], value, f"{path}.{key}")
            elif not isinstance(value, str):
                yield f"{path}.{key} is {value!r}"
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changed_types(one, other, f"{path}[{index}]")
    elif type(before) is not type(after):
        yield f"{path} is {after!r} instead of {before!r}"


def accepts(name: str, text: str, directives: dict[str, str]) -> bool:
    if name.endswith(".repository") and ":" in text:
        return False  # a tag
    if "enum" in directives or len(text) > int(directives.get("max-length", "999")):
        return False
    return re.search(directives.get("pattern", ""), text) is not None


def with_text(text: str) -> dict[str, Any]:
    """Return values with the text wherever the chart accepts it."""
    values = merged(BASE_VALUES, tree("fluentBit.common.variables.NODEOBS_OPENSEARCH_PREFIX", text))
    values = merged(
        values, tree("fluentBit.common.output.secretKeys.NODEOBS_OPENSEARCH_USER", text)
    )
    for leaf in LEAVES:
        kind = leaf.directives.get("items", "")
        value: object = None
        if isinstance(leaf.default, str) and leaf.name not in CHECKED_BY_RULES:
            value = text if accepts(leaf.name, text, leaf.directives) else None
        elif kind == "string" or (kind == "word" and re.search(r"^[^\s,]+$", text)):
            value = [text]
        elif kind in ("secretRef", "secretRefOrName"):
            value = [{"name": text}]
        elif kind == "nodeExclusion":
            value = [{"key": text, "values": [text]}]
        elif kind == "envVar":
            value = [{"name": "X", "value": text}]
        elif kind == "userParameter":
            value = [{"key": "a", "command": text}]
        elif "strings" in leaf.directives and leaf.name not in REFUSED_KEYS:
            value = {text: text}
        if value is not None:
            values = merged(values, tree(leaf.name, value))
    return values


NO_SELECTORS = {
    "zabbix": {"nodeSelector": None},
    "fluentBit": {"common": {"nodeSelector": None}},
}
VARIANTS: dict[str, dict[str, Any]] = {
    # A label can't both mark nodes and exclude or select them again.
    "labels": {
        **BESIDE["monitoring.serviceMonitor.enabled"],
        "nodeSelection": {"exclude": []},
        **NO_SELECTORS,
    },
    "exclusions": {"nodeSelection": {"labelKey": "os"}, **NO_SELECTORS},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_string_value_stays_a_string(text: str, variant: str, tmp_path: Path) -> None:
    found = []
    for name, values in (("plain", with_text("x")), ("odd", with_text(text))):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(merged(values, VARIANTS[variant])))
        found.append(loaded(render_text(path)))
    before, after = found
    assert len(before) == len(after) > 15
    assert list(changed_types(before, after)) == []
    assert json.dumps(after).count(json.dumps(text)) > 40


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_release_and_namespace_stay_strings(name: str, tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(json.dumps(BASE_VALUES))
    before = loaded(render_text(path, release="plain", namespace="plain"))
    after = loaded(render_text(path, release=name, namespace=name))
    assert list(changed_types(before, after)) == []
    assert {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in after} == {name}


def test_the_check_sees_a_text_that_lost_its_quotes() -> None:
    before = loaded("kind: a\nmetadata: {name: a, x: text, z: {}}")
    after = loaded("kind: a\nmetadata: {name: a, x: 1e3, z: {no: y}}")
    assert list(changed_types(before, after)) == [
        "[0].metadata.x is 1000.0 instead of 'text'",
        "[0].metadata.z.False is a key",
    ]
