"""Conversion: each format in the other, or one line about what the other does not have."""

import pytest

from node_observability.errors import UsageError
from node_observability.inputs.places import Place
from node_observability.parsers.configuration.classic_format import TextFile
from node_observability.parsers.configuration.to_classic import to_classic
from node_observability.parsers.configuration.to_yaml import to_yaml

PROCESSORS = "pipeline:\n  inputs:\n  - name: x\n    processors: {}\n"
VARIABLE_FROM_FILE = "parsers: []\nenv:\n- {name: A, uri: file:///a}\n"
RULES = """\
[MULTILINE_PARSER]
    Name m
    Type regex
    Rule "start_state" "/^\\d+ \\"x\\"/" "cont"
    # more
    Rule "cont" "/^ +/" "cont"
"""


def test_a_file_converted_there_and_back_is_unchanged() -> None:
    text = (
        "@SET A=b\n@INCLUDE x.conf\n\n"
        "# of all\n[SERVICE]\n    Flush        1\n    Parsers_File p.conf\n    Parsers_File q.conf\n\n"
        "[CUSTOM]\n    Name calyptia\n\n"
        "[INPUT]\n    Name tail\n\n"
        "# of it\n[FILTER]\n    Name   modify\n    Add    a b\n    Rename a c\n    Add    it's # \\d\n"
        "@INCLUDE y.conf\n\n"
        "[FILTER]\n    Name parser\n\n[OUTPUT]\n    Name null\n"
    )
    text = text.replace("\n@INCLUDE y", "\n\n@INCLUDE y")
    converted = to_yaml(text, "a.conf")
    assert converted.includes == (("x.conf", "x.yaml"), ("y.conf", "y.yaml"))
    back = to_classic(converted.text, "a.yaml")
    assert back.text == text
    assert back.includes == (("x.yaml", "x.conf"), ("y.yaml", "y.conf"))


def test_a_repeated_key_is_repeated_in_the_same_order() -> None:
    # A list would group the values, and Fluent Bit takes no list of parsers files.
    text = "[SERVICE]\n    Parsers_File a.conf\n    Parsers_File /b/c.conf\n[FILTER]\n    Add a b\n"
    assert to_yaml(text + "    Rename a c\n    Add d e\n", "a.conf").text == (
        "service:\n  parsers_file: a.conf\n  parsers_file: /b/c.conf\n"
        "pipeline:\n  filters:\n    - add: a b\n      rename: a c\n      add: d e\n"
    )


def test_a_filter_before_an_include_stays_before_it() -> None:
    text = "[FILTER]\n    Name a\n@INCLUDE b\n[FILTER]\n    Name c\n[FILTER]\n    Name d\n"
    converted = to_yaml(text, "a.conf")
    assert converted.text == (
        "pipeline:\n  filters:\n    - name: a\nincludes:\n  - b.yaml\n"
        "pipeline:\n  filters:\n    - name: c\n    - name: d\n"
    )
    back = (
        "[FILTER]\n    Name a\n\n@INCLUDE b.conf\n\n[FILTER]\n    Name c\n\n[FILTER]\n    Name d\n"
    )
    assert to_classic(converted.text, "a.yaml").text == back


def test_the_name_of_an_included_file_is_quoted_where_yaml_would_read_another_text() -> None:
    converted = to_yaml("@INCLUDE it's: #1.conf\n", "a.conf").text
    assert converted == "includes:\n  - 'it''s: #1.yaml'\n"
    assert to_classic(converted, "a.yaml").text == "@INCLUDE it's: #1.conf\n"


def test_several_services_are_one_and_several_comments_are_kept() -> None:
    text = "# one\n[SERVICE]\n    # two\n    Flush 1\n# three\n[SERVICE]\n    Grace 2\n# last\n"
    assert to_yaml(text, "a.conf").text == (
        "# one\nservice:\n  # two\n  flush: 1\n# three\n  grace: 2\n# last\n"
    )


def test_comments_above_blank_lines_and_variables_are_kept() -> None:
    text = (
        "# licence\n\n# a\n@SET a=b\n# c\n@SET c=d\n\n# in\n\n[INPUT]\n    Name dummy\n    # end\n"
    )
    assert to_yaml(text, "a.conf").text == (
        "# licence\n# a\n# c\nenv:\n  a: b\n  c: d\n"
        "pipeline:\n  inputs:\n    # in\n    - name: dummy\n# end\n"
    )


