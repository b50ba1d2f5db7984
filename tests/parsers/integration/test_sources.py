"""Sources: files of both formats, directories and manifests, and the files that they include."""

import io
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.sources import load
from tests.support.parsers import (
    Write,
    configuration_of,
    definitions_of,
    parser_names_of,
    problem_of,
)

CLASSIC = """\
[PARSER]
    Name   p
    Format regex
    Regex  ^(?<time>[^ ]+) (?<log>.*)$
    Time_Format %s
"""
YAML = """\
parsers:
  - name: p
    format: regex
    regex: '^(?<time>[^ ]+) (?<log>.*)$'
    time_format: '%s'
"""
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data:
  parsers.conf: |
    [PARSER]
        Name p
        Format json
  main.conf: |
    [SERVICE]
        Parsers_File /fluent-bit/etc/parsers.conf
    [INPUT]
        Name tail
        Parser p
"""
KUBERNETES_LIST = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {name: s}
  stringData:
    a.yaml: |
      parsers:
        - {name: p, format: json}
  data:
    b.conf: W1BBUlNFUl0KICAgIE5hbWUgcQogICAgRm9ybWF0IGpzb24K
    c.p12: /w==
"""


def test_both_formats_give_the_same_parser(write: Write) -> None:
    classic, yaml = (
        definitions_of(write(name, text)).parser("p").parse(b"7 x")
        for name, text in (("a.conf", CLASSIC), ("a.yaml", YAML))
    )
    assert classic is not None
    assert classic == yaml


def test_a_directory_gives_one_configuration_per_format(write: Write, tmp_path: Path) -> None:
    write("a.conf", CLASSIC)
    write("a.yaml", YAML)
    write("other.yaml", "replicas: 3\n")
    write("other.conf", "just text\n")
    assert parser_names_of(tmp_path) == [["p"], ["p"]]


def test_includes_are_followed_once(write: Write, tmp_path: Path) -> None:
    write("p.conf", CLASSIC)
    main = write("main.conf", "@INCLUDE p.conf\n[SERVICE]\n    Parsers_File p.conf\n")
    assert parser_names_of(tmp_path) == parser_names_of(main) == [["p"]]
    write("p.yaml", YAML)
    main = write("main.yaml", "includes:\n  - p.yaml\nservice:\n  parsers_file: p.conf\n")
    assert parser_names_of(main) == [["p"]]


def test_an_include_with_a_pattern_reads_every_matching_file(write: Write) -> None:
    write("x1.conf", CLASSIC)
    write("x2.conf", CLASSIC.replace("Name   p", "Name q"))
    assert parser_names_of(write("main.conf", "@INCLUDE x*.conf\n")) == [["p", "q"]]


def test_a_file_that_is_included_or_read_twice_is_refused_as_fluent_bit_refuses_it(
    write: Write,
) -> None:
    write("p.conf", CLASSIC)
    write("p.yaml", YAML)
    main = write("main.conf", "@INCLUDE p.conf\n@INCLUDE p.conf\n")
    assert problem_of(main).startswith(f"{main}:2: p.conf is included a second time, which")
    main = write("main.yaml", "includes:\n- p.yaml\n- p.yaml\n")
    assert problem_of(main).startswith(f"{main}:3: p.yaml is included a second time, which")
    main = write("main.conf", "[SERVICE]\n    Parsers_File p.conf\n    Parsers_File p.conf\n")
    assert problem_of(main).startswith(f"{main}:3: p.conf is read a second time, so its parsers")


def test_names_in_included_files_begin_where_the_main_file_is_in_the_classic_format(
    write: Write,
) -> None:
    write("sub/a.conf", "@INCLUDE other/b.conf\n")
    write("other/b.conf", CLASSIC)
    assert parser_names_of(write("main.conf", "@INCLUDE sub/a.conf\n")) == [["p"]]


def test_an_absolute_name_is_not_taken_for_the_file_that_includes_it(write: Write) -> None:
    found = configuration_of(write("main.conf", "@INCLUDE /fluent-bit/etc/main.conf\n"))
    assert [item.value for item in found.missing] == ["/fluent-bit/etc/main.conf"]


def test_keys_in_camel_case_are_those_with_underscores(write: Write) -> None:
    found = configuration_of(write("a.yaml", "service: {parsersFile: /x.conf, logLevel: info}\n"))
    assert [item.key for item in found.sections[0].properties] == ["parsers_file", "log_level"]


def test_the_groups_of_a_section_are_not_its_keys(write: Write) -> None:
    text = "[INPUT]\n    Name a\n    [x] \n        B c\n    D e\n        F g\n"
    (section,) = configuration_of(write("a.conf", text)).sections
    assert [item.key for item in section.properties] == ["Name", "D", "F"]
    assert [(group.name, len(group.properties)) for group in section.groups] == [("x", 1)]


@pytest.mark.parametrize(
    ("header", "kind"),
    [("IN", "input"), ("Inputs", "input"), ("CUSTOM", "custom"), ("STREAM_TASK", "stream_task")],
)
def test_a_header_is_read_as_fluent_bit_reads_it(header: str, kind: str, write: Write) -> None:
    text = f"[SERVICE]\n    Flush 1\n[{header}]\n    Name a\n[NONE]\n    Name b\n"
    kinds = [section.kind for section in configuration_of(write("a.conf", text)).sections]
    assert kinds == ["service", kind, ""]


