"""Findings: mistakes with which Fluent Bit starts."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from node_observability.parsers.configuration.stock import STOCK_PARSERS
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import build
from tests.support.parsers import Write, configuration_of

PARSER = """\
[PARSER]
    Name p
    Format regex
    Regex ^(?<time>[^ ]+) (?<log>.*)$
    Time_Key time
    Time_Format %s
"""
CRI = PARSER.replace("Name p", "Name cri")
ANY = PARSER.replace("^(?<time>[^ ]+) (?<log>.*)$", "(?<time>)(?<log>.*)")
NO_FORMAT = PARSER.replace("    Time_Format %s\n", "")
NO_GROUPS = "[PARSER]\n    Name p\n    Format regex\n    Regex (x)\n"
MULTILINE = "[MULTILINE_PARSER]\n    Name {}\n    Type equal\n    Match_String x\n"
SERVICE = "[SERVICE]\n    Parsers_File {}\n"
TAIL = "    Name tail\n    Path x\n"
INPUT = f"[INPUT]\n    Parser p\n{TAIL}"
JOIN = "[INPUT]\n    multiline.parser"
FILTER = "    Key_Name log\n    Match *\n"
KUBERNETES = "[FILTER]\n    Match *\n    Name kubernetes\n"
OUTPUT = "[OUTPUT]\n    HTTP_Passwd {}\n    Name es\n    Match *\n"
PARSER_SECTION = re.compile(r"\[(?:MULTILINE_)?PARSER\]")
PROCESSORS = """\
parsers:
- {name: p, format: json}
pipeline:
  inputs:
  - name: dummy
    processors:
      logs:
      - {name: parser, key_name: log, parser: p}
      - {name: parser, key_name: log, parser: q}
"""
Lint = Callable[[str], list[str]]


def lint_file(path: Path) -> list[str]:
    """Return a file's findings as ``LINE CODE MARK TEXT``; ``!`` marks errors, ``~`` warnings."""
    configuration = configuration_of(path)
    return [
        f"{finding.place.line} {finding.code} {'!' if finding.is_error else '~'} {finding.text}"
        for finding in lint(configuration, build(configuration, {}))
    ]


def parts(text: str) -> tuple[str, str]:
    """Return the parsers of a text, and the rest: two files in which the lines have the same numbers."""
    parsers, rest, is_parser = [], [], True
    for line in text.split("\n"):
        if line.startswith("["):
            is_parser = PARSER_SECTION.match(line) is not None
        parsers.append(line if is_parser else "")
        rest.append("" if is_parser else line)
    return "\n".join(parsers), "\n".join(rest)


@pytest.fixture
def findings(write: Write, tmp_path: Path) -> Lint:
    """Return what lints a text in the classic format, whose parsers are in a file of their own."""

    def lint_text(text: str) -> list[str]:
        parsers, rest = parts(text)
        write("a.conf", parsers)
        write("main.conf", rest)
        return lint_file(tmp_path)

    return lint_text


@pytest.mark.parametrize(
    "text",
    [
        PARSER + INPUT,
        PARSER + INPUT + OUTPUT.format("${P}"),
        PARSER + "    Time_Keep ${KEEP}\n" + INPUT,
        SERVICE.format("/fluent-bit/etc/parsers.conf") + INPUT.replace("p\n", "docker\n"),
        MULTILINE.format("App") + f"{JOIN} APP, Docker, JAVA\n{TAIL}",
        f"{PARSER}[INPUT]\n{TAIL}{KUBERNETES}    K8S-Logging.Parser On\n",
    ],
    ids=[
        "a parser that an input uses",
        "a secret from the environment",
        "a switch from the environment",
        "a parser of a file in the image",
        "multiline parsers in another case",
        "a parser that pods may name in annotations",
    ],
)
def test_a_correct_configuration_has_no_findings(text: str, findings: Lint) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    ("text", "start", "inside"),
    [
        (PARSER + INPUT.replace("p\n", "pp\n"), "8 undefined-parser !", "did you mean p?"),
        (PARSER + f"{JOIN} crj\n{TAIL}", "8 undefined-parser !", "did you mean cri?"),
        (PARSER + PARSER + INPUT, "8 duplicate-parser !", "a.conf:1"),
        (CRI + INPUT.replace("p\n", "cri\n"), "2 stock-name ~", "choose another Name"),
        (SERVICE.format("parsers.conf") + CRI, "4 stock-name !", "does not start"),
        (PARSER + f"[INPUT]\n{TAIL}", "1 unused-parser ~", "uses the parser p"),
        (f"{PARSER}{JOIN} cri\n    Parser p\n{TAIL}", "9 unreachable-parser !", "precedence"),
        (PARSER + f"{JOIN} cri, cri\n{TAIL}", "8 unreachable-parser !", "already"),
        (
            f"{ANY}{CRI}[FILTER]\n    Name parser\n    Parser p\n    Parser cri\n{FILTER}",
            "16 unreachable-parser !",
            "p before it matches every line",
        ),
        (PARSER + INPUT + "    Parser p\n", "11 option-twice !", "does not start; set it once"),
        (PARSER + "    Time_Kep On\n" + INPUT, "7 unknown-key !", "did you mean time_keep?"),
        (PARSER + "    Time_Keep Yess\n" + INPUT, "7 mistyped-value !", "neither On nor Off"),
        (PARSER + "    Types log:int\n" + INPUT, "7 mistyped-value !", "log:int"),
        (PARSER.replace("%s", "%Y-%N") + INPUT, "6 time-format !", "%N"),
        (PARSER.replace("<time>", "<tme>") + INPUT, "4 no-time-group !", "did you mean tme?"),
        (NO_FORMAT + INPUT, "5 time-without-format !", "no effect"),
        (NO_GROUPS + INPUT, "4 no-groups !", "never matches"),
        (PARSER + INPUT + OUTPUT.format("x"), "12 secret-in-file ~", "environment"),
        (
            MULTILINE.format("app") + MULTILINE.format("APP") + f"{JOIN} app\n{TAIL}",
            "6 duplicate-parser !",
            "the multiline parser APP is already defined",
        ),
        (
            MULTILINE.format("Java") + f"{JOIN} java\n{TAIL}",
            "2 stock-name !",
            "Fluent Bit uses its built-in multiline parser java",
        ),
        (
            f"{PARSER}{MULTILINE.format('b')}    Parser p\n{MULTILINE.format('c')}",
            "12 inherited-parser ~",
            "c has no Parser, so Fluent Bit gives it p",
        ),
        (
            f"{PARSER}[INPUT]\n{TAIL}{KUBERNETES}    K8S-Logging.Parser Off\n",
            "1 unused-parser ~",
            "uses the parser p",
        ),
    ],
)
def test_a_finding_has_its_place_its_code_and_the_fix(
    text: str, start: str, inside: str, findings: Lint
) -> None:
    (matching,) = [finding for finding in findings(text) if finding.startswith(start)]
    assert inside in matching


