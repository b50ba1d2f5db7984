"""Every value has an effect, every value that a template reads is documented, and 0 and false count."""

import difflib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart.changes import (
    BASE_VALUES,
    BESIDE,
    LEAVES,
    another,
    merged,
    rendered_with,
    tree,
)
from tests.support.helm import CHART, RenderError, objects
from tools.chart_values import Value, read

ALIASES = {
    "$api": "zabbix.api",
    "$agent": "zabbix.agent",
    "$exporter": "zabbix.journalExporter",
    "$monitoring": "monitoring",
    "$rule": "monitoring.prometheusRule",
    "$selection": "nodeSelection",
    "$server": "zabbix.server",
    "$settings": "zabbix.journalExporter.settings",
    "$tls": "zabbix.tls",
    "$zabbix": "zabbix",
}
"""Variables that templates use for parts of the values."""


def test_every_value_changes_the_rendered_objects(tmp_path: Path) -> None:
    def is_used(value: Value) -> bool:
        base = merged(BASE_VALUES, BESIDE.get(value.name, {}))
        if value.name == "monitoring.serviceMonitor.enabled":
            base = merged(base, tree(value.name, False))
        changed = merged(base, tree(value.name, another(value)))
        return rendered_with(base, tmp_path) != rendered_with(changed, tmp_path)

    # The chart refuses `enabled: false`: see ci/invalid.
    leaves = [value for value in LEAVES if value.name != "enabled"]
    with ThreadPoolExecutor(4) as pool:
        used = dict(zip([value.name for value in leaves], pool.map(is_used, leaves), strict=True))
    assert len(used) > 150
    assert [name for name, is_it in used.items() if not is_it] == []


NUMBERS = [
    value
    for value in LEAVES
    if isinstance(value.default, int) and not isinstance(value.default, bool)
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: value.name)
def test_the_minimum_of_a_number_is_rendered_like_any_other_number(
    value: Value, tmp_path: Path
) -> None:
    least = int(value.directives["min"])
    beside = {
        "zabbix": {"agent": {"maxLinesPerSecond": 1}},
        "fluentBit": {"common": {"graceS": 0, "terminationGracePeriodSeconds": 90}},
    }
    lines = {}
    for number in (
        least,
        least + 5 if least + 5 <= int(value.directives.get("max", "99999")) else least + 1,
    ):
        values = merged(merged(BASE_VALUES, beside), tree(value.name, number))
        if value.name.endswith("terminationGracePeriodSeconds") and number == 0:
            pytest.skip("the chart refuses less than the time to flush: see ci/invalid")
        lines[number] = rendered_with(values, tmp_path).splitlines()
    (one, first), (other, second) = lines.items()
    assert len(first) == len(second)
    changed = [
        (a, b) for a, b in zip(first, second, strict=True) if a != b and "checksum/" not in a
    ]
    assert changed
    for a, b in changed:
        parts = difflib.SequenceMatcher(None, a, b).get_opcodes()
        assert any(tag == "replace" for tag, *_ in parts), (a, b)
        assert str(one) in a
        assert str(other) in b


COMMON = [value for value in LEAVES if value.path[:2] == ("fluentBit", "common")]


def of_one(values: dict[str, Any], kind: str, directory: Path) -> list[Any] | None:
    """Return the objects of one Fluent Bit DaemonSet, or None if the chart refuses the values."""
    try:
        text = rendered_with(values, directory)
    except RenderError:
        return None
    return [
        found
        for found in objects(text)
        if found["metadata"]["name"].endswith(f"-fluent-bit-{kind}")
    ]


@pytest.mark.parametrize("kind", ["cri", "docker"])
def test_false_zero_or_empty_in_one_daemonset_overrides_every_common_value(
    kind: str, tmp_path: Path
) -> None:
    def is_kept(value: Value) -> bool:
        name = value.name.removeprefix("fluentBit.common.")
        empty = type(value.default)()
        full = value.default or another(value)
        base = merged(BASE_VALUES, BESIDE.get(value.name, {}))
        base = merged(base, {"fluentBit": {"cri": None, "docker": None}})
        both = merged(base, tree(value.name, empty))
        one = merged(base, tree(value.name, full))
        one = merged(one, tree(f"fluentBit.{kind}.{name}", empty))
        wanted = of_one(both, kind, tmp_path)
        if isinstance(empty, dict) or name == "output.existingSecret":
            # Mappings are merged key by key, as in helm.
            return True
        refused.extend([name] if wanted is None else [])
        return of_one(one, kind, tmp_path) == wanted

    refused: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        kept = dict(zip([value.name for value in COMMON], pool.map(is_kept, COMMON), strict=True))
    assert [name for name, is_it in kept.items() if not is_it] == []
    assert len(COMMON) - len(refused) > 25


def test_false_and_zero_in_one_daemonset_reach_its_objects(tmp_path: Path) -> None:
    own = {"graceS": 0, "kubernetesMetadata": False, "priorityClassName": "", "tolerations": []}
    text = rendered_with({"fluentBit": {"cri": own}}, tmp_path)
    pods = {
        found["metadata"]["name"]: found["spec"]["template"]["spec"]
        for found in yaml.safe_load_all(text)
        if found["kind"] == "DaemonSet"
    }
    cri, docker = (pods[f"node-observability-fluent-bit-{name}"] for name in ("cri", "docker"))
    assert cri["automountServiceAccountToken"] is False
    assert docker["automountServiceAccountToken"] is True
    assert "priorityClassName" not in cri
    assert cri["tolerations"] == []
    env = {entry["name"]: entry.get("value") for entry in cri["containers"][0]["env"]}
    assert env["NODEOBS_GRACE_S"] == "0"


def documented(name: str) -> bool:
    paths = {value.name for value in LEAVES}
    opened = [value.name for value in LEAVES if value.is_open]
    return (
        name in paths
        or any(path.startswith(f"{name}.") for path in paths)
        or any(name.startswith(f"{path}.") for path in opened)
    )


def test_every_value_that_a_template_reads_is_documented() -> None:
    read_names = set()
    for path in CHART.glob("templates/**/*.*"):
        text = path.read_text()
        read_names |= set(re.findall(r"\.Values\.([A-Za-z][\w.]*\w)", text))
        for alias, name in ALIASES.items():
            found = re.findall(rf"{re.escape(alias)}\.([A-Za-z][\w.]*\w)", text)
            read_names |= {f"{name}.{rest}" for rest in found}
        if path.parent.name == "fluent-bit":
            found = re.findall(r"\$?\.?values\.([A-Za-z][\w.]*\w)", text)
            read_names |= {f"fluentBit.common.{rest}" for rest in found}
    assert len(read_names) > 100
    assert sorted(name for name in read_names if not documented(name)) == []


def test_a_key_without_a_comment_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# What it is.\na: 1\nb: 2\n")
    with pytest.raises(
        ValueError, match=r"values.yaml:3: b has no comment; explain it above the key"
    ):
        read(path)
    path.write_text("# What it is.\n# @pattren x\na: 1\n")
    with pytest.raises(ValueError, match="@pattren is not a directive"):
        read(path)
