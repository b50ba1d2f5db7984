"""Findings about sections and plugins with which Fluent Bit does not start."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.errors import MalformedError, UsageError
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import build
from tests.support.configurations import CONDITION, PARSER, REFUSED, STARTS, TAIL, TAIL_AND_FILTER
from tests.support.layouts import LAYOUTS
from tests.support.parsers import Write, configuration_of

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
Verdict = Callable[[str], list[str]]


def findings_of(path: Path) -> list[str]:
    """Return the findings as ``LINE CODE MARK TEXT``; ``!`` marks those with which it does not start."""
    configuration = configuration_of(path)
    return [
        f"{finding.place.line} {finding.code} {'!' if finding.prevents_start else '~'} {finding.text}"
        for finding in lint(configuration, build(configuration, {}))
    ]


@pytest.fixture
def findings(write: Write) -> Verdict:
    """Return what lints a text: YAML if it begins in lower case, else the classic format."""
    return lambda text: findings_of(write("a.yaml" if text[0].islower() else "a.conf", text))


@pytest.mark.parametrize("text", STARTS)
def test_what_fluent_bit_starts_with_is_not_an_error(text: str, findings: Verdict) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(("text", "start", "inside"), REFUSED)
def test_what_fluent_bit_does_not_start_with_is_an_error_with_the_fix(
    text: str, start: str, inside: str, findings: Verdict
) -> None:
    (matching,) = {finding for finding in findings(text) if finding.startswith(start)}
    assert inside in matching


@pytest.mark.parametrize(("text", "problem"), LAYOUTS)
def test_the_layout_of_a_file_is_accepted_or_refused_as_fluent_bit_does(
    text: str, problem: str, write: Write
) -> None:
    path = write("a.yaml" if text[0].islower() else "a.conf", text)
    if not problem:
        assert findings_of(path) == []
        return
    with pytest.raises(MalformedError) as caught:
        findings_of(path)
    assert caught.value.problems[0].startswith(f"{path}:{problem}")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "[INPUTT]\n    Name x\n",
            "1 unknown-section ~ Fluent Bit ignores the section [INPUTT]; did",
        ),
        (
            "[ INPUT ]\n    Name x\n",
            "1 unknown-section ~ Fluent Bit ignores the section [ INPUT ]; did",
        ),
        (
            "servce: {flush: 1}\nenv: {}\n",
            "1 unknown-section ~ Fluent Bit ignores the section servce; d",
        ),
        ("env: [{value: x}]\n", "1 ignored ~ Fluent Bit ignores env; correct or remove it"),
        (
            "@SET a = b\n[SERVICE]\n    Flush 1\n",
            "1 ignored ~ @SET a = b sets a variable whose name",
        ),
        (
            "[MULTILINE_PARSER]\n    Name m\n    Type endswith\n",
            "1 missing-option ~ m has Type endswith but no Match_String",
        ),
        (
            TAIL_AND_FILTER + "modify\n    Add a b\n    Condition A_key_matches (a\n",
            "8 option-value ~ Condition: A_key_matches (a is not valid, so Fluent Bit starts, and ends",
        ),
        ("[SERVICE]\n    Flush 1\n@FOO bar\n", "3 ignored ~ Fluent Bit ignores @FOO bar; correct"),
    ],
)
def test_what_fluent_bit_ignores_or_ends_with_later_is_an_error_with_which_it_starts(
    text: str, finding: str, findings: Verdict
) -> None:
    (found,) = findings(text)
    assert found.startswith(finding)


def test_a_plugin_of_a_plugin_file_is_a_warning(findings: Verdict) -> None:
    text = f"[SERVICE]\n    Plugins_File /mine.conf\n{TAIL}[OUTPUT]\n    Name mine\n"
    missing, unknown = findings(text)
    assert missing.startswith("2 missing-file ~")
    assert (
        unknown
        == "7 unknown-plugin ~ Fluent Bit 5.1 has no output mine; a plugin file must have it"
    )


def test_a_storage_path_that_a_missing_file_may_have_is_a_warning(findings: Verdict) -> None:
    text = f"@INCLUDE /mine.conf\n{TAIL}    storage.type filesystem\n"
    missing, storage = findings(text)
    assert missing.startswith("1 missing-file ~")
    assert storage.startswith("5 missing-option ~")
    assert storage.endswith("; a missing file must have it")


def test_parsers_in_a_file_that_the_main_file_includes_are_an_error(
    write: Write, tmp_path: Path
) -> None:
    write("parsers.conf", PARSER)
    main = write("main.conf", f"@INCLUDE parsers.conf\n{TAIL}    Parser p\n")
    for source in (main, tmp_path):
        (found,) = findings_of(source)
        assert found.startswith("1 parser-in-main-file !")
    write("main.conf", f"[SERVICE]\n    Parsers_File parsers.conf\n{TAIL}    Parser p\n")
    assert findings_of(main) == findings_of(tmp_path) == []


def test_a_parsers_file_beside_the_main_file_in_one_manifest_is_not_part_of_it(
    write: Write,
) -> None:
    manifest = f"{MANIFEST}  parsers.conf: {json.dumps(PARSER)}\n  main.conf: "
    service = f"[SERVICE]\n    Parsers_File parsers.conf\n{TAIL}    Parser p\n"
    assert findings_of(write("a.yaml", manifest + json.dumps(service))) == []
    include = f"@INCLUDE parsers.conf\n{TAIL}    Parser p\n"
    (found,) = findings_of(write("a.yaml", manifest + json.dumps(include)))
    assert found.startswith("5 parser-in-main-file !")


@pytest.mark.parametrize("header", ["PARS", "MULTI"])
def test_a_shortened_header_of_a_parser_is_accepted_in_the_main_file(
    header: str, findings: Verdict
) -> None:
    text = f"{TAIL}[{header}]\n    Name p\n    Format json\n    Type equal\n    Match_String x\n"
    assert not any(" ! " in finding for finding in findings(text))


def test_parsers_beside_a_plugin_of_the_kind_custom_are_in_the_main_file(
    findings: Verdict,
) -> None:
    (found,) = findings(f"[CUSTOM]\n    Name calyptia\n{PARSER}")
    assert found.startswith("3 parser-in-main-file !")


def test_sections_that_fluent_bit_ignores_in_a_parsers_file_are_an_error(write: Write) -> None:
    write("p.conf", f"{PARSER}[OUTPUT]\n    Name nonsense\n")
    main = write("main.conf", f"[SERVICE]\n    Parsers_File p.conf\n{TAIL}    Parser p\n")
    assert findings_of(main) == [
        "4 ignored ~ Fluent Bit ignores [OUTPUT] in a parsers file; correct or remove it"
    ]


def test_a_filter_with_two_parsers_in_one_line_is_an_error_that_says_how_to_write_them(
    write: Write,
) -> None:
    write("p.conf", PARSER + PARSER.replace("Name p", "Name q"))
    text = f"[SERVICE]\n    Parsers_File p.conf\n{TAIL_AND_FILTER}parser\n    Key_Name log\n    Parser p, q\n"
    (undefined,) = (
        text
        for text in findings_of(write("main.conf", text))
        if text.startswith("10 undefined-parser !")
    )
    assert undefined.endswith("Fluent Bit does not start; write Parser once for each of p, q")
    text = text.replace("Parser p, q", "Parser p, q\n    Parser p")
    found = findings_of(write("main.conf", text))
    assert "10 undefined-parser ~" in "".join(found)
    tail = f"[SERVICE]\n    Parsers_File p.conf\n{TAIL}    Parser p, q\n"
    (undefined,) = (
        text for text in findings_of(write("main.conf", tail)) if "undefined-parser" in text
    )
    assert undefined.startswith("6 undefined-parser ~")
    assert undefined.endswith("an input takes one Parser only: use a filter parser for several")


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("op: xor, rules: [{field: $a, op: eq, value: b}]", "op of a condition: xor is not one of"),
        ("op: and", "this condition has no rules"),
        ("rules: []", "this condition has no rules"),
        ("rules: [{field: $a, op: like, value: b}]", "op of a rule: like is not one of eq, neq"),
        ("rules: [{field: $a, op: in, value: b}]", "value: the operator in needs a list"),
        ("rules: [{field: $a, op: eq, value: [b]}]", "value: the operator eq needs one value"),
        ("rules: [{op: eq, value: b}]", "this rule has no field"),
        ("rules: [{field: $a, value: b}]", "this rule has no op"),
        ("rules: [{field: $a, op: eq}]", "this rule has no value"),
    ],
)
def test_a_condition_of_a_processor_that_fluent_bit_refuses_is_an_error(
    condition: str, problem: str, write: Write
) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        configuration_of(write("a.yaml", f"{CONDITION}{condition}}}}}]}}}}]}}\n"))
