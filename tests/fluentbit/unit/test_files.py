"""The files in fluentbit/: every name is defined, every parser has cases, and no file contains a secret."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.parsers.cases.files import find, read
from node_observability.parsers.cases.runner import run_all
from node_observability.parsers.configuration.sections import Configuration
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.configuration.stock import STOCK_PARSERS
from node_observability.parsers.configuration.to_classic import to_classic
from node_observability.parsers.configuration.to_yaml import to_yaml
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import Definitions, build
from tests.support.paths import ROOT
from tests.support.pipeline import defaults

FLUENTBIT = ROOT / "fluentbit"
PRESETS = {
    "stdout",
    "forward",
    "http",
    "es",
    "opensearch",
    "loki",
    "opentelemetry",
    "splunk",
    "datadog",
    "cloudwatch_logs",
    "s3",
    "kinesis_firehose",
    "kafka",
}
SOURCES = sorted(path for path in FLUENTBIT.glob("*.yaml") if path.name != "parsers.yaml")
CLASSIC_HEAD = """\
# Made from parsers.yaml by `make goldens`, for pipelines that are still in the classic format.

"""
# The parsers of the post from which the project grew, byte by byte.
POST_REGEX = "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<log>.*)$"
POST_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%L%z"
POST_DOCKER_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%L"


@pytest.fixture(scope="module")
def configurations() -> list[Configuration]:
    return load(str(FLUENTBIT))


@pytest.fixture(scope="module")
def definitions(configurations: list[Configuration]) -> list[Definitions]:
    return [build(configuration, {}) for configuration in configurations]


def test_parsers_conf_has_the_parsers_of_parsers_yaml(golden: Callable[[str, str], None]) -> None:
    yaml = (FLUENTBIT / "parsers.yaml").read_text()
    classic = to_classic(yaml, "parsers.yaml").text
    golden("../../fluentbit/parsers.conf", CLASSIC_HEAD + classic)
    assert yaml.endswith(f"\n\n{to_yaml(classic, 'parsers.conf').text}")


def test_the_configuration_has_no_findings(
    configurations: list[Configuration], definitions: list[Definitions]
) -> None:
    assert [configuration.label.rpartition(" ")[2] for configuration in configurations] == [
        "(classic)",
        "(YAML)",
    ]
    for configuration, found in zip(configurations, definitions, strict=True):
        assert lint(configuration, found) == []


def sections(directory: Path, form: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return kind and properties of all sections; ``parsers.conf`` counts as ``parsers.yaml``."""
    (configuration,) = [found for found in load(str(directory)) if found.label.endswith(form)]
    return sorted(
        (
            section.kind,
            sorted(
                (item.key.lower(), item.value.replace("parsers.conf", "parsers.yaml"))
                for item in section.properties
            ),
        )
        for section in configuration.sections
    )


def test_pipelines_keep_their_sections_in_the_classic_format_and_back(tmp_path: Path) -> None:
    for path in FLUENTBIT.glob("*.yaml"):
        classic = to_classic(path.read_text(), path.name).text
        # A parsers file may have the other format, so conversion keeps its name.
        own = classic.replace("parsers.yaml", "parsers.conf")
        (tmp_path / f"{path.stem}.conf").write_text(own)
        (tmp_path / path.name).write_text(to_yaml(classic, f"{path.stem}.conf").text)
    ours = sections(FLUENTBIT, "(YAML)")
    assert len(ours) > len(SOURCES)
    assert sections(tmp_path, "(classic)") == sections(tmp_path, "(YAML)") == ours


def test_the_production_parsers_are_unchanged(configurations: list[Configuration]) -> None:
    for configuration in configurations:
        sections = {section.name: section for section in configuration.sections_of("parser")}
        cri, docker = sections["nodeobs_cri"], sections["nodeobs_docker"]
        assert cri.value("regex") == POST_REGEX
        assert (cri.value("time_key"), cri.value("time_format")) == ("time", POST_TIME_FORMAT)
        assert cri.value("skip_empty_values") == "Off"
        assert docker.value("format") == "json"
        assert (docker.value("time_key"), docker.value("time_format")) == (
            "time",
            POST_DOCKER_TIME_FORMAT,
        )


