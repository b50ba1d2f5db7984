"""The files of Fluent Bit: the main file includes each of them once, in the order in which records pass."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart.cases import each_case
from tests.support.helm import rendered

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
