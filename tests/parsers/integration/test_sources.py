"""Configurations: both forms, directories and manifests; one line for each thing that is wrong."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.conversion import to_classic, to_yaml
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.model.definitions import build

Write = Callable[[str, str], Path]

CLASSIC = """\
[PARSER]
    Name   p
    Format regex
    # a comment
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
MULTILINE = """\
[MULTILINE_PARSER]
    Name {}
    Type {}
"""
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data:
  parsers.conf: |
    [PARSER]
        Name p
        Format %s
  main.conf: |
    [SERVICE]
        Parsers_File /fluent-bit/etc/parsers.conf
    [INPUT]
        Name tail
        Parser p
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def names(source: str | Path, stdin: str = "") -> list[list[str]]:
    return [
        sorted(build(found, {"SET": "from-env"}).parsers)
        for found in load(str(source), io.StringIO(stdin))
    ]


def problem(source: str | Path, stdin: str = "") -> str:
    with pytest.raises(UsageError) as caught:
        names(source, stdin)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def test_both_forms_give_the_same_parser(write: Write) -> None:
    line = b"7 x"
    (classic,) = load(str(write("a.conf", CLASSIC)), io.StringIO())
    (yaml,) = load(str(write("a.yaml", YAML)), io.StringIO())
    one, other = build(classic, {}).parser("p"), build(yaml, {}).parser("p")
    assert one.parse(line) == other.parse(line) != None  # noqa: E711 - a chain


def test_a_directory_gives_one_configuration_for_each_form(write: Write, tmp_path: Path) -> None:
    write("a.conf", CLASSIC)
    write("a.yaml", YAML)
    write("other.yaml", "replicas: 3\n")
    write("other.conf", "just text\n")
    assert names(tmp_path) == [["p"], ["p"]]


def test_includes_are_followed_once(write: Write, tmp_path: Path) -> None:
    write("p.conf", CLASSIC)
    write("main.conf", "@INCLUDE p.conf\n[SERVICE]\n    Parsers_File p.conf\n")
    assert names(tmp_path) == [["p"]]
    assert names(tmp_path / "main.conf") == [["p"]]
    write("p.yaml", YAML)
    assert names(
        write("main.yaml", "includes:\n  - p.yaml\nservice:\n  parsers_file: p.conf\n")
    ) == [["p"]]


def test_an_include_with_a_star_takes_every_file(write: Write) -> None:
    write("x1.conf", CLASSIC)
    write("x2.conf", CLASSIC.replace("Name   p", "Name q"))
    assert names(write("main.conf", "@INCLUDE x*.conf\n")) == [["p", "q"]]


def test_variables_are_those_of_the_file_and_then_of_the_environment(write: Write) -> None:
    text = "@SET A=one\n" + CLASSIC.replace("Name   p", "Name ${A}-${SET}-${NONE}")
    assert names(write("a.conf", text)) == [["one-from-env-"]]
    assert names(write("a.yaml", "env: {A: one}\n" + YAML.replace("name: p", "name: ${A}"))) == [
        ["one"]
    ]


def test_a_manifest_gives_a_configuration_for_each_config_map_and_form() -> None:
    stdin = (MANIFEST % "json") + "---\n" + (MANIFEST % "json").replace("name: one", "name: two")
    found = load("-", io.StringIO(stdin))
    assert [configuration.label for configuration in found] == [
        "ConfigMap/one (classic)",
        "ConfigMap/two (classic)",
    ]
    assert names("-", stdin) == [["p"], ["p"]]
    assert all(not configuration.missing for configuration in found)


def test_an_error_in_a_manifest_names_the_line_of_the_manifest() -> None:
    assert problem("-", MANIFEST % "jsno").startswith(
        "standard input:8: parser p has unknown Format 'jsno'"
    )