def test_no_parser_has_the_name_of_a_stock_parser(definitions: list[Definitions]) -> None:
    for found in definitions:
        assert all(name.startswith("nodeobs_") for name in found.places)
        assert not STOCK_PARSERS & found.places.keys()


def test_each_parser_reads_the_line_in_the_comment_above_it(definitions: list[Definitions]) -> None:
    text = (FLUENTBIT / "parsers.yaml").read_text().partition("multiline_parsers:")[0]
    samples = re.findall(r"^  # (.*)\n  - name: (\S+)$", text, re.MULTILINE)
    assert {name for _, name in samples} == set(definitions[1].parsers)
    for line, name in samples:
        parsed = definitions[1].parser(name).parse(line.encode())
        assert parsed is not None, line
        assert parsed.has_time, line


def test_the_corpus_passes_in_both_formats(definitions: list[Definitions]) -> None:
    outcomes = run_all([read(path) for path in find([FLUENTBIT / "cases"])], definitions)
    assert {outcome.label for outcome in outcomes} == {found.label for found in definitions}
    assert [outcome for outcome in outcomes if outcome.differences] == []


def test_the_corpus_is_large_and_names_a_writer_for_every_case() -> None:
    files = [read(path) for path in find([FLUENTBIT / "cases"])]
    cases = [(file, case) for file in files for case in file.cases]
    assert sum(len(case.lines) for _, case in cases) >= 150
    assert all(case.writer or file.writer for file, case in cases)
    assert all(case.expected is not None for _, case in cases)


def test_every_parser_is_in_a_case_file(definitions: list[Definitions]) -> None:
    used = {name for path in find([FLUENTBIT / "cases"]) for name in read(path).names}
    joining = {
        "nodeobs_cri_join": "nodeobs_cri_part_fraction",
        "nodeobs_cri_join_second": "nodeobs_cri_part_second",
    }
    used |= {joining[name] for name in used & joining.keys()}
    assert definitions[0].places.keys() <= used


def test_every_variable_has_a_default_and_every_default_is_used() -> None:
    used = {name for path in SOURCES for name in re.findall(r"\$\{(\w+)\}", path.read_text())}
    assert used == defaults().keys()


def test_secrets_come_only_from_the_environment(configurations: list[Configuration]) -> None:
    secrets = {
        item.value
        for configuration in configurations
        for section in configuration.sections_of("output")
        for item in section.properties
        if re.search(r"passw|secret|shared_key|apikey|token", item.key, re.IGNORECASE)
    }
    assert secrets
    assert all(re.fullmatch(r"\$\{NODEOBS_\w+(?:PASSWORD|KEY|TOKEN)\}", value) for value in secrets)
    assert all(
        not value
        for name, value in defaults().items()
        if name.endswith(("PASSWORD", "KEY", "TOKEN"))
    )


def test_every_preset_has_an_output_file(configurations: list[Configuration]) -> None:
    names = {section.name for section in configurations[1].sections_of("output")}
    assert (
        names
        == PRESETS
        == {path.stem.removeprefix("output-") for path in FLUENTBIT.glob("output-*.yaml")}
    )


def test_every_input_keeps_its_offsets_and_its_buffer_on_disk(
    configurations: list[Configuration],
) -> None:
    for section in configurations[1].sections_of("input"):
        assert section.value("db").startswith("${NODEOBS_STATE_DIR}/")
        assert section.value("storage.type") == "filesystem"
        if section.value("alias") == "containers":
            assert section.value("exclude_path") == "${NODEOBS_EXCLUDE_LOGS}"
            assert int(section.value("rotate_wait")) >= 60
