"""Definitions: one line with its place for each section that Fluent Bit would refuse."""

import pytest

from node_observability.errors import UsageError
from tests.support.parsers import Write, definitions_of, problem_of

CLASSIC = """\
[PARSER]
    Name   p
    Format regex
    # a comment
    Regex  ^(?<time>[^ ]+) (?<log>.*)$
    Time_Format %s
"""
MULTILINE = "[MULTILINE_PARSER]\n    Name m\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[PARSER\n", ":1: [PARSER is not a section header"),
        ("[PARSER]\n    Name\n", ":2: the key Name has no value"),
        ("[PARSER]\n    Name p\n  Format json\n", ":3: 'Format json' is not indented like"),
        (
            "[PARSER]\n    Name p\n      Format json\n",
            ":3: 'Format json' is indented by 6; the first",
        ),
        (
            "[PARSER]\n    Name p\n      \n",
            ":3: this blank line is indented by 6; the first line is by",
        ),
        (
            "[PARSER]\n    Name p\n  \n",
            ":3: this blank line is not indented like the lines above it",
        ),
        ("[PARSER]\n   \n    Name p\n", ":3: 'Name p' is indented by 4; the first line is by 3"),
        ("[PARSER]\n\tName p\n    Format json\n", ":3: 'Format json' is not indented like"),
        ("[PARSER]\n    Name\tp\n", ":2: the key Name has no value; separate them by a space"),
        ("[PARSER]\n    Name  \n", ":2: the key Name has no value; add one"),
        ("[PARSER]\n    [x]\n", ":2: the key [x] has no value"),
        ("[PARSER]\n    [x \n", ":2: [x  is not a group"),
        ("@SET\n[PARSER]\n", ":1: @SET has no value"),
        ("@INCLUDE x.conf \n", ":1: @INCLUDE 'x.conf ': remove the spaces around the name"),
        ("[PARSER]\nName p\n", ":2: 'Name p' is not indented"),
        ("  Name p\n[PARSER]\n", ":1: the key Name stands before the first"),
        ("[PARSER]\n    Format json\n", ":1: this parser has no Name"),
        ("[PARSER]\n    Name p\n", ":1: parser p has no Format; use one of regex"),
        ("[PARSER]\n    Name p\n    Format xml\n", ":3: parser p: unknown Format 'xml'"),
        ("[PARSER]\n    Name p\n    Format regex\n", ":1: parser p has Format regex but no Regex"),
        (
            CLASSIC.replace(".*)$", ".*$"),
            ":5: parser p has an invalid Regex: the ( is not closed",
        ),
        (CLASSIC + "    Time_Offset 9\n", ":7: parser p: Time_Offset 9 is not a valid offset"),
        (MULTILINE + "    Type x\n", ":3: multiline parser m: unknown Type"),
        (MULTILINE, ":1: multiline parser m has no Type"),
        (CLASSIC + "    Time_Zone No/where\n", ":7: parser p: unknown Time_Zone No/where"),
        (
            CLASSIC + "    Time_Zone UTC\n    Time_Offset +0900\n",
            ":7: parser p: Time_Zone and Time_Offset",
        ),
        (
            "[PARSER]\n    Name p\n    Format json\n    Time_Zone UTC\n",
            ":4: parser p: Time_Zone needs a Time_Format",
        ),
        (
            f'{MULTILINE}    Type regex\n    Rule "cont" "/a/" "cont"\n',
            ":4: multiline parser m: the first rule has the state cont; it must have start_state",
        ),
        (
            f'{MULTILINE}    Type regex\n    Rule "start_state" "/a/" "start_sate"\n',
            ":4: multiline parser m: the next state start_sate is the state of no rule; did you mean",
        ),
        (
            f'{MULTILINE}    Type regex\n    Rule "start_state" "/(a/" "start_state"\n',
            ":4: multiline parser m: the rule has an invalid regex: the ( is not closed",
        ),
        (
            f'{MULTILINE}    Type regex\n    Rule "," "/a/"\n',
            ":4: multiline parser m: this rule has no state",
        ),
        (
            f'{MULTILINE}    Type regex\n    Rule "start_state"\n',
            ':4: Rule "start_state" lacks its regex, so Fluent Bit does not start; write it like',
        ),
        ("\ufeff" + CLASSIC, ":1: the file begins with a byte order mark"),
        ("nothing\n", ": has no section such as [PARSER]"),
    ],
)
def test_a_mistake_in_the_classic_format_is_one_line_with_its_place(
    text: str, expected: str, write: Write
) -> None:
    path = write("a.conf", text)
    assert problem_of(path).startswith(f"{path}{expected}")