def test_secrets_hold_files_too() -> None:
    stdin = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n"
        "  stringData:\n    a.yaml: |\n      parsers:\n        - {name: p, format: json}\n"
        "  data:\n    b.conf: W1BBUlNFUl0KICAgIE5hbWUgcQogICAgRm9ybWF0IGpzb24K\n    c.p12: /w==\n"
    )
    assert names("-", stdin) == [["p"], ["q"]] or names("-", stdin) == [["q"], ["p"]]
    broken = "standard input:13: Secret/s: c.p12 is no base64 "
    assert problem("-", stdin.replace("/w==", "'!'")).startswith(broken)
    assert problem("-", stdin.replace("/w==", "é")).startswith(broken)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.conf", "[PARSER\n", ":1: [PARSER is no section header"),
        ("a.conf", "[PARSER]\n    Name\n", ":2: the key Name has no value"),
        (
            "a.conf",
            "[PARSER]\n    Name p\n  Format json\n",
            ":3: 'Format json' is not indented like",
        ),
        (
            "a.conf",
            "[PARSER]\n    Name p\n      Format json\n",
            ":3: 'Format json' is indented deeper",
        ),
        ("a.conf", "[PARSER]\nName p\n", ":2: 'Name p' is not indented"),
        ("a.conf", "  Name p\n[PARSER]\n", ":1: the key Name stands before any"),
        ("a.conf", "[PARSER]\n    Format json\n", ":1: a parser without a Name"),
        ("a.conf", "[PARSER]\n    Name p\n", ":1: parser p has no Format; it can be regex"),
        (
            "a.conf",
            "[PARSER]\n    Name p\n    Format xml\n",
            ":3: parser p has unknown Format 'xml'",
        ),
        (
            "a.conf",
            "[PARSER]\n    Name p\n    Format regex\n",
            ":1: parser p has Format regex and no Regex",
        ),
        (
            "a.conf",
            CLASSIC.replace(".*)$", ".*$"),
            ":5: parser p has a broken Regex: the ( is not closed",
        ),
        ("a.conf", CLASSIC + "    Time_Offset 9\n", ":7: parser p: Time_Offset 9 is no offset"),
        (
            "a.conf",
            "[MULTILINE_PARSER]\n    Name m\n    Type x\n",
            ":3: multiline parser m has unknown Type",
        ),
        ("a.conf", "[MULTILINE_PARSER]\n    Name m\n", ":1: multiline parser m has no Type"),
        (
            "a.conf",
            "[MULTILINE_PARSER]\n    Name m\n    Type eq\n    Parser q\n",
            ":4: multiline parser m names",
        ),
        ("a.conf", "\ufeff" + CLASSIC, ":1: the file begins with a byte order mark"),
        ("a.conf", "nothing\n", ": no [PARSER] and no other section"),
        ("a.yaml", "parsers: [\n", ":2: this is no YAML"),
        ("a.yaml", "a: 1\nparsers: " + "[" * 200_000, ":2: the nesting is too deep: more than 100"),
        ("a.yaml", "&a {parsers: [*a]}\n", ":1: an anchor (&) contains itself: a"),
        ("a.yaml", "parsers: {}\n", ":1: parsers must be a list"),
        ("a.yaml", "parsers:\n- x\n", ":2: an entry of parser must be a mapping"),
        (
            "a.yaml",
            "parsers: []\nparzers: []\n",
            ":2: there is no section parzers, Fluent Bit passes",
        ),
        ("a.yaml", "parsers: []\nenv:\n- {value: x}\n", ":3: an entry of env needs a name"),
        ("a.yaml", "pipeline:\n  input: []\n", ":2: pipeline has no input; it has inputs"),
        ("a.yaml", "a: 1\n", ": neither a Fluent Bit configuration nor"),
        ("a.yaml", "data: {{ .Values.x }}\n", ": this is a template; render it first"),
        ("a.yaml", "# {{ x }}\na: 1\n", ": this is a template; render it first"),
    ],
)
def test_what_can_not_be_used_is_one_line_with_its_place(
    name: str, text: str, expected: str, write: Write
) -> None:
    path = write(name, text)
    text = problem(path)
    assert text.startswith(str(path))
    assert expected in text


def test_a_missing_file_an_empty_directory_and_odd_bytes_are_named(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.conf").endswith("none.conf: no such file")
    assert "no Fluent Bit configuration among its" in problem(tmp_path)
    (tmp_path / "a.conf").write_bytes(b"[PARSER]\n\xff")
    assert problem(tmp_path / "a.conf").endswith("not UTF-8 (byte 10)")


def test_a_file_without_a_suffix_may_be_a_manifest(write: Write) -> None:
    assert names(write("manifest", MANIFEST % "json")) == [["p"]]
    assert names(write("classic", CLASSIC)) == [["p"]]


def test_a_manifest_without_parsers_is_refused() -> None:
    assert problem("-", "apiVersion: v1\nkind: Pod\n").startswith(
        "standard input: no ConfigMap in it"
    )
    assert problem("-", "a: 1\n").startswith("standard input: no Kubernetes object")


def test_all_broken_sections_are_told_at_once(write: Write) -> None:
    path = write("a.conf", "[PARSER]\n    Name a\n[PARSER]\n    Name b\n")
    with pytest.raises(UsageError) as caught:
        names(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("    Decode_Field json log\n", "Decode_Field is not modelled"),
        ("    Time_Zone Asia/Seoul\n", "Time_Zone is not modelled"),
        ("    Time_System_Timezone On\n", "Time_System_Timezone is not modelled"),
    ],
)
def test_what_is_not_modelled_is_refused_when_it_is_asked_for(
    extra: str, reason: str, write: Write
) -> None:
    (found,) = load(str(write("a.conf", CLASSIC + extra)), io.StringIO())
    definitions = build(found, {})
    with pytest.raises(UsageError, match=reason):
        definitions.parser("p")


