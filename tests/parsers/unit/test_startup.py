"""Findings about sections and plugins with which Fluent Bit does not start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import build
from tests.support.parsers import Write, configuration_of

Verdict = Callable[[str], list[str]]
TAIL = "[INPUT]\n    Name tail\n    Path x\n"
FILTER = TAIL + "[FILTER]\n    Match *\n    Name "
PARSER = "[PARSER]\n    Name p\n    Format json\n"
MULTILINE = "[MULTILINE_PARSER]\n    Name m\n    Type regex\n"
INPUT = "pipeline: {inputs: [{name: dummy, "


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


@pytest.mark.parametrize(
    "text",
    [
        TAIL + "        Tag a\n",
        "[SERVICE]\n  Flush 1\n[INPUT]\n    Name tail\n    Path x\n",
        "[SERVICE]\n    Flush 1\n    \n        \n[INPUT]\n    Name tail\n    Path x\n",
        TAIL + "    Mem_Buf_Limit 5MB\n    net.keepalive off\n    Tag a\n",
        TAIL + "    Mem_Buf_Limit ${LIMIT}\n    Threaded ${ON}\n",
        TAIL
        + "[OUTPUT]\n    Name ELASTICSEARCH\n    tls On\n    tls.verify Off\n    Trace_Error ${X}\n",
        TAIL + "[OUTPUT]\n    Name ${OUTPUT}\n    Anything a\n",
        "@SET PLUGIN=null\n" + TAIL + "[OUTPUT]\n    Name ${PLUGIN}\n",
        FILTER + "modify\n    Add a b\n    Add c d\n    Remove e\n",
        FILTER + "rewrite_tag\n    Rule $a ^(x|y)$ new.$1 false\n",
        FILTER + "grep\n    Regex a (?<=x)b+\n    Exclude c d\n    Logical_Op and\n",
        FILTER + "multiline\n    Mode partial_message\n    multiline.key_content log\n",
        FILTER + "wasm\n    Wasm_Path x\n",
        "[SERVICE]\n    storage.path /x\n" + TAIL + "    storage.type filesystem\n",
        "[INPUT]\n    Name exec_wasi\n",
        f"{INPUT}dummy: '{{}}', memBufLimit: 5M}}]}}\n",
        f"{INPUT}processors: {{logs: [{{name: sampling}}, {{name: grep, regex: a b}}]}}}}]}}\n",
        "multiline_parsers: [{name: m, type: regex, rules: []}]\n",
    ],
)
def test_what_fluent_bit_starts_with_is_not_an_error(text: str, findings: Verdict) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    ("text", "start", "inside"),
    [
        (TAIL + PARSER, "4 parser-in-main-file !", "name that in Parsers_File"),
        (TAIL + MULTILINE, "4 parser-in-main-file !", "[MULTILINE_PARSER]"),
        ("[INPUT]\n    Path x\n", "1 no-name !", "has no Name"),
        ("[INPUT]\n    Name tial\n", "2 unknown-plugin !", "did you mean tail?"),
        ("[INPUT]\n    Name tail\n", "1 missing-option !", "needs path"),
        (TAIL + "    Multiline On\n", "1 missing-option !", "needs parser_firstline"),
        (
            TAIL + "    Refresh_Intervall 5\n",
            "4 unknown-option !",
            "did you mean refresh_interval?",
        ),
        (TAIL + "    Path y\n", "3 option-twice !", "Path is set 2 times"),
        (TAIL + "    Read_From_Head yess\n", "4 option-value !", "use On or Off"),
        (TAIL + "    Mem_Buf_Limit 5Mi\n", "4 option-value !", "like 5M or 512K"),
        (TAIL + "    Mem_Buf_Limit 5 MB\n", "4 option-value !", "like 5M or 512K"),
        (TAIL + "    Refresh_Interval 0\n", "4 option-value !", "above 0"),
        (TAIL + "    Threaded 1\n", "4 option-value !", "use On or Off"),
        (TAIL + "    Log_Level verbose\n", "4 option-value !", "use one of off, error"),
        (TAIL + "    storage.type disk\n", "4 option-value !", "use one of filesystem, memory"),
        (TAIL + "    storage.type filesystem\n", "4 missing-option !", "needs a storage.path"),
        (TAIL + "    tls On\n", "4 option-value !", "tail has no TLS"),
        (TAIL + "    net.keepaliv On\n", "4 unknown-option !", "did you mean net.keepalive?"),
        (TAIL + "[FILTER]\n    Name stdout\n", "4 missing-option !", "has no Match"),
        (FILTER + "modify\n    Add a\n", "7 option-value !", "it needs 2 values"),
        (FILTER + "modify\n    Rename a\n", "7 option-value !", "it needs 2 values"),
        (FILTER + "record_modifier\n    Record a\n", "7 option-value !", "it needs 2 values"),
        (FILTER + "rewrite_tag\n    Rule $a ^x new\n", "7 option-value !", "it needs 4 values"),
        (FILTER + "rewrite_tag\n    Rule $a (x new true\n", "7 option-value !", "( is not closed"),
        (FILTER + "grep\n    Regex a\n", "7 option-value !", "a field and a pattern"),
        (FILTER + "grep\n    Exclude a [b\n", "7 option-value !", "correct the pattern"),
        (FILTER + "nest\n    Operation x\n", "7 option-value !", "use one of nest, lift"),
        (FILTER + "parser\n    Parser json\n", "4 missing-option !", "needs key_name"),
        (FILTER + "lua\n    Call f\n", "4 missing-option !", "needs script or code"),
        (FILTER + "multiline\n", "4 missing-option !", "needs multiline.parser"),
        (TAIL + "[OUTPUT]\n    Name s3\n", "4 missing-option !", "needs bucket"),
        ("[SERVICE]\n    Log_Level loud\n", "2 option-value !", "use one of off"),
        ("[SERVICE]\n    Flush 0\n", "2 option-value !", "above 0"),
        ("[SERVICE]\n    storage.sync x\n", "2 option-value !", "normal, full"),
        ("[INPUT]\n    Name syslog\n", "2 undefined-parser !", "syslog-rfc3164-local"),
        (
            f"{INPUT}processors: {{logs: [{{name: grap}}]}}}}]}}\n",
            "1 unknown-plugin !",
            "did you mean grep?",
        ),
        (
            f"{INPUT}processors: {{logs: [{{name: grep, regx: a b}}]}}}}]}}\n",
            "1 unknown-option !",
            "did you mean regex?",
        ),
    ],
)
def test_what_fluent_bit_does_not_start_with_is_an_error_with_the_fix(
    text: str, start: str, inside: str, findings: Verdict
) -> None:
    (matching,) = {finding for finding in findings(text) if finding.startswith(start)}
    assert inside in matching


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
        ("[SERVICE]\n    Flush 1\n@FOO bar\n", "3 ignored ~ Fluent Bit ignores @FOO bar; correct"),
    ],
)
def test_what_fluent_bit_ignores_is_an_error_with_which_it_starts(
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
    text = (
        f"[SERVICE]\n    Parsers_File p.conf\n{FILTER}parser\n    Key_Name log\n    Parser p, q\n"
    )
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
