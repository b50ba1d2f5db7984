"""The examples in values.yaml work together, in one release."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart.changes import BASE_VALUES, LEAVES, merged, rendered_with, tree
from tests.support.helm import objects
from tools.chart_values import Value


def example(value: Value) -> Any:  # noqa: ANN401 - as the value is
    """Return the first example of a key, or None if it has none or only one with an ellipsis."""
    codes = re.findall(r"`([^`]+)`", value.example)
    if not codes or "…" in value.example:
        return None
    return codes[0] if isinstance(value.default, str) else yaml.safe_load(codes[0])


EXAMPLES = {value.name: found for value in LEAVES if (found := example(value)) is not None}


def test_every_example_in_values_yaml_is_accepted_and_reaches_an_object(tmp_path: Path) -> None:
    values = merged(BASE_VALUES, tree("fluentBit.common.output.preset", "es"))
    # The variables of the base are for another output; one of the examples is a CA, which needs TLS.
    values["fluentBit"]["common"]["variables"] = {"NODEOBS_FORWARD_TLS": "on"}
    for name, found in EXAMPLES.items():
        values = merged(values, tree(name, found))
    manifests = objects(rendered_with(values, tmp_path))
    assert len(EXAMPLES) > 50
    text = json.dumps(manifests)
    for expected in (
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/platform/journal-exporter:",
        "ServerActive=zabbix.example.com:10051,zabbix-test.example.com:10051",
        "DenyKey=vfs.file.contents[/hostfs/*]",
        "UserParameter=node.lspci,lspci | wc -l",
        "/var/log/containers/*_kube-system_*.log",
        "--macro={$NODEOBS.LOG.HISTORY}=31d",
        '"feature.node.kubernetes.io/system-os_release.ID": "bottlerocket"',
        '"memory": "512Mi"',
        "es.example.com",
        '"cidr": "10.0.0.0/8"',
    ):
        assert expected in text, expected
