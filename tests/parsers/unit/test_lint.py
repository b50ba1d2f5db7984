"""Findings: what Fluent Bit starts with and nobody wants."""

from pathlib import Path

import pytest

from node_observability.parsers.configuration.sources import load
from node_observability.parsers.configuration.stock import STOCK_PARSERS
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import build

PARSER = """\
[PARSER]
    Name p
    Format regex
    Regex ^(?<time>[^ ]+) (?<log>.*)$
    Time_Key time
    Time_Format %s
"""
PIPELINE = "[INPUT]\n    Name tail\n    Parser p\n"


def findings(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "a.conf").write_text(text)
    (configuration,) = load(str(tmp_path / "a.conf"))
    return [
        f"{finding.place.line} {finding.code}{' !' if finding.is_error else ''} {finding.text}"
        for finding in lint(configuration, build(configuration, {}))
    ]


def test_a_sound_configuration_has_none(tmp_path: Path) -> None:
    assert findings(tmp_path, PARSER + PIPELINE) == []


@pytest.mark.parametrize(
    ("text", "start", "inside"),
    [
        (
            PARSER + PIPELINE.replace("Parser p", "Parser pp"),
            "9 undefined-parser !",
            "did you mean p?",
        ),
        (
            PARSER + "[INPUT]\n    multiline.parser crj\n",
            "8 undefined-parser !",
            "did you mean cri?",
        ),
        (PARSER + PARSER + PIPELINE, "8 duplicate-parser !", "a.conf:1"),
        (
            PARSER.replace("Name p", "Name cri") + "[INPUT]\n    Parser cri\n",
            "2 stock-name ",
            "choose another Name",
        ),
        (
            "[SERVICE]\n    Parsers_File parsers.conf\n" + PARSER.replace("Name p", "Name cri"),
            "4 stock-name !",
            "does not start",
        ),
        (PARSER + "[INPUT]\n    Name tail\n", "1 unused-parser ", "uses the parser p"),
        (
            PARSER + "[INPUT]\n    Parser p\n    multiline.parser cri\n",
            "8 unreachable-parser !",
            "takes precedence",
        ),
        (
            PARSER + "[INPUT]\n    multiline.parser cri, cri\n    Parser p\n",
            "8 unreachable-parser !",
            "already",
        ),
        (
            PARSER.replace("^(?<time>[^ ]+) (?<log>.*)$", "(?<time>)(?<log>.*)")
            + PARSER.replace("Name p", "Name q")
            + "[FILTER]\n    Name parser\n    Parser p\n    Parser q\n",
            "16 unreachable-parser !",
            "p before it matches every line",
        ),
        (
            PARSER + "[INPUT]\n    Parser p\n    Parser p\n",
            "9 unreachable-parser !",
            "only its first Parser",
        ),
        (PARSER + "    Time_Kep On\n" + PIPELINE, "7 unknown-key !", "did you mean time_keep?"),
        (PARSER + "    Time_Keep Yess\n" + PIPELINE, "7 mistyped-value !", "neither On nor Off"),
        (PARSER + "    Types log:int\n" + PIPELINE, "7 mistyped-value !", "log:int"),
        (PARSER.replace("%s", "%Y-%N") + PIPELINE, "6 time-format !", "%N"),
        (PARSER.replace("<time>", "<tme>") + PIPELINE, "4 no-time-group !", "did you mean tme?"),
        (
            PARSER.replace("    Time_Format %s\n", "") + PIPELINE,
            "5 time-without-format !",
            "no effect",
        ),
        (
            "[PARSER]\n    Name p\n    Format regex\n    Regex (x)\n" + PIPELINE,
            "4 no-groups !",
            "never matches",
        ),
        (
            PARSER + PIPELINE + "[OUTPUT]\n    HTTP_Passwd hunter2\n",
            "11 secret-in-file ",
            "environment",
        ),
    ],
)
def test_a_finding_has_its_place_its_code_and_the_fix(
    text: str, start: str, inside: str, tmp_path: Path
) -> None:
    matching = [finding for finding in findings(tmp_path, text) if finding.startswith(start)]
    assert len(matching) == 1
    assert inside in matching[0]


def test_a_secret_from_the_environment_is_fine(tmp_path: Path) -> None:
    assert findings(tmp_path, PARSER + PIPELINE + "[OUTPUT]\n    HTTP_Passwd ${P}\n") == []


def test_a_stock_parser_of_a_file_that_is_not_here_is_no_finding(tmp_path: Path) -> None:
    text = "[SERVICE]\n    Parsers_File /fluent-bit/etc/parsers.conf\n" + PIPELINE.replace(
        "p\n", "docker\n"
    )
    assert findings(tmp_path, text) == []


