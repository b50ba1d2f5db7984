"""Conversion: each format in the other, or one line about what the other does not have."""

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.conversion import to_classic, to_yaml

MULTILINE = "multiline_parsers:\n- name: m\n  type: regex\n  rules: []\n"
PROCESSORS = "pipeline:\n  inputs:\n  - name: x\n    processors: {}\n"
LIST_OF_VARIABLES = "parsers: []\nenv:\n- {name: A, value: b}\n"


def test_a_file_converted_there_and_back_is_unchanged() -> None:
    text = (
        "# of all\n[SERVICE]\n    Flush        1\n    Parsers_File p.conf\n\n"
        "# of p\n[PARSER]\n    Name  p\n    Regex it's # \\d\n\n"
        "[INPUT]\n    Name tail\n\n[FILTER]\n    Name   parser\n    Parser a\n    Parser b\n"
    )
    yaml = to_yaml("@SET A=b\n@INCLUDE x.conf\n" + text, "a.conf")
    assert "parsers_file: p.yaml" in yaml
    assert "regex: 'it''s # \\d'" in yaml
    assert to_classic(yaml, "a.yaml") == "@SET A=b\n@INCLUDE x.conf\n\n" + text


def test_an_empty_section_is_converted_in_both_directions() -> None:
    assert to_classic("parsers:\n- {}\n", "a.yaml") == "[PARSER]\n"
    assert to_yaml("[PARSER]\n", "a.conf") == "parsers:\n  - {}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MULTILINE, "4: rules can't be converted; the classic format has no equivalent"),
        (PROCESSORS, "4: processors can't be converted"),
        (LIST_OF_VARIABLES, "2: a list under env can't be converted"),
        ('parsers:\n- name: "p\\n[PARSER]"\n', r"2: 'p\n[PARSER]' has a line break"),
        ('env:\n  A: "b\\n@INCLUDE x"\n', r"2: 'b\n@INCLUDE x' has a line break"),
        ("includes:\n- |\n  a.yaml\n", r"2: 'a.yaml\n' has a line break"),
        ('parsers:\n- {? ["a\\nb"] : c}\n', r"2: 'a\nb' has a line break"),
        ("parsers:\n- {name: p, a b: c}\n", "2: the key 'a b' can't be converted"),
        ("parsers:\n- {name: p, '#a': c}\n", "2: the key '#a' can't be converted"),
        ("parsers:\n- {name: ' p'}\n", "2: name: ' p' begins or ends with a space"),
        ("parsers:\n- {name: ''}\n", "2: name: '' is empty"),
    ],
)
def test_what_the_classic_format_does_not_have_is_not_converted(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        to_classic(text, "a.yaml")
    assert caught.value.problems[0].startswith(f"a.yaml:{problem}")


def test_rules_of_the_classic_format_are_not_converted() -> None:
    text = '[MULTILINE_PARSER]\n    Name m\n    Type regex\n    Rule "start_state" "/a/" "cont"\n'
    with pytest.raises(UsageError, match=r"^a.conf:4: rule can't be converted"):
        to_yaml(text, "a.conf")
