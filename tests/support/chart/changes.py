"""Another valid value for each key of the chart, and the values without which it has no effect."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.helm import CHART, render_text
from tools.chart_values import Value, flat, read

__all__ = ["BASE_VALUES", "BESIDE", "LEAVES", "another", "merged", "rendered_with", "tree"]

VALUES = read(CHART / "values.yaml")
LEAVES = list(flat(VALUES))
BASE = CHART / "ci" / "everything-values.yaml"

# Other valid values that the type alone does not give.
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
    "zabbix.journalExporter.settings.maxDeletedBytes": "900Mi",
    "zabbix.hostPaths.log": "/var/log/other",
    "zabbix.hostPaths.state": "/var/lib/other",
    "fluentBit.common.hostPaths.state": "/var/lib/other",
    "fluentBit.common.storageLimit": "2G",
    "fluentBit.common.variables": {"NODEOBS_OPENSEARCH_PORT": "9200"},
    **{
        f"fluentBit.common.extra{name}": "pipeline: {}"
        for name in ("Inputs", "FiltersBeforeMetadata", "Filters", "Outputs", "Parsers")
    },
    **{
        f"{path}.affinity": {"podAntiAffinity": {}}
        for path in ("zabbix", "zabbix.api", "fluentBit.common")
    },
    "fluentBit.common.output.secretKeys": {"NODEOBS_OPENSEARCH_USER": "user"},
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
# Other values without which a key has no effect.
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
    # The variables of the base are read by one DaemonSet still.
    "fluentBit.common.output.preset": {
        "fluentBit": {"docker": {"output": {"preset": "opensearch"}}}
    },
    "fluentBit.common.output.tlsVerify": {"fluentBit": {"common": {"output": {"caSecret": ""}}}},
}
_SERVICE_MONITOR = {"podMonitor": {"enabled": False}, "serviceMonitor": {"enabled": True}}
for _key in ("enabled", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"):
    BESIDE[f"monitoring.serviceMonitor.{_key}"] = {"monitoring": _SERVICE_MONITOR}


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
