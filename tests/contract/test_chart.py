"""The chart agrees with the exporter, the Zabbix template, its schema and its README."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from journal_exporter.config import ENV_PREFIX, FIELDS, default_text, load, variable
from journal_exporter.monitoring.metrics import PREFIX
from node_observability.zabbix.template import catalogue, render
from tests.support.chart.cases import each_case
from tests.support.helm import CHART, Manifest, rendered
from tests.support.paths import ROOT
from tools.chart_rules import rules_text
from tools.chart_values import flat, read, schema_text, with_table

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHART_FILE = yaml.safe_load((CHART / "Chart.yaml").read_text())
VALUES = read(CHART / "values.yaml")
BY_THE_CHART = {"journal_root", "metrics_address", "output", "state_directory"}
"""Settings that the chart sets from other values."""
NOT_IN_A_POD = {"journal_directory", "once"}


def container(manifests: list[Manifest], name: str) -> Manifest:
    (found,) = [
        one
        for manifest in manifests
        if manifest["kind"] == "DaemonSet"
        for one in manifest["spec"]["template"]["spec"]["containers"]
        if one["name"] == name
    ]
    return dict(found)


def environment(found: Manifest) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in found["env"] if "value" in entry}


def test_project_chart_and_image_have_the_same_version() -> None:
    assert CHART_FILE["version"] == CHART_FILE["appVersion"] == VERSION
    assert container(rendered(), "journal-exporter")["image"].endswith(f":{VERSION}")


def test_the_schema_is_generated_from_values_yaml(golden: Callable[[str, str], None]) -> None:
    golden("../../charts/node-observability/values.schema.json", schema_text(VALUES))


def test_the_rules_for_values_are_generated_from_values_yaml(
    golden: Callable[[str, str], None],
) -> None:
    golden("../../charts/node-observability/files/rules.json", rules_text(VALUES))


def test_a_pattern_without_words_for_the_fix_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# What it is.\n# @pattern x\na: b\n")
    with pytest.raises(ValueError, match=r"values\.yaml:3: a has @pattern, but no @must"):
        rules_text(read(path))


def test_the_schema_refuses_nothing_that_the_rules_can_explain() -> None:
    text = (CHART / "values.schema.json").read_text()
    for word in ("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems"):
        assert f'"{word}":' not in text


def test_the_table_of_the_readme_is_generated_from_values_yaml(
    golden: Callable[[str, str], None],
) -> None:
    readme = (CHART / "README.md").read_text()
    golden("../../charts/node-observability/README.md", with_table(readme, VALUES))


def test_the_exporter_accepts_its_default_environment() -> None:
    variables = environment(container(rendered(), "journal-exporter"))
    settings = load({}, variables).settings
    assert str(settings.output) == "/var/log/messages"
    assert settings.metrics_address == "127.0.0.1:9465"


@each_case
def test_the_exporter_accepts_the_environment_of_every_case(case: Path) -> None:
    manifests = rendered(case)
    if any("zabbix-agent" in manifest["metadata"]["name"] for manifest in manifests):
        load({}, environment(container(manifests, "journal-exporter")))


def test_every_setting_of_the_exporter_is_a_value_of_the_chart_with_the_same_default() -> None:
    variables = environment(container(rendered(), "journal-exporter"))
    ours = {name for name in variables if name.startswith(ENV_PREFIX)}
    assert ours == {variable(name) for name in FIELDS.keys() - NOT_IN_A_POD}
    for name in FIELDS.keys() - NOT_IN_A_POD - BY_THE_CHART:
        assert variables[variable(name)] == (default_text(name) or "none"), name


def test_an_empty_list_of_facilities_excludes_none() -> None:
    sets = ("zabbix.journalExporter.settings.excludeFacility=[]",)
    variables = environment(container(rendered(json_sets=sets), "journal-exporter"))
    assert load({}, variables).settings.exclude_facility == ()


def test_the_exporter_accepts_the_limits_in_values_yaml() -> None:
    path = ("zabbix", "journalExporter", "settings")
    settings = [value for value in flat(VALUES) if value.path[:3] == path]
    checked = 0
    for value in settings:
        name = re.sub(r"([A-Z])", r"_\1", value.path[-1]).lower()
        limits = [value.directives[key] for key in ("min", "max") if key in value.directives]
        for text in [*value.directives.get("enum", "").split(), *limits]:
            assert load({}, {variable(name): text})
            checked += 1
    assert checked > 20


def test_the_probes_request_paths_that_the_exporter_serves() -> None:
    found = container(rendered(), "journal-exporter")
    assert found["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert found["readinessProbe"]["httpGet"]["path"] == "/readyz"
    port = found["ports"][0]["containerPort"]
    assert environment(found)["JOURNAL_EXPORTER_METRICS_ADDRESS"].endswith(f":{port}")


def test_exporter_chart_and_zabbix_template_use_the_same_port() -> None:
    own = load({}, {}).settings.metrics_address.rpartition(":")[2]
    (value,) = [one.default for one in flat(VALUES) if one.name == "zabbix.journalExporter.port"]
    macros = {macro.name: macro.value for macro in render.macros(catalogue.load(None))}
    assert own == str(value) == macros["{$NODEOBS.EXPORTER.PORT}"]


def test_every_exporter_metric_in_the_chart_exists() -> None:
    exposed = (ROOT / "tests" / "golden" / "metrics.prom").read_text()
    known = set(re.findall(rf"(?m)^{PREFIX}\w+", exposed)) | {f"{PREFIX}build_info"}
    files = [*CHART.glob("templates/monitoring/*"), *CHART.glob("files/*.json")]
    named = {
        name
        for path in files
        if path.is_file()
        for name in re.findall(rf"\b{PREFIX}[a-z_]+", path.read_text())
    }
    assert len(named) >= 10
    assert named - known == set()


def test_helm_set_can_address_every_value() -> None:
    names = [value.name for value in flat(VALUES)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z0-9./_-]+", name) for name in names)