def test_variables_of_the_file_win_over_those_of_the_environment(write: Write) -> None:
    text = "@SET  A=one  \n" + CLASSIC.replace("Name   p", "Name ${A}-${SET}-${NONE}")
    assert parser_names_of(write("a.conf", text), SET="from-env") == [["one-from-env-"]]
    text = "env: {A: one}\n" + YAML.replace("name: p", "name: ${A}")
    assert parser_names_of(write("a.yaml", text)) == [["one"]]


def test_a_manifest_gives_one_configuration_per_config_map_and_format() -> None:
    stdin = f"{MANIFEST}---\n{MANIFEST.replace('name: one', 'name: two')}"
    found = load("-", io.BytesIO(stdin.encode()))
    assert [configuration.label for configuration in found] == [
        "ConfigMap/one (classic)",
        "ConfigMap/two (classic)",
    ]
    assert parser_names_of("-", stdin) == [["p"], ["p"]]
    assert all(not configuration.missing for configuration in found)


def test_an_error_in_a_manifest_names_the_line_of_the_manifest() -> None:
    assert problem_of("-", MANIFEST.replace("json", "jsno")).startswith(
        "standard input:8: parser p: unknown Format 'jsno'"
    )


def test_files_in_secrets_are_read_too() -> None:
    assert sorted(parser_names_of("-", KUBERNETES_LIST)) == [["p"], ["q"]]
    broken = "standard input:13: Secret/s: c.p12 is not valid base64 "
    assert problem_of("-", KUBERNETES_LIST.replace("/w==", "'!'")).startswith(broken)
    assert problem_of("-", KUBERNETES_LIST.replace("/w==", "é")).startswith(broken)


def test_a_missing_file_an_empty_directory_and_bytes_that_are_not_utf_8_are_reported(
    tmp_path: Path,
) -> None:
    assert problem_of(tmp_path / "none.conf").endswith(
        "none.conf: can't be read: No such file or directory"
    )
    assert "none of its *.conf and *.yaml files is a Fluent Bit configuration" in problem_of(
        tmp_path
    )
    (tmp_path / "a.conf").write_bytes(b"[PARSER]\n\xff")
    assert problem_of(tmp_path / "a.conf").endswith("not UTF-8 (byte 10)")


def test_a_file_without_a_suffix_may_be_a_manifest(write: Write) -> None:
    assert parser_names_of(write("manifest", MANIFEST)) == [["p"]]
    assert parser_names_of(write("classic", CLASSIC)) == [["p"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apiVersion: v1\nkind: Pod\n", "standard input: none of its ConfigMaps and Secrets"),
        ("a: 1\n", "standard input: has no Kubernetes object"),
    ],
)
def test_a_manifest_without_parsers_is_refused(text: str, expected: str) -> None:
    assert problem_of("-", text).startswith(expected)


@pytest.mark.parametrize(
    "name", ["/x/y.conf", "parsers.conf", "conf.d/*.conf", "${DIR}/x.conf", "**x.conf"]
)
def test_a_file_that_may_be_in_the_image_may_be_missing(name: str, write: Write) -> None:
    found = configuration_of(write("main.conf", f"[SERVICE]\n    Parsers_File {name}\n"))
    assert [item.value for item in found.missing] == [name]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.conf", "@INCLUDE no.conf\n", ":1: @INCLUDE: no such file: no.conf"),
        ("a.yaml", "includes:\n- no.yaml\n", ":2: includes: no such file: no.yaml"),
    ],
)
def test_a_missing_file_that_another_one_includes_is_reported(
    name: str, text: str, expected: str, write: Write
) -> None:
    path = write(name, text)
    assert problem_of(path) == f"{path}{expected}"


def test_all_missing_files_are_reported_at_once(write: Write) -> None:
    path = write("main.conf", "[SERVICE]\n    Parsers_File a.conf\n    Parsers_File b.conf\n")
    with pytest.raises(UsageError) as caught:
        configuration_of(path)
    assert caught.value.problems == (
        f"{path}:2: Parsers_File: no such file: a.conf",
        f"{path}:3: Parsers_File: no such file: b.conf",
    )


def test_yaml_sections_are_read_as_fluent_bit_reads_them(write: Write) -> None:
    text = """\
env:
- {name: FORMAT, value: json}
- {name: TOKEN, uri: file:///run/secrets/token, refresh_interval: 60}
extensions: {a: b}
x-team: {owner: sre}
Service: {flush: 1}
Parsers:
- {Name: p, Format: "${FORMAT}"}
Pipeline:
  Inputs:
  - {name: dummy, parser: p}
"""
    path = write("main.yaml", text)
    found = configuration_of(path)
    # Fluent Bit ignores x-team.
    assert [section.kind for section in found.sections] == ["", "service", "parser", "input"]
    assert found.variables == {"FORMAT": "json"}
    assert parser_names_of(path) == [["p"]]


def test_a_streams_file_that_does_not_exist_is_ignored_as_fluent_bit_ignores_it(
    write: Write,
) -> None:
    found = configuration_of(write("main.conf", "[SERVICE]\n    Streams_File no.conf\n"))
    assert [(item.key, item.value) for item in found.ignored] == [("Streams_File", "no.conf")]


def test_the_suffix_decides_about_the_format(write: Write) -> None:
    write("p.conf", "# nothing but a comment\n")
    assert parser_names_of(write("main.conf", "[SERVICE]\n    Parsers_File p.conf\n")) == [[]]
    path = write("a.yaml", "[PARSER]\n    Name p\n")
    assert problem_of(path).startswith(f"{path}:2: not YAML")
