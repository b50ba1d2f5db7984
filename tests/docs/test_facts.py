"""Lists on pages agree with what they describe."""

import re

import pytest
import yaml

from tests.support.helm import CHART, render_text
from tests.support.paths import ROOT
from tests.support.pipeline import defaults

_FLUENT_BIT = ROOT / "fluentbit"
_PRESETS = [path.stem.removeprefix("output-") for path in _FLUENT_BIT.glob("output-*.yaml")]
_SET_BY_THE_CHART = {
    *("CLUSTER", "NODE", "STATE_DIR", "STORAGE_LIMIT"),
    *("TLS_CA_FILE", "TLS_VERIFY"),
}
_NEEDS = yaml.safe_load((CHART / "files" / "presets.yaml").read_text())
_EVERYTHING = (
    *("zabbix.api.apply.enabled=true", "zabbix.api.prune.enabled=true"),
    *("zabbix.api.url=https://zabbix.example.com", "zabbix.api.existingSecret=zabbix-api"),
)


def test_the_page_for_clusters_without_internet_lists_every_image() -> None:
    page = (ROOT / "docs/how-to/install-air-gapped.md").read_text()
    rendered = render_text(sets=_EVERYTHING)
    images = set(re.findall(r"^\s*image: \"?([^\"\s]+)", rendered, re.MULTILINE))
    assert set(re.findall(r"^\| `([^`]+:[^`]+)` \|", page, re.MULTILINE)) == images


@pytest.mark.parametrize("preset", sorted(_PRESETS))
def test_the_page_of_presets_lists_the_variables_of_each(preset: str) -> None:
    page = (ROOT / "docs/reference/output-presets.md").read_text()
    section = page.partition(f"\n## {preset}\n")[2].partition("\n## ")[0]
    used = re.findall(r"\$\{NODEOBS_(\w+)\}", (_FLUENT_BIT / f"output-{preset}.yaml").read_text())
    listed = dict(re.findall(r"^\| `NODEOBS_(\w+)` \| ([^|]*?) *\|", section, re.MULTILINE))
    assert section
    assert set(listed) == set(used) - _SET_BY_THE_CHART
    for name, found in listed.items():
        assert found == _default(preset, f"NODEOBS_{name}")


def _default(preset: str, name: str) -> str:
    required = [one for names in _NEEDS[preset].values() for one in names]
    parts = ["from the Secret"] if name.endswith(("PASSWORD", "KEY", "TOKEN")) else []
    parts += ["required"] if name in required else []
    value = defaults()[name]
    return ", ".join(parts) or (value and f"`{value}`")


@pytest.mark.parametrize("preset", sorted(_PRESETS))
def test_values_yaml_lists_the_variables_of_each_preset(preset: str) -> None:
    text = (CHART / "values.yaml").read_text().partition("# The variables of each preset.")[2]
    block = text.partition("\n    #\n")[0].replace("\n    #     ", " ")
    lines = re.findall(r"(?m)^    #   (\w+): (.*)$", block)
    listed = dict(lines).get(preset, "")
    used = re.findall(r"\$\{NODEOBS_(\w+)\}", (_FLUENT_BIT / f"output-{preset}.yaml").read_text())
    assert set(re.findall(r"NODEOBS_(\w+)", listed)) == set(used) - _SET_BY_THE_CHART
    required = {one for names in _NEEDS[preset].values() for one in names}
    assert set(re.findall(r"NODEOBS_\w+", listed.partition(";")[0])) == required
    secrets = re.findall(r"\[(\w+)\]", listed)
    assert secrets == [
        name
        for name in re.findall(r"NODEOBS_\w+", listed)
        if name.endswith(("PASSWORD", "KEY", "TOKEN"))
    ]


def test_the_pages_name_the_chart_s_requests_and_limits() -> None:
    page = (ROOT / "docs/how-to/size.md").read_text()
    values = yaml.safe_load((ROOT / "charts/node-observability/values.yaml").read_text())
    for row, resources in (
        ("journal exporter", values["zabbix"]["journalExporter"]["resources"]),
        ("Zabbix agent 2", values["zabbix"]["agent"]["resources"]),
        ("Fluent Bit", values["fluentBit"]["common"]["resources"]),
    ):
        cells = next(line for line in page.splitlines() if line.startswith(f"| {row} |")).split(
            " | "
        )
        request, limit = resources["requests"], resources["limits"]
        assert cells[2] == f"{request['cpu']}, {request['memory'].removesuffix('Mi')} MiB"
        assert cells[3].startswith(f"{limit['memory'].removesuffix('Mi')} MiB")


def test_every_decision_is_in_the_index_and_numbers_have_no_gap() -> None:
    directory = ROOT / "docs/decisions"
    index = (directory / "index.md").read_text()
    names = sorted(path.name for path in directory.glob("0*.md"))
    assert [int(name[:4]) for name in names] == [*range(1, len(names) + 1)]
    assert re.findall(r"\]\((0[^)]+)\)", index) == names