def test_rules_of_multiline_parsers_are_converted() -> None:
    yaml = to_yaml(RULES, "a.conf").text
    assert yaml == (
        "multiline_parsers:\n  - name: m\n    type: regex\n    rules:\n"
        "      - state: start_state\n        regex: '/^\\d+ \"x\"/'\n        next_state: cont\n"
        "      # more\n      - state: cont\n        regex: '/^ +/'\n        next_state: cont\n"
    )
    assert to_classic(yaml, "a.yaml").text == RULES.replace("    # more\n", "")


@pytest.mark.parametrize("rule", ['"start_state" "/a/"', '"start_state" "^a " "start_state"'])
def test_a_rule_that_yaml_would_change_is_kept_as_the_line_that_fluent_bit_takes(rule: str) -> None:
    text = f"[MULTILINE_PARSER]\n    Name m\n    Type regex\n    Rule {rule}\n"
    assert to_yaml(text, "a.conf").text.endswith(f"    rule: '{rule}'\n")


def test_the_rule_of_a_rewrite_tag_filter_is_a_text() -> None:
    text = "[FILTER]\n    Name rewrite_tag\n    Rule $log ^(a)$ new.$1 false\n"
    assert to_yaml(text, "a.conf").text.endswith("      rule: '$log ^(a)$ new.$1 false'\n")


@pytest.mark.parametrize(
    ("classic", "yaml"),
    [
        ("[PLUGINS]\n    Path /a.so\n    Path /b.so\n", "plugins:\n  - /a.so\n  - /b.so\n"),
        ("[PLUGINS]\n", "plugins: []\n"),
        (
            "[STREAM_TASK]\n    Name a\n    Exec SELECT 1;\n",
            "stream_processor:\n  - name: a\n    exec: 'SELECT 1;'\n",
        ),
        (
            "[UPSTREAM]\n    Name u\n\n[NODE]\n    Name a\n    Port 1\n\n[NODE]\n    Name b\n",
            "upstream_servers:\n  - name: u\n    nodes:\n      - name: a\n        port: 1\n      - name: b\n",
        ),
        ("[PARSER]\n", "parsers:\n  - {}\n"),
        ("[SERVICE]\n", "service: {}\n"),
    ],
)
def test_a_file_that_another_one_names_is_converted_in_both_directions(
    classic: str, yaml: str
) -> None:
    assert to_yaml(classic, "a.conf").text == yaml
    # The keys of a section are aligned.
    back = "\n".join(" ".join(line.split()) for line in to_classic(yaml, "a.yaml").text.split("\n"))
    assert back == "\n".join(" ".join(line.split()) for line in classic.split("\n"))