def test_a_parser_that_is_not_there_is_named_with_those_that_are(write: Write) -> None:
    (found,) = load(str(write("a.conf", CLASSIC)), io.StringIO())
    with pytest.raises(UsageError, match="there is no parser q; defined: p"):
        build(found, {}).parser("q")
    with pytest.raises(UsageError, match="type regex, which is not modelled"):
        build(found, {}).multiline_parser("java")


def test_conversion_gives_back_what_it_was_given() -> None:
    text = (
        "# of all\n[SERVICE]\n    Flush        1\n    Parsers_File p.conf\n\n"
        "# of p\n[PARSER]\n    Name  p\n    Regex it's # \\d\n\n"
        "[INPUT]\n    Name tail\n\n[FILTER]\n    Name   parser\n    Parser a\n    Parser b\n"
    )
    yaml = to_yaml("@SET A=b\n@INCLUDE x.conf\n" + text, "a.conf")
    assert "parsers_file: p.yaml" in yaml
    assert "regex: 'it''s # \\d'" in yaml
    assert to_classic(yaml, "a.yaml") == "@SET A=b\n@INCLUDE x.conf\n\n" + text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "multiline_parsers:\n- name: m\n  type: regex\n  rules: []\n",
            "a.yaml:4: rules is not converted",
        ),
        (
            "pipeline:\n  inputs:\n  - name: x\n    processors: {}\n",
            "a.yaml:4: processors is not converted",
        ),
        (
            "parsers: []\nenv:\n- {name: A, value: b}\n",
            "a.yaml:2: a list under env is not converted",
        ),
    ],
)
def test_what_only_yaml_has_is_not_converted(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        to_classic(text, "a.yaml")


def test_rules_of_the_classic_form_are_not_converted() -> None:
    with pytest.raises(UsageError, match=r"a.conf:4: rule is not converted"):
        to_yaml(
            '[MULTILINE_PARSER]\n    Name m\n    Type regex\n    Rule "start_state" "/a/" "cont"\n',
            "a.conf",
        )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('parsers:\n- name: "p\\n[PARSER]"\n', "a.yaml:2: 'p\\n[PARSER]' has a line break"),
        ('env:\n  A: "b\\n@INCLUDE x"\n', "a.yaml:2: 'b\\n@INCLUDE x' has a line break"),
        ("includes:\n- |\n  a.yaml\n", "a.yaml:2: 'a.yaml\\n' has a line break"),
        ("parsers:\n- {name: p, a b: c}\n", "a.yaml:2: the key 'a b' can't be written"),
        ("parsers:\n- {name: p, '#a': c}\n", "a.yaml:2: the key '#a' can't be written"),
        (
            "parsers:\n- {name: ' p'}\n",
            "a.yaml:2: name: ' p' is empty, or begins or ends with a space",
        ),
        ("parsers:\n- {name: ''}\n", "a.yaml:2: name: '' is empty"),
    ],
)
def test_what_the_classic_form_would_read_as_something_else_is_refused(
    text: str, error: str
) -> None:
    with pytest.raises(UsageError) as caught:
        to_classic(text, "a.yaml")
    assert caught.value.problems[0].startswith(error)


def test_an_empty_section_is_converted_both_ways() -> None:
    assert to_classic("parsers:\n- {}\n", "a.yaml") == "[PARSER]\n"
    assert to_yaml("[PARSER]\n", "a.conf") == "parsers:\n  - {}\n"


def test_only_what_may_lie_in_a_container_may_be_missing(write: Write) -> None:
    for name in ("/x/y.conf", "parsers.conf", "conf.d/*.conf", "${DIR}/x.conf", "**x.conf"):
        text = f"[SERVICE]\n    Parsers_File {name}\n"
        (found,) = load(str(write("main.conf", text)), io.StringIO())
        assert [item.value for item in found.missing] == [name]
    text = "[SERVICE]\n    Parsers_File a.conf\n    Parsers_File b.conf\n"
    with pytest.raises(UsageError) as caught:
        load(str(write("main.conf", text)), io.StringIO())
    assert [problem.rpartition("/")[2] for problem in caught.value.problems] == [
        "main.conf:2: Parsers_File: no file a.conf",
        "main.conf:3: Parsers_File: no file b.conf",
    ]


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
    (found,) = load(str(write("main.yaml", text)), io.StringIO())
    assert [section.kind for section in found.sections] == ["service", "parser", "input"]
    assert found.variables == {"FORMAT": "json"}
    assert list(build(found, {}).parsers) == ["p"]


def test_of_multiline_parsers_with_one_name_the_first_counts_and_fluent_bits_own_before_it(
    write: Write,
) -> None:
    sections = "".join(
        f"[MULTILINE_PARSER]\n    Name {name}\n    Type equal\n    Match_String {match}\n"
        for name, match in (("App", "one"), ("aPP", "two"), ("CRI", "three"))
    )
    (found,) = load(str(write("main.conf", sections)), io.StringIO())
    definitions = build(found, {})
    assert definitions.multiline_parser("APP").match == b"one"
    assert definitions.multiline_parser("Cri").match != b"three"
