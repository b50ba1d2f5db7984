"""What ``helm install`` prints at its end: short, and says what is missing."""

import shutil
from pathlib import Path

import pytest

from tests.support.helm import CHART, objects, render_text

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
    """Make a chart that renders its notes into a ConfigMap: `helm template` leaves them out."""
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


def test_a_plain_installation_is_told_what_it_lacks(readable: Path) -> None:
    text = notes(readable)
    assert "zabbix.server.address is not set" in text
    assert "The image docker.io/node-observability/journal-exporter:" in text
    assert "is not published" in text
    assert "fluentBit.cri writes records to its own log only" in text
    assert "pod-security.kubernetes.io/enforce=privileged" in text
    assert "node-observability coverage --release node-observability --namespace logging" in text
    assert len(text.splitlines()) <= 15


def test_a_complete_installation_is_told_nothing_of_the_kind(readable: Path) -> None:
    text = notes(
        readable,
        "zabbix.server.address=zabbix",
        "zabbix.journalExporter.image.registry=registry.example.com",
        "fluentBit.common.output.preset=forward",
    )
    assert "!" not in text
    assert "os=bottlerocket" in text


def test_an_image_of_the_toolbox_that_nobody_publishes_is_told_where_it_is_used(
    readable: Path,
) -> None:
    api = ("zabbix.api.url=https://z", "zabbix.api.existingSecret=s")
    said = "node-observability/toolbox:"
    assert said not in notes(readable, *api)
    assert said in notes(readable, *api, "zabbix.api.prune.enabled=true")
    own = "zabbix.api.image.registry=registry.example.com"
    assert said not in notes(readable, *api, "zabbix.api.prune.enabled=true", own)


@pytest.mark.parametrize("kind", ["prometheusRule", "dashboard"])
def test_alerts_that_could_not_fire_for_want_of_metrics_are_told(readable: Path, kind: str) -> None:
    said = "have no metrics of the programs"
    on = f"monitoring.{kind}.enabled=true"
    assert said in notes(readable, on)
    assert said not in notes(readable, on, "monitoring.podMonitor.enabled=true")
    assert said not in notes(readable, on, "monitoring.serviceMonitor.enabled=true")


def test_a_fluent_bit_that_could_read_no_log_is_told(readable: Path) -> None:
    text = notes(readable, "fluentBit.docker.securityContext.runAsUser=1000")
    assert "! fluentBit.docker runs as user 1000, " in text
    assert "fluentBit.cri runs as" not in text


def test_without_zabbix_nothing_is_said_of_it(readable: Path) -> None:
    assert "zabbix" not in notes(readable, "zabbix.enabled=false").lower()
