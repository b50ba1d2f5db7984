"""The files of Fluent Bit: the main file includes each of them once, in the order in which records pass."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from node_observability.parsers.model.definitions import BUILT_IN_MULTILINE
from tests.support.chart.cases import each_case
from tests.support.helm import RenderError, rendered

NOT_INCLUDED = {"fluent-bit.yaml", "parsers.yaml"}
SECTIONS = {
    "extraInputs": "pipeline: {inputs: [{name: dummy}]}\n",
    "extraFiltersBeforeMetadata": "pipeline: {filters: [{name: stdout, match: '*'}]}\n",
    "extraFilters": "pipeline: {filters: [{name: stdout, match: '*'}]}\n",
    "extraOutputs": "pipeline: {outputs: [{name: stdout, match: '*'}]}\n",
    "extraParsers": "parsers: [{name: own, format: json}]\n",
}
ES = {"output": {"preset": "es"}, "variables": {"NODEOBS_ES_HOST": "h"}}
NONE = {"output": {"preset": "none"}}


def config_maps(case: Path) -> list[dict[str, str]]:
    """Return the files of each Fluent Bit."""
    return [
        found["data"]
        for found in rendered(case)
        if found["kind"] == "ConfigMap" and "fluent-bit.yaml" in found["data"]
    ]


def includes(files: dict[str, str]) -> list[str]:
    found: list[str] = yaml.safe_load(files["fluent-bit.yaml"])["includes"]
    return found


@each_case
def test_the_main_file_includes_every_file_once_and_no_other(case: Path) -> None:
    for files in config_maps(case):
        own = {name for name in files if name.startswith(("service", "input", "filter", "output"))}
        own |= {name for name in files if name.startswith("extra-")}
        assert sorted(includes(files)) == sorted(own)


@pytest.mark.parametrize(
    ("output", "has_metadata"), list(itertools.product((ES, NONE), (True, False)))
)
def test_filters_of_the_user_run_before_and_after_the_metadata_is_added(
    output: dict[str, Any], *, has_metadata: bool, tmp_path: Path
) -> None:
    case = tmp_path / "values.json"
    common = {**output, **SECTIONS, "kubernetesMetadata": has_metadata, "journal": True}
    case.write_text(json.dumps({"fluentBit": {"common": common}}))
    for kind, files in zip(("cri", "docker"), config_maps(case), strict=True):
        wanted = [
            *("service", f"input-{kind}", "input-journal", "extra-filters-before-metadata"),
            *(("filter-kubernetes",) if has_metadata else ()),
            *(() if output is NONE else ("output-es",)),
            *("extra-inputs", "extra-filters", "extra-outputs", "extra-parsers"),
        ]
        assert includes(files) == [f"{name}.yaml" for name in wanted]
        assert files.keys() == {*includes(files), *NOT_INCLUDED}


def test_joined_parts_need_no_exact_time(tmp_path: Path) -> None:
    case = tmp_path / "values.json"
    case.write_text(json.dumps({"fluentBit": {"common": {"partial": "join", "exactTime": True}}}))
    for kind, files in zip(("cri", "docker"), config_maps(case), strict=True):
        assert [name for name in includes(files) if name.startswith("input-")] == [
            f"input-{kind}-join.yaml"
        ]


def refusal(directory: Path, **common: object) -> str:
    case = directory / "values.json"
    case.write_text(json.dumps({"fluentBit": {"common": common}}))
    with pytest.raises(RenderError) as caught:
        rendered(case)
    return str(caught.value)


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize("text", ["[PARSER]\n    Name p\n", "- name: p\n", "just text\n"])
def test_a_text_that_is_no_configuration_in_yaml_is_refused(
    key: str, text: str, tmp_path: Path
) -> None:
    assert f"{key} is not a configuration in YAML, with" in refusal(tmp_path, **{key: text})


@pytest.mark.parametrize("name", [*BUILT_IN_MULTILINE, "Java"])
def test_a_multiline_parser_with_the_name_of_a_built_in_one_is_refused(
    name: str, tmp_path: Path
) -> None:
    text = f"multiline_parsers: [{{name: {name}, type: regex}}]\n"
    wanted = f"extraParsers defines the multiline parser {name}, but Fluent Bit would use its"
    assert wanted in refusal(tmp_path, extraParsers=text)


@pytest.mark.parametrize(
    "name",
    [
        *("fluent-bit", "service", "parsers", "extra-inputs", "extra-filters-before-metadata"),
        *("input-cri", "filter-kubernetes", "output-es"),
    ],
)
def test_a_file_of_the_user_does_not_replace_one_of_the_chart(name: str, tmp_path: Path) -> None:
    files = {f"{name}.yaml": "pipeline: {}\n"}
    wanted = f"extraFiles contains {name}.yaml, which the chart writes itself"
    assert wanted in refusal(tmp_path, extraFiles=files)


def test_a_directory_whose_name_only_begins_like_a_mounted_one_is_refused(tmp_path: Path) -> None:
    wanted = "path contains /var/log/containers-old/*.log, which is outside the directories"
    assert wanted in refusal(tmp_path, path="/var/log/containers-old/*.log")
