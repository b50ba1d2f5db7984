"""Every value is used, every used value is documented, and 0 and false reach the objects."""

import difflib
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helm import CHART, RenderError, objects, render_text
from tools.chart_values import Value, flat, read

VALUES = read(CHART / "values.yaml")
LEAVES = list(flat(VALUES))
BASE = CHART / "ci" / "everything-values.yaml"

# What can't be made up from the type: another value that is valid.
ANOTHER: dict[str, Any] = {
    "nameOverride": "other",
    "fullnameOverride": "other",
    "global.imagePullSecrets": [{"name": "other"}],
    "imagePullSecrets": [{"name": "other"}],
    "nodeSelection.exclude": [{"key": "a", "values": ["b"]}],
    "zabbix.tls.mode": "cert",
    "zabbix.agent.image.digest": "sha256:" + "0" * 64,
    "zabbix.journalExporter.image.digest": "sha256:" + "0" * 64,
    "fluentBit.common.image.digest": "sha256:" + "0" * 64,
    "zabbix.agent.persistentBufferPeriod": "3h",
    "zabbix.agent.extraConfig": "AllowKey=vfs.dir.size[*]",
    "zabbix.agent.userParameters": [{"key": "a", "command": "b"}],
    "zabbix.agent.bufferSize": 60000,
    "zabbix.journalExporter.settings.maxBytes": "1Mi",
    "zabbix.journalExporter.settings.maxAge": "1d",
    "zabbix.journalExporter.settings.keepBytes": "900Mi",
    "zabbix.hostPaths.log": "/var/log/other",
    "zabbix.hostPaths.state": "/var/lib/other",
    "fluentBit.common.hostPaths.state": "/var/lib/other",
    "fluentBit.common.storageLimit": "2G",
    "fluentBit.common.variables": {"NODEOBS_OPENSEARCH_PORT": "9200"},
    "fluentBit.cri": {"flushS": 7},
    "fluentBit.docker": {"flushS": 7},
    "zabbix.api.url": "https://other",
    "zabbix.api.proxy": "http://other",
    "zabbix.api.image.digest": "sha256:" + "0" * 64,
    "zabbix.api.apply.macros": {"{$NODEOBS.LOG.HISTORY}": "1d"},
    "zabbix.api.prune.schedule": "@daily",
    "zabbix.api.prune.grace": "1h",
    "zabbix.api.prune.deleteAfter": "1d",
    "networkPolicy.metricsFrom": [{"podSelector": {}}],
    "networkPolicy.egress": [{"to": [{"podSelector": {}}]}],
}
# Values that matter only beside another one.
_NO_PSK_ONLY = {"api": {"apply": {"pskOnly": False}}}
BESIDE: dict[str, dict[str, Any]] = {
    "zabbix.journalExporter.settings.format": {"fluentBit": {"common": {"messages": False}}},
    "zabbix.enabled": {
        "fluentBit": {"common": {"messages": False}},
        "zabbix": {"api": {"apply": {"enabled": False}, "prune": {"enabled": False}}},
    },
    "zabbix.tls.mode": {"zabbix": _NO_PSK_ONLY},
    "zabbix.tls.serverCertIssuer": {"zabbix": {"tls": {"mode": "cert"}, **_NO_PSK_ONLY}},
    "zabbix.tls.serverCertSubject": {"zabbix": {"tls": {"mode": "cert"}, **_NO_PSK_ONLY}},
    "zabbix.hostNetwork": {"zabbix": {"dnsPolicy": "ClusterFirst"}},
    "zabbix.api.apply.psk": {"zabbix": _NO_PSK_ONLY},
    "fluentBit.common.hostPaths.containers": {
        "fluentBit": {"common": {"path": "/var/log/pods/*/*/*.log"}}
    },
    "fluentBit.common.exactTime": {"fluentBit": {"common": {"partial": "keep"}}},
    "fluentBit.common.output.preset": {"fluentBit": {"common": {"variables": None}}},
}
_SERVICE_MONITOR = {"podMonitor": {"enabled": False}, "serviceMonitor": {"enabled": True}}
for _key in ("enabled", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"):
    BESIDE[f"monitoring.serviceMonitor.{_key}"] = {"monitoring": _SERVICE_MONITOR}
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
"""Names that templates give to parts of the values."""


def tree(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any value
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        if value is None:
            result.pop(key, None)
            continue
        mine = result.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            result[key] = merged(mine, value)
        else:
            result[key] = value
    return result


def another(value: Value) -> Any:  # noqa: ANN401 - as the value is
    if value.name in ANOTHER:
        return ANOTHER[value.name]
    default = value.default
    if isinstance(default, bool):
        return not base_value(value)
    if isinstance(default, int):
        return default - 1 if str(default) == value.directives.get("max") else default + 1
    if isinstance(default, list):
        kind = value.directives["items"]
        made = {"string": "x", "word": "x", "envVar": {"name": "X", "value": "y"}}
        return [made.get(kind, {"name": "x", "mountPath": "/x"})]
    if isinstance(default, dict):
        return {"example.com/x": "y"}
    return another_text(value)


def another_text(value: Value) -> str:
    if "enum" in value.directives:
        return next(word for word in value.directives["enum"].split() if word != base_value(value))
    if (default := value.default) and re.fullmatch(r"[0-9]+s", default):
        return "7s"
    return f"{value.default}x" if value.default else "/x" if "paths" in value.name.lower() else "x"


def base_value(value: Value) -> Any:  # noqa: ANN401 - as the value is
    found: Any = BASE_VALUES
    for part in value.path:
        if not isinstance(found, dict) or part not in found:
            return value.default
        found = found[part]
    return found


BASE_VALUES = yaml.safe_load(BASE.read_text())


def rendered_with(values: dict[str, Any], directory: Path) -> str:
    text = json.dumps(values)
    path = directory / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    path.write_text(text)
    return render_text(path)


def test_every_value_changes_something(tmp_path: Path) -> None:
    def is_used(value: Value) -> bool:
        base = merged(BASE_VALUES, BESIDE.get(value.name, {}))
        if value.name == "monitoring.serviceMonitor.enabled":
            base = merged(base, tree(value.name, False))
        changed = merged(base, tree(value.name, another(value)))
        return rendered_with(base, tmp_path) != rendered_with(changed, tmp_path)

    with ThreadPoolExecutor(4) as pool:
        used = dict(zip([value.name for value in LEAVES], pool.map(is_used, LEAVES), strict=True))
    assert len(used) > 150
    assert [name for name, is_it in used.items() if not is_it] == []


NUMBERS = [
    value
    for value in LEAVES
    if isinstance(value.default, int) and not isinstance(value.default, bool)
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: value.name)
def test_the_least_number_shows_as_every_other_does(value: Value, tmp_path: Path) -> None:
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
            pytest.skip("less than the time to flush: refused, which ci/invalid shows")
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
    """Return what the chart makes for one DaemonSet; nothing when it refuses the values."""
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
def test_what_is_false_zero_or_empty_for_one_daemonset_wins_over_what_both_have(
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
            # Mappings are merged key by key, as helm does.
            return True
        refused.extend([name] if wanted is None else [])
        return of_one(one, kind, tmp_path) == wanted

    refused: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        kept = dict(zip([value.name for value in COMMON], pool.map(is_kept, COMMON), strict=True))
    assert [name for name, is_it in kept.items() if not is_it] == []
    assert len(COMMON) - len(refused) > 25


def test_false_and_zero_of_one_daemonset_win_over_what_both_have(tmp_path: Path) -> None:
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


def test_every_key_has_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# What it is.\na: 1\nb: 2\n")
    with pytest.raises(ValueError, match=r"values.yaml:3: b has no comment; say what it is"):
        read(path)
    path.write_text("# What it is.\n# @pattren x\na: 1\n")
    with pytest.raises(ValueError, match="@pattren is no directive"):
        read(path)
