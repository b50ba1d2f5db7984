"""The notes of ``helm install`` are short, and name what is missing."""

import shutil
from pathlib import Path

import pytest

from tests.support.helm import CHART, objects, render_text, rendered

_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- tpl (.Files.Get "notes.txt") . | nindent 4 }}
"""


@pytest.fixture(scope="module")
def readable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the chart with its notes in a ConfigMap, because `helm template` omits notes."""
    chart = tmp_path_factory.mktemp("notes") / "node-observability"
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("cases", "ci"))
    shutil.move(chart / "templates" / "NOTES.txt", chart / "notes.txt")
    (chart / "templates" / "notes.yaml").write_text(_MAP)
    return chart


def notes(chart: Path, *sets: str) -> str:
    found = [
        one
        for one in objects(render_text(chart=chart, sets=sets))
        if one["metadata"]["name"] == "notes"
    ]
    return str(found[0]["data"]["notes"])


def test_the_notes_of_a_plain_installation_name_what_is_missing(readable: Path) -> None:
    text = notes(readable)
    assert "zabbix.server.address is not set" in text
    assert "The image docker.io/node-observability/journal-exporter:" in text
    assert "is not published" in text
    assert "fluentBit.cri prints records to its own log only" in text
    assert "pod-security.kubernetes.io/enforce=privileged" in text
    assert "node-observability coverage --release node-observability --namespace logging" in text
    assert len(text.splitlines()) <= 15


def test_the_notes_of_a_complete_installation_warn_of_nothing(readable: Path) -> None:
    text = notes(
        readable,
        "zabbix.server.address=zabbix",
        "zabbix.journalExporter.image.registry=registry.example.com",
        "fluentBit.common.output.preset=forward",
        "fluentBit.common.variables.NODEOBS_FORWARD_HOST=fluentd",
    )
    assert "!" not in text
    assert "os=bottlerocket" in text


def test_the_notes_name_the_output_and_its_variables(readable: Path) -> None:
    text = notes(
        readable,
        "fluentBit.common.output.preset=s3",
        "fluentBit.common.variables.NODEOBS_S3_BUCKET=b",
        "fluentBit.common.variables.NODEOBS_AWS_REGION=eu-west-1",
    )
    for kind in ("cri", "docker"):
        names = "NODEOBS_AWS_REGION, NODEOBS_S3_BUCKET"
        assert f"fluentBit.{kind} sends records to s3. Its variables: {names}." in text


def test_the_notes_do_not_warn_of_the_preset_stdout_beside_an_output_of_the_user(
    readable: Path,
) -> None:
    warning = "prints records to its own log only"
    own = "fluentBit.cri.extraOutputs=pipeline:\n  outputs:\n    - name: http\n      match: '*'\n"
    text = notes(readable, own)
    assert f"fluentBit.cri {warning}" not in text
    assert f"fluentBit.docker {warning}" in text


def test_the_notes_name_the_unpublished_toolbox_image_only_where_it_is_used(
    readable: Path,
) -> None:
    api = ("zabbix.api.url=https://z", "zabbix.api.existingSecret=s")
    warning = "node-observability/toolbox:"
    assert warning not in notes(readable, *api)
    assert warning in notes(readable, *api, "zabbix.api.prune.enabled=true")
    own = "zabbix.api.image.registry=registry.example.com"
    assert warning not in notes(readable, *api, "zabbix.api.prune.enabled=true", own)


@pytest.mark.parametrize("kind", ["prometheusRule", "dashboard"])
def test_the_notes_warn_if_alerts_or_dashboard_get_no_metrics(readable: Path, kind: str) -> None:
    warning = "get no metrics from these programs"
    on = f"monitoring.{kind}.enabled=true"
    assert warning in notes(readable, on)
    assert warning not in notes(readable, on, "monitoring.podMonitor.enabled=true")
    assert warning not in notes(readable, on, "monitoring.serviceMonitor.enabled=true")


def test_the_notes_warn_of_a_fluent_bit_that_can_not_read_logs(readable: Path) -> None:
    text = notes(readable, "fluentBit.docker.securityContext.runAsUser=1000")
    assert "! fluentBit.docker runs as user 1000, " in text
    assert "fluentBit.cri runs as" not in text


def pods_have_host_paths(*sets: str) -> bool:
    return any(
        "hostPath" in volume
        for found in rendered(sets=sets)
        if found["kind"] == "DaemonSet"
        for volume in found["spec"]["template"]["spec"]["volumes"]
    )


@pytest.mark.parametrize("off", ["zabbix", "fluentBit"])
def test_the_notes_name_the_label_of_the_namespace_for_either_program(
    readable: Path, off: str
) -> None:
    sets = (f"{off}.enabled=false",)
    assert pods_have_host_paths(*sets)
    assert "kubectl label namespace logging pod-security.kubernetes.io/enforce=privileged" in notes(
        readable, *sets
    )


def test_the_notes_do_not_mention_zabbix_if_it_is_off(readable: Path) -> None:
    assert "zabbix" not in notes(readable, "zabbix.enabled=false").lower()