@pytest.mark.parametrize(
    ("value", "scalar"),
    [
        ("a b-c./_", "a b-c./_"),
        ("*", "'*'"),
        ("a: b", "'a: b'"),
        ("- a", "'- a'"),
        ("a #b", "'a #b'"),
        ('"a"', "'\"a\"'"),
        ('a\x01"\\é', '"a\\u0001\\"\\\\é"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("a\tb", "'a\tb'"),
    ],
)
def test_a_value_is_quoted_where_yaml_would_read_another_text(value: str, scalar: str) -> None:
    yaml = to_yaml(f"[PARSER]\n    Name {value}\n", "a.conf").text
    assert yaml == f"parsers:\n  - name: {scalar}\n"
    if value.isprintable():
        assert to_classic(yaml, "a.yaml").text == f"[PARSER]\n    Name {value}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PROCESSORS, "4: processors can't be converted; the classic format has no equivalent"),
        ("extensions: {a: b}\nparsers: []\n", "1: extensions can't be converted"),
        (
            "pipeline:\n  inputs:\n  - name: x\n    routes: {logs: []}\n",
            "4: routes can't be converted",
        ),
        (VARIABLE_FROM_FILE, "3: uri can't be converted"),
        ("parsers: []\nenv: {A: ''}\n", "2: env: the variable 'A' with the value '' can't be"),
        ('parsers:\n- name: "p\\n[PARSER]"\n', r"2: 'p\n[PARSER]' has a line break"),
        ('env:\n  A: "b\\n@INCLUDE x"\n', r"2: 'b\n@INCLUDE x' has a line break"),
        ("includes:\n- |\n  a.yaml\n", r"2: 'a.yaml\n': remove the spaces around the name"),
        ('parsers:\n- {? ["a\\nb"] : c}\n', r"2: 'a\nb' has a line break"),
        ("parsers:\n- {name: p, a b: c}\n", "2: the key 'a b' can't be converted"),
        ("parsers:\n- {name: p, '#a': c}\n", "2: the key '#a' can't be converted"),
        ("pipeline: {inputs: [{a: [' p']}]}\n", "1: a: ' p' begins or ends with a space"),
        ("parsers:\n- {name: ''}\n", "2: name: '' is empty"),
        ("service: {}\nparsers:\n- {name: p}\n", "3: parser can't be converted: it must be in a"),
        ("parsers:\n- {name: p, '[a': c}\n", "2: the key '[a' can't be converted"),
        ("parsers:\n- {name: p, '@a': c}\n", "2: the key '@a' can't be converted"),
        ("parsers: []\nenv: {A=B: c}\n", "2: env: the variable 'A=B' with the value 'c' can't be"),
        ("parsers: []\nenv: {A: ' b'}\n", "2: env: the variable 'A' with the value ' b' can't be"),
        ("parsers: []\nenv:\n- {A: b}\n- {B: ''}\n", "4: env: the variable 'B' with the value ''"),
        ("parsers: []\nenv:\n- {name: A, value: ''}\n", "3: env: the variable 'A' with the value"),
        ("parsers: []\nenv: [{value: x}]\n", "2: Fluent Bit ignores this entry of env; remove it"),
        (
            "upstream_servers: [{name: a}, {name: b}]\n",
            "1: upstream can't be converted: the classic",
        ),
        ("other: {}\nparsers: []\n", "1: other can't be converted: Fluent Bit ignores it"),
        (
            'multiline_parsers:\n- rules: [{state: a, regex: "\\\\", next_state: b}]\n',
            '2: the rule "a" "\\" "b" can\'t be converted',
        ),
    ],
)
def test_what_the_classic_format_does_not_have_is_not_converted(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        to_classic(text, "a.yaml")
    assert caught.value.problems[0].startswith(f"a.yaml:{problem}")


def test_a_second_service_in_an_included_file_is_not_converted() -> None:
    files = {"x": "@INCLUDE y\n", "y": "[SERVICE]\n    Flush 1\n", "z": "[INPUT]\n    Name a\n"}

    def open_files(name: str, _place: Place) -> list[TextFile] | None:
        return [(name, files[name], 1)] if name in files else None

    both = "[SERVICE]\n    Grace 1\n@INCLUDE none\n@INCLUDE z\n"
    assert to_yaml(both, "a.conf", open_files).text.startswith("service:\n  grace: 1\n")
    assert to_yaml("@INCLUDE y\n", "a.conf", open_files).text == "includes:\n  - y.yaml\n"
    with pytest.raises(UsageError, match=r"^y:1: a second \[SERVICE\] beside a.conf:1, which YAML"):
        to_yaml(f"{both}@INCLUDE x\n", "a.conf", open_files)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[OTHER]\n    A b\n", "1: [OTHER] can't be converted: Fluent Bit ignores such a section"),
        ("[INPUT]\n[STREAM_TASK]\n    Exec a\n", "2: [STREAM_TASK] can't be converted: Fluent"),
        ("[PLUGINS]\n    Name a\n", "1: [PLUGINS] can't be converted: Fluent Bit ignores all keys"),
        ("[UPSTREAM]\n[UPSTREAM]\n", "2: [UPSTREAM] can't be converted: Fluent Bit uses the first"),
        ("[NODE]\n    Name a\n", "1: [NODE] can't be converted: there is no [UPSTREAM] above it"),
        ("[INPUT]\n    [x] \n    A b\n", "2: the group [x] can't be converted"),
        ("[INPUT]\n@FOO bar\n", "2: Fluent Bit ignores @FOO bar, and it can't be converted"),
    ],
)
def test_what_yaml_does_not_have_is_not_converted(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        to_yaml(text, "a.conf")
    assert caught.value.problems[0].startswith(f"a.conf:{problem}")
