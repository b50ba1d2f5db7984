"""Conversion: each format in the other, or one line about what the other can't hold."""

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.conversion import to_classic, to_yaml


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
