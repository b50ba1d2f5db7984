"""The chart as a dependency of a parent chart, which sets its values and global values."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.helm import CHART, Manifest, RenderError, helm, objects

PARENT = """\
apiVersion: v2
name: platform
version: 1.0.0
dependencies:
  - {name: node-observability, version: "*", condition: node-observability.enabled}
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chart = tmp_path_factory.mktemp("parent") / "platform"
    shutil.copytree(CHART, chart / "charts" / "node-observability")
    (chart / "Chart.yaml").write_text(PARENT)
    return chart


def rendered(parent: Path, values: dict[str, object]) -> list[Manifest]:
    (parent / "given.json").write_text(json.dumps(values))
    arguments = ("--namespace", "logging", "--values", str(parent / "given.json"))
    return objects(helm("template", "release", str(parent), *arguments))


def test_global_values_and_its_own_values_reach_the_chart(parent: Path) -> None:
    found = rendered(
        parent,
        {
            "global": {
                "imageRegistry": "registry.example.com",
                "imagePullSecrets": ["plain", {"name": "mapped"}, "plain"],
                "storageClass": "a value of other charts",
            },
            "node-observability": {
                "zabbix": {"server": {"address": "zabbix"}},
                "imagePullSecrets": [{"name": "own"}],
            },
        },
    )
    pods = [one["spec"]["template"]["spec"] for one in found if one["kind"] == "DaemonSet"]
    assert len(pods) == 3
    for pod in pods:
        assert pod["imagePullSecrets"] == [{"name": "own"}, {"name": "plain"}, {"name": "mapped"}]
        images = [container["image"] for container in pod["containers"]]
        assert all(image.startswith("registry.example.com/") for image in images)
    assert "ServerActive=zabbix:10051" in json.dumps(found)


def test_a_condition_of_the_parent_turns_the_chart_on_and_off(parent: Path) -> None:
    assert len(rendered(parent, {"node-observability": {"enabled": True}})) > 8
    assert rendered(parent, {"node-observability": {"enabled": False}}) == []


def test_a_wrong_value_in_the_parent_is_refused_with_its_path(parent: Path) -> None:
    with pytest.raises(RenderError, match=r"(?s)node-observability:\s.*zabbix.*serverr"):
        rendered(parent, {"node-observability": {"zabbix": {"serverr": {}}}})