@pytest.mark.parametrize(
    "rules",
    [
        "",
        '    Rule "start_state, cont" /a/ cont\n    Rule "cont" "/b \\"c\\"/" "cont"\n',
        "    Rule start_state /a/\n",
        '    Rule "start_state" "/\\p{Alpha}+/" "start_state"\n',
        '    Rule "start_state" "/a/" "x"\n    Rule "x" "/b/" "x" "rest"\n',
    ],
)
def test_rules_with_which_fluent_bit_starts_are_accepted(rules: str, write: Write) -> None:
    definitions = definitions_of(write("a.conf", f"{MULTILINE}    Type regex\n{rules}"))
    with pytest.raises(UsageError, match="Type regex is not supported; equal and endswith are"):
        definitions.multiline_parser("m")


def test_a_rule_in_yaml_needs_all_three_parts(write: Write) -> None:
    text = "multiline_parsers:\n- name: m\n  type: regex\n  rules:\n  - {state: start_state, regex: a}\n"
    path = write("a.yaml", text)
    assert (
        problem_of(path)
        == f"{path}:5: this rule has no next_state, so Fluent Bit does not start; add it"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parsers: [\n", ":2: not YAML"),
        ("a: 1\nparsers: " + "[" * 200_000, ":2: nested more than 100 levels deep"),
        ("&a {parsers: [*a]}\n", ":1: an alias (*) refers to the value that contains it"),
        ("parsers: {}\n", ":1: parsers must be a list"),
        ("parsers:\n- x\n", ":2: an entry of parser must be a mapping"),
        ("parsers: []\nparzers: []\n", ":2: parzers, which Fluent Bit does not know, must be a"),
        ("parsers: []\nenv: x\n", ":2: env must be a mapping"),
        ("parsers: []\nservice: {a: [b]}\n", ":2: a must be a text"),
        ("parsers: []\nservice: {a: {b: c}}\n", ":2: a must be a text"),
        ("service: {}\nservice: {}\n", ":2: a second service, which Fluent Bit refuses"),
        ("parsers: []\nx: &a {b: c}\ny: *a\n", ":3: an alias (*), which Fluent Bit refuses"),
        ("pipeline: {inputs: [{name: ' '}]}\n", ":1: name has only spaces as its value"),
        (
            "pipeline: {inputs: [{name: []}]}\n",
            ":1: name is an empty list, which Fluent Bit refuses",
        ),
        ("pipeline: {inputs: {name: x}}\n", ":1: inputs must be a list"),
        ("pipeline: {inputs: }\n", ":1: inputs must be a list"),
        ("pipeline:\n  inputs:\n  - {a: {b: c}}\n", ":3: a must be a text or a list of texts"),
        ("pipeline:\n  inputs:\n  - processors: {x: []}\n", ":3: unknown key x of processors"),
        ("pipeline:\n  input: []\n", ":2: unknown key input of pipeline; use one of inputs"),
        ("a: 1\n", ": is neither a Fluent Bit configuration nor"),
        ("data: {{ .Values.x }}\n", ": is a template; render it first"),
        ("# {{ x }}\na: 1\n", ": is a template; render it first"),
    ],
)
def test_a_mistake_in_yaml_is_one_line_with_its_place(
    text: str, expected: str, write: Write
) -> None:
    path = write("a.yaml", text)
    assert problem_of(path).startswith(f"{path}{expected}")


def test_all_invalid_sections_are_reported_at_once(write: Write) -> None:
    path = write("a.conf", "[PARSER]\n    Name a\n[PARSER]\n    Name b\n")
    with pytest.raises(UsageError) as caught:
        definitions_of(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("    Decode_Field json log\n", "Decode_Field is not supported"),
        ("    Time_Zone Asia/Seoul\n", "Time_Zone is not supported"),
        ("    Time_System_Timezone On\n", "Time_System_Timezone is not supported"),
    ],
)
def test_an_unsupported_parser_is_an_error_only_when_it_is_asked_for(
    extra: str, reason: str, write: Write
) -> None:
    definitions = definitions_of(write("a.conf", CLASSIC + extra))
    with pytest.raises(UsageError, match=reason):
        definitions.parser("p")


def test_an_unknown_parser_is_reported_with_the_known_ones(write: Write) -> None:
    definitions = definitions_of(write("a.conf", CLASSIC))
    with pytest.raises(UsageError, match="unknown parser q; defined: p"):
        definitions.parser("q")
    with pytest.raises(UsageError, match="java is not supported: it has Type regex"):
        definitions.multiline_parser("java")


def test_the_first_multiline_parser_of_a_name_counts_unless_it_is_built_in(
    write: Write,
) -> None:
    sections = "".join(
        f"[MULTILINE_PARSER]\n    Name {name}\n    Type equal\n    Match_String {match}\n"
        for name, match in (("App", "one"), ("aPP", "two"), ("CRI", "three"))
    )
    definitions = definitions_of(write("main.conf", sections))
    assert definitions.multiline_parser("APP").match == b"one"
    assert definitions.multiline_parser("Cri").match != b"three"