def test_a_name_that_a_file_that_is_not_here_may_define_is_a_warning(tmp_path: Path) -> None:
    missing, finding = findings(
        tmp_path, "[SERVICE]\n    Parsers_File /elsewhere.conf\n" + PIPELINE
    )
    assert missing.startswith(
        "2 missing-file Parsers_File: /elsewhere.conf does not exist here, so"
    )
    assert finding.startswith(
        "5 undefined-parser the parser p is not defined here; unless /elsewhere.conf defines it, Fluent Bit"
    )


def test_a_multiline_parser_that_gets_the_parser_above_it_is_a_warning(tmp_path: Path) -> None:
    head = "[MULTILINE_PARSER]\n    Type endswith\n    Match_String x\n    Name "
    text = f"{PARSER}{head}a\n{head}b\n    Parser p\n{head}c\n"
    (finding,) = [text for text in findings(tmp_path, text) if "inherited-parser" in text]
    assert "c has no Parser, so Fluent Bit gives it p" in finding


MULTILINE = "[MULTILINE_PARSER]\n    Name {}\n    Type equal\n    Match_String x\n"


def test_a_multiline_parser_is_found_by_its_name_in_any_case(tmp_path: Path) -> None:
    text = MULTILINE.format("App") + "[INPUT]\n    multiline.parser APP, Docker, JAVA\n"
    assert findings(tmp_path, text) == []


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("APP", "6 duplicate-parser ! the multiline parser APP is already defined"),
        ("Java", "6 stock-name ! Fluent Bit uses its built-in multiline parser java"),
    ],
)
def test_a_multiline_parser_that_another_of_its_name_hides_is_an_error(
    second: str, expected: str, tmp_path: Path
) -> None:
    text = MULTILINE.format("app") + MULTILINE.format(second)
    text += "[INPUT]\n    multiline.parser app, java\n"
    (found,) = findings(tmp_path, text)
    assert found.startswith(expected)


@pytest.mark.parametrize("key", ["Regex_Parser", "Merge_Parser", "Docker_Mode_Parser"])
def test_the_parsers_that_a_filter_names_by_other_keys_are_looked_up(
    key: str, tmp_path: Path
) -> None:
    pipeline = f"[INPUT]\n    Name x\n[FILTER]\n    Name kubernetes\n    {key} p\n"
    assert findings(tmp_path, PARSER + pipeline) == []
    (found,) = findings(tmp_path, PARSER.replace("Name p", "Name cri") + pipeline)[-1:]
    assert found.startswith("11 undefined-parser !")
    assert found.endswith("does not start" if key == "Regex_Parser" else "ships raw lines")


def test_a_parser_that_pods_may_name_in_an_annotation_is_used(tmp_path: Path) -> None:
    pipeline = "[INPUT]\n    Name x\n[FILTER]\n    Name kubernetes\n    K8S-Logging.Parser {}\n"
    assert findings(tmp_path, PARSER + pipeline.format("On")) == []
    (found,) = findings(tmp_path, PARSER + pipeline.format("Off"))
    assert found.startswith("1 unused-parser")


def test_the_parsers_that_a_processor_names_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("""\
parsers:
- {name: p, format: json}
pipeline:
  inputs:
  - name: dummy
    processors:
      logs:
      - {name: parser, key_name: log, parser: p}
      - {name: parser, key_name: log, parser: q}
""")
    (configuration,) = load(str(tmp_path / "a.yaml"))
    (found,) = lint(configuration, build(configuration, {}))
    assert (found.place.line, found.code) == (9, "undefined-parser")
    assert found.text.endswith("does not start if the filter names no other parser")


def test_fluent_bits_own_parsers_are_no_finding_where_its_file_is_on_disk(tmp_path: Path) -> None:
    sections = [f"[PARSER]\n    Name {name}\n    Format json\n" for name in sorted(STOCK_PARSERS)]
    main = "[SERVICE]\n    Parsers_File {}\n[INPUT]\n    Parser cri\n"
    (tmp_path / "parsers.conf").write_text("".join(sections))
    assert findings(tmp_path, main.format("parsers.conf")) == []
    assert findings(tmp_path, "".join(sections)) == []
    # Of an older version, which has not all of them.
    (tmp_path / "parsers.conf").write_text("".join(sections[:9]))
    assert findings(tmp_path, main.format("parsers.conf")) == []
    (tmp_path / "parsers.conf").write_text("".join(sections[:8]))
    assert len(findings(tmp_path, main.format("parsers.conf"))) == 8 + 7
    (tmp_path / "parsers.conf").unlink()
    # Beside the image's own they end Fluent Bit.
    found = findings(tmp_path, main.format("/fluent-bit/etc/parsers.conf") + "".join(sections))
    assert sum(" stock-name !" in text for text in found) == len(sections)
