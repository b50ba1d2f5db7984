"""Variables: numbers and booleans become strings, and credentials come from keys of a Secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.helm import RenderError, objects, render_text

NUMBERS = {"A": 1000000, "B": 0.5, "C": True, "D": False, "E": -1, "F": "1e3", "G": 12345678901}
AS_TEXT = {"A": "1000000", "B": "0.5", "C": "true", "D": "false", "E": "-1", "F": "1e3"} | {
    "G": "12345678901"
}


def containers(values: dict[str, Any], directory: Path) -> dict[str, dict[str, Any]]:
    """Return the containers of all pods by name, with their variables by name."""
    path = directory / "values.json"
    path.write_text(json.dumps(values))
    found = {}
    for one in objects(render_text(path)):
        spec = one["spec"] if one["kind"] == "Pod" else one.get("spec", {}).get("template", {})
        for container in spec.get("spec", spec).get("containers", []):
            found[f"{one['metadata']['name']}/{container['name']}"] = {
                entry["name"]: entry.get("value", entry.get("valueFrom"))
                for entry in container.get("env", [])
            }
    return found


def test_numbers_and_booleans_in_variables_are_strings_without_an_exponent(tmp_path: Path) -> None:
    extra = [{"name": name, "value": value} for name, value in NUMBERS.items()]
    extra.append({"name": "H", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})
    values = {
        "zabbix": {
            "agent": {"extraEnv": extra},
            "journalExporter": {"extraEnv": extra},
            "api": {
                "url": "https://z",
                "existingSecret": "s",
                "apply": {"enabled": True},
                "extraEnv": extra,
            },
        },
        "fluentBit": {"common": {"extraEnv": extra}},
    }
    found = containers(values, tmp_path)
    assert len(found) > 6
    for name, variables in found.items():
        if "-test/zabbix-agent2" not in name:
            assert AS_TEXT.items() <= variables.items(), name
            assert variables["H"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}


def es(**output: object) -> dict[str, Any]:
    variables: dict[str, object] = {
        "NODEOBS_ES_HOST": "h",
        "NODEOBS_ES_PORT": 9243,
        "NODEOBS_ES_PREFIX": 20261128,
        "NODEOBS_ES_TLS": True,
    }
    common = {"output": {"preset": "es", "existingSecret": "s", **output}, "variables": variables}
    return {"fluentBit": {"common": common}}


def test_credentials_come_from_the_keys_that_the_values_name(tmp_path: Path) -> None:
    keys = {"NODEOBS_ES_USER": "username", "NODEOBS_ES_HOST": "host"}
    values = es(secretKeys=keys)
    del values["fluentBit"]["common"]["variables"]["NODEOBS_ES_HOST"]
    found = containers(values, tmp_path)["node-observability-fluent-bit-cri/fluent-bit"]
    for name, key in keys.items():
        assert found[name] == {"secretKeyRef": {"name": "s", "key": key}}
    # Without a key of its own, a password may be missing.
    password = {"name": "s", "key": "NODEOBS_ES_PASSWORD", "optional": True}
    assert found["NODEOBS_ES_PASSWORD"] == {"secretKeyRef": password}
    assert found["NODEOBS_ES_PORT"] == "9243"
    assert found["NODEOBS_ES_PREFIX"] == "20261128"
    assert found["NODEOBS_ES_TLS"] == "true"


def test_a_credential_without_which_the_output_does_not_start_is_not_optional(
    tmp_path: Path,
) -> None:
    output = {"preset": "splunk", "existingSecret": "s"}
    values = {
        "fluentBit": {"common": {"output": output, "variables": {"NODEOBS_SPLUNK_HOST": "h"}}}
    }
    found = containers(values, tmp_path)["node-observability-fluent-bit-cri/fluent-bit"]
    token = {"name": "s", "key": "NODEOBS_SPLUNK_TOKEN", "optional": False}
    assert found["NODEOBS_SPLUNK_TOKEN"] == {"secretKeyRef": token}


def test_a_list_as_a_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="/fluentBit/common/variables/NODEOBS_ES_HOST"):
        containers(
            {"fluentBit": {"common": {"variables": {"NODEOBS_ES_HOST": ["h"]}}}},
            tmp_path,
        )


def test_the_authorities_of_an_output_are_mounted_where_fluent_bit_reads_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "values.json"
    path.write_text(json.dumps(es(caSecret="authorities")))
    specs = [
        one["spec"]["template"]["spec"]
        for one in objects(render_text(path))
        if one["kind"] == "DaemonSet" and "fluent-bit" in one["metadata"]["name"]
    ]
    assert len(specs) == 2
    for spec in specs:
        (volume,) = [
            one["name"]
            for one in spec["volumes"]
            if one.get("secret", {}).get("secretName") == "authorities"
        ]
        container = spec["containers"][0]
        (place,) = [one["mountPath"] for one in container["volumeMounts"] if one["name"] == volume]
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert env["NODEOBS_TLS_CA_FILE"] == f"{place}/ca.crt"
        assert env["NODEOBS_TLS_VERIFY"] == "true"


def test_verification_of_certificates_can_be_turned_off(tmp_path: Path) -> None:
    found = containers(es(tlsVerify=False), tmp_path)[
        "node-observability-fluent-bit-cri/fluent-bit"
    ]
    assert (found["NODEOBS_TLS_VERIFY"], found["NODEOBS_TLS_CA_FILE"]) == ("false", "")