def test_a_multiline_parser_without_a_section_above_inherits_nothing(findings: Lint) -> None:
    text = f"{PARSER}{MULTILINE.format('a')}{MULTILINE.format('b')}    Parser p\n"
    assert not any("inherited-parser" in finding for finding in findings(text))


def test_a_parser_that_only_a_multiline_parser_uses_is_used(findings: Lint) -> None:
    text = f"{PARSER}{MULTILINE.format('m')}    Parser p\n{JOIN} m\n{TAIL}"
    assert findings(text) == []


def test_an_undefined_parser_of_a_multiline_parser_is_an_error_unless_a_file_is_missing(
    findings: Lint,
) -> None:
    text = f"{MULTILINE.format('m')}    Parser p\n{JOIN} m\n{TAIL}"
    (undefined,) = findings(text)
    assert undefined.startswith(
        "5 undefined-parser ! the parser p is not defined: Fluent Bit starts"
    )
    (missing,) = findings(f"{text}{SERVICE.format('/elsewhere.conf')}")
    assert missing.startswith("11 missing-file ~")


def test_a_parser_that_a_missing_file_may_define_is_a_warning(findings: Lint) -> None:
    missing, undefined = findings(SERVICE.format("/elsewhere.conf") + INPUT)
    start = "2 missing-file ~ Parsers_File: /elsewhere.conf does not exist here, so"
    assert missing.startswith(start)
    text = "the parser p is not defined here; unless /elsewhere.conf defines it, Fluent Bit"
    assert undefined.startswith(f"4 undefined-parser ~ {text}")


@pytest.mark.parametrize("key", ["Regex_Parser", "Merge_Parser", "Docker_Mode_Parser"])
def test_parsers_under_other_keys_of_a_filter_are_checked(key: str, findings: Lint) -> None:
    name = "tail" if key.startswith("Docker") else "kubernetes"
    pipeline = f"[{'INPUT' if name == 'tail' else 'FILTER'}]\n    Name {name}\n    {key} p\n"
    pipeline += "    Path x\n" if name == "tail" else f"    Match *\n[INPUT]\n{TAIL}"
    assert findings(PARSER + pipeline) == []
    (undefined,) = (text for text in findings(CRI + pipeline) if "undefined-parser" in text)
    assert undefined.startswith("9 undefined-parser !")
    assert undefined.endswith("does not start" if key == "Regex_Parser" else "ships raw lines")


def test_parsers_that_a_processor_names_are_checked(write: Write) -> None:
    (undefined,) = lint_file(write("a.yaml", PROCESSORS))
    assert undefined.startswith("9 undefined-parser !")
    assert undefined.endswith("Fluent Bit does not start")


def test_a_copy_of_fluent_bits_own_parsers_file_is_not_a_finding(
    findings: Lint, write: Write
) -> None:
    sections = [f"[PARSER]\n    Name {name}\n    Format json\n" for name in sorted(STOCK_PARSERS)]
    pipeline = INPUT.replace("Parser p", "Parser cri")
    main = SERVICE.format("parsers.conf") + pipeline
    assert findings("".join(sections)) == []
    # A copy from an older version has fewer of them.
    for count, found in ((len(sections), 0), (9, 0), (8, 8 + 7)):
        write("parsers.conf", "".join(sections[:count]))
        assert len(findings(main)) == found
    # If the image's own file is loaded too, Fluent Bit does not start.
    write("parsers.conf", "").unlink()
    main = SERVICE.format("/fluent-bit/etc/parsers.conf") + pipeline
    assert sum(" stock-name !" in text for text in findings(main + "".join(sections))) == len(
        sections
    )


def test_an_undefined_parser_of_a_multiline_parser_is_an_error_with_which_fluent_bit_starts(
    findings: Lint,
) -> None:
    text = f"{PARSER}{MULTILINE.format('m')}    Parser pp\n{JOIN} m\n{TAIL}"
    (undefined,) = (text for text in findings(text) if "undefined-parser" in text)
    assert undefined.startswith(
        "11 undefined-parser ! the parser pp is not defined: Fluent Bit starts"
    )
    assert undefined.endswith("did you mean p?")
