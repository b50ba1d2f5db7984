"""Case files, their verdicts and what is printed of them."""

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_observability.errors import UsageError
from node_observability.parsers.cases.diff import is_same
from node_observability.parsers.cases.files import CaseFile, Expected, find, read
from node_observability.parsers.cases.report import failure_text, summary, write_junit
from node_observability.parsers.cases.runner import Outcome, run, run_all, time_text
from node_observability.parsers.cases.update import update
from node_observability.parsers.cases.values import normal
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.explanation import explain
from node_observability.parsers.model.definitions import Definitions, build
from node_observability.parsers.model.parser import Parsed
from tests.parsers.unit.test_parser import cri, docker

CONFIG = r"""
[PARSER]
    Name              p
    Format            regex
    Regex             ^(?<time>[^ ]+) (?<log>.*)$
    Time_Format       %Y-%m-%dT%H:%M:%S.%L%z
    Skip_Empty_Values Off
[PARSER]
    Name              j
    Format            json
"""
CASES = """\
# kept
parser: p
writer: me
cases:
- name: right
  line: 2016-10-06T09:17:09.5+09:00 hello
  expected:
    time: 2016-10-06T09:17:09.5+09:00
    fields: {log: hello}
- name: bytes
  line: !bytes "2016-10-06T00:17:09.5Z \\xff"
  expected:
    time: 2016-10-06 00:17:09.5+00:00
    fields: {log: !bytes "\\xff"}
- name: joined
  line: !join [2016-10-06T00:17:09.5Z , [" ", 1], [x, 300], !bytes "\\xff"]
  expected:
    time: 2016-10-06T00:17:09.5Z
    fields: {log: !join [[x, 300], !bytes "\\xff"]}
- name: no match
  line: x
  expected: unmatched
- name: no match, with a return
  line: "x\\r"
  expected: unmatched
- name: now
  line: yesterday hello
  expected: {time: now, fields: {log: hello}}
"""


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    (tmp_path / "a.conf").write_text(CONFIG)
    (configuration,) = load(str(tmp_path / "a.conf"), io.StringIO())
    return build(configuration, {})


def case_file(tmp_path: Path, text: str) -> CaseFile:
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    return read(path)


def test_cases_that_are_right_pass(tmp_path: Path, definitions: Definitions) -> None:
    outcomes = run(case_file(tmp_path, CASES), definitions)
    assert [outcome.differences for outcome in outcomes] == [()] * 6


def test_a_wrong_case_says_what_was_expected_and_what_came(
    tmp_path: Path, definitions: Definitions
) -> None:
    text = CASES.replace("{log: hello}\n- name: bytes", "{lag: 1}\n- name: bytes")
    outcome = run(case_file(tmp_path, text), definitions)[0]
    assert failure_text(outcome).splitlines() == [
        f"FAIL {tmp_path}/cases.yaml:5 right [{tmp_path}/a.conf]",
        "  line: '2016-10-06T09:17:09.5+09:00 hello'",
        "  - fields.lag: 1",
        "  + fields.log: 'hello'",
    ]


def test_two_long_texts_are_shown_where_they_differ(
    tmp_path: Path, definitions: Definitions
) -> None:
    text = CASES.replace(
        "fields: {log: !join [[x, 300], !b", "fields: {log: !join [[x, 200], y, [x, 99], !b"
    )
    outcome = run(case_file(tmp_path, text), definitions)[2]
    assert [difference[:60] for difference in outcome.differences] == [
        "- fields.log: …" + "x" * 40 + "yxxxx",
        "+ fields.log: …" + "x" * 45,
    ]


def test_sequences_and_chains_and_joining_are_run(tmp_path: Path, definitions: Definitions) -> None:
    chain = (
        'parsers: [j, p]\nwriter: me\ncases:\n- name: chain\n  lines: [\'{"a":"b"}\', x]\n'
        "  expected:\n  - {time: now, fields: {a: b}}\n  - unmatched: x\n"
    )
    (outcome,) = run(case_file(tmp_path, chain), definitions)
    assert outcome.differences == ()
    joined = (
        "multiline: [cri]\nwriter: me\ncases:\n- name: join\n  lines:\n"
        "  - 2016-10-06T00:17:09.5Z stdout P a\n  - 2016-10-06T00:17:10.5Z stdout F b\n"
        "  expected:\n  - time: 2016-10-06T00:17:09.5Z\n"
        "    fields: {time: '2016-10-06T00:17:09.5Z', stream: stdout, _p: P, log: ab}\n"
        "- name: lost\n  line: garbage stdout F b\n"
        "  expected: {lost: true, fields: {time: garbage, stream: stdout, _p: F, log: b}}\n"
    )
    outcomes = run(case_file(tmp_path, joined), definitions)
    assert [outcome.differences for outcome in outcomes] == [(), ()]


def test_an_update_writes_what_came_and_keeps_the_rest(
    tmp_path: Path, definitions: Definitions
) -> None:
    file = case_file(tmp_path, CASES.replace("{log: hello}", "{log: x}"))
    assert update([file], run(file, definitions)) == [file.path]
    again = read(file.path)
    assert file.path.read_text().startswith("# kept\nparser: p\nwriter: me\n")
    assert [case.lines for case in again.cases] == [case.lines for case in file.cases]
    assert all(not outcome.differences for outcome in run(again, definitions))
    assert update([again], run(again, definitions)) == []


def test_an_update_is_refused_where_two_configurations_disagree(
    tmp_path: Path, definitions: Definitions
) -> None:
    (tmp_path / "b.conf").write_text(CONFIG.replace("<log>", "<msg>"))
    (configuration,) = load(str(tmp_path / "b.conf"), io.StringIO())
    file = case_file(tmp_path, CASES)
    before = file.path.read_text()
    outcomes = run_all([file], [definitions, build(configuration, {})])
    with pytest.raises(UsageError, match="makes something else of it"):
        update([file], outcomes)
    assert file.path.read_text() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "parser: p\ncases: []\nparsr: q\n",
            ":3: parsr is no key of a case file; did you mean parser?",
        ),
        ("parser: p\ncases: []\n", ":2: cases is empty; give it a case"),
        ("cases: []\n", ":1: a case file names one of parser, parsers, multiline"),
        ("parser: p\nparsers: [q]\ncases: []\n", ":1: a case file names one of"),
        ("parser: p\n", ":1: a case file needs the key cases"),
        ("parser: p\ncases: {}\n", ":2: cases must be a list"),
        ("parser: p\ncases:\n- x\n", ":3: a case must be a mapping"),
        (
            "parser: p\ncases:\n- {name: a, lin: x}\n",
            ":3: lin is no key of a case; did you mean line?",
        ),
        ("parser: p\ncases:\n- {name: a}\n", ":3: a case has a line, or lines"),
        ("parser: p\ncases:\n- {line: a}\n", ":3: a case needs a name"),
        ("parser: p\ncases:\n- {name: a, line: [x]}\n", ":3: line must be a text"),
        ("parser: p\ncases:\n- {name: [a], line: x}\n", ":3: name must be a text"),
        ("parser: p\ncases:\n- {name: a, line: !join [[x]]}\n", ":3: a repeated part of !join is"),
        (
            "parser: p\ncases:\n- {name: a, line: !bytes 'あ'}\n",
            ":3: line: !bytes takes the characters",
        ),
        ('parser: p\ncases:\n- {name: a, line: "x\\ny"}\n', ":3: a line ends at its newline"),
        (
            "parser: p\ncases:\n- {name: a, line: x, expected: no}\n",
            ":3: expected is a record or unmatched",
        ),
        (
            "parser: p\ncases:\n- {name: a, line: x, expected: {tim: x}}\n",
            ":3: tim is no key of a record",
        ),
        *(
            (f"parser: p\ncases:\n- name: a\n  line: x\n  expected: {expected}\n", f":5: {error}")
            for expected, error in (
                (
                    "{time: yesterday, fields: {}}",
                    "time is now or like 2016-10-06T09:17:09.5+09:00",
                ),
                ("{time: 2016-10-06, fields: {}}", "time is now or like"),
                ("{time: 2016-13-06T00:00:00Z, fields: {}}", "time is now or like"),
                ("{time: 2016-10-06T24:00:00Z, fields: {}}", "time is now or like"),
                ("{time: 2016-10-06T00:00:00.1234567890Z, fields: {}}", "time is now or like"),
                ("{time: [now], fields: {}}", "time must be a text"),
                ("{time: now}", "a record has fields, and a time, or lost: true"),
                ("{fields: {}}", "a record has fields, and a time, or lost: true"),
                ("{time: now, lost: true, fields: {}}", "a record has fields, and a time, or lost"),
                ("{lost: no, fields: {}}", "lost is true, or is not said"),
                ("{time: now, fields: [a]}", "fields must be a mapping"),
                ("{time: now, fields: {[a]: 1}}", "a key of fields must be a text"),
                ("{time: now, fields: {a: 1, a: 2}}", "a stands twice in fields"),
                ("{unmatched: x, time: now}", "a record that is unmatched has nothing else"),
                ("{unmatched: [x]}", "unmatched must be a text"),
                ("{time: now, fields: {a: !byte x}}", "a value: !byte is no tag here"),
                (
                    "{time: now, fields: {a: !!binary eA==}}",
                    "a value: tag:yaml.org,2002:binary is no",
                ),
                ("{time: now, fields: {a: !!int 'x: y'}}", "'x: y' is no int"),
                ("{time: now, fields: {a: !!int '*x'}}", "'*x' is no int"),
                ("{time: now, fields: {a: !!bool '5'}}", "'5' is no bool"),
                ("{time: now, fields: {a: !!float ''}}", "'' is no float"),
            )
        ),
        (
            "parser: p\ncases:\n- {name: a, line: !join [[x, 99999999999]]}\n",
            ":3: a repeated part of !join is [text, count]",
        ),
        (
            "parser: p\ncases:\n- {name: a, line: !join [[x, 40000000], [x, 40000000]]}\n",
            ":3: !join makes more than 64 MiB of this file",
        ),
        ("parser: p\ncases:\n- {name: a, line: !bites x}\n", ":3: line: !bites is no tag here"),
        ("parser: p\nparser: p\ncases: []\n", ":2: parser stands twice"),
        ("a: [\n", ": this is no YAML"),
        (
            "parser: p\ncases:\n- {name: a, line: x, expected: {fields: &a {b: *a}}}\n",
            ": an anchor (&)",
        ),
        ("? [a]\n: b\n", ":1: a key of a case file must be a text"),
        ("", ": a case file is one YAML document"),
    ],
)
def test_a_wrong_case_file_is_one_line_with_its_place(
    text: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        case_file(tmp_path, text)
    assert expected in caught.value.problems[0]


def test_case_files_are_found_and_missing_ones_named(tmp_path: Path) -> None:
    file = case_file(tmp_path, CASES)
    assert find([tmp_path, file.path]) == [file.path, file.path]
    with pytest.raises(UsageError, match="no such file"):
        find([tmp_path / "none.yaml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no case file"):
        find([tmp_path / "empty"])
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "none.yaml")


def test_a_parser_that_no_configuration_has_is_named(
    tmp_path: Path, definitions: Definitions
) -> None:
    with pytest.raises(UsageError, match="there is no parser q"):
        run_all([case_file(tmp_path, "parser: q\ncases:\n- {name: a, line: b}\n")], [definitions])


def test_control_characters_break_neither_the_terminal_nor_the_junit_file(
    tmp_path: Path, definitions: Definitions
) -> None:
    text = 'parser: p\ncases: [{name: "a\\e[31m\\x01", line: x,expected: {time: now, fields: {"\\e": 1}}}]'
    (outcome,) = run(case_file(tmp_path, text), definitions)
    assert "\x1b" not in failure_text(outcome)
    assert r"a\x1b[31m\x01" in failure_text(outcome)
    write_junit(tmp_path / "out.xml", [outcome], 0.5)
    (case,) = ET.parse(tmp_path / "out.xml").getroot().iter("testcase")  # noqa: S314 - written by us
    assert case.get("name") == "a\ufffd[31m\ufffd"


def test_junit_holds_each_case_and_the_text_of_each_failure(
    tmp_path: Path, definitions: Definitions
) -> None:
    wrong = 'line: "x\\0"\n  expected: {time: now, fields: {}}'
    text = CASES.replace("line: x\n  expected: unmatched", wrong)
    outcomes = run(case_file(tmp_path, text), definitions)
    write_junit(tmp_path / "out.xml", outcomes, 0.5)
    suites = ET.parse(tmp_path / "out.xml").getroot()  # noqa: S314 - written by us
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures")) == ("6", "1")
    (failure,) = suites.iter("failure")
    assert "+ record: unmatched" in (failure.text or "")


def test_the_summary_counts(tmp_path: Path, definitions: Definitions) -> None:
    outcomes = run_all([case_file(tmp_path, CASES)], [definitions, definitions])
    assert (
        summary(outcomes, 0.25)
        == "6 cases in 1 files, 1 configurations, 12 checks: all passed (0.25 s)"
    )
    failed = run(case_file(tmp_path, CASES.replace("log: hello", "log: x")), definitions)
    assert "2 of 6 checks failed" in summary(failed, 0.25)


@pytest.mark.parametrize(
    ("parsed", "expected"),
    [
        (Parsed({}), "now"),
        (Parsed({}, 1475713029, 5, 0), "2016-10-06T00:17:09.000000005Z"),
        (Parsed({}, 1475713029, 5, None), "2016-10-06T00:17:09.000000005Z"),
        (Parsed({}, 1475713029, 5, 32400), "2016-10-06T09:17:09.000000005+09:00"),
        (Parsed({}, 1475713029, 5, -12600), "2016-10-05T20:47:09.000000005-03:30"),
        (Parsed({}, 1475713029, 5, 99 * 3600), "2016-10-10T03:17:09.000000005+99:00"),
        (Parsed({}, 0, 5, None), "1970-01-01T00:00:00.000000005Z"),
    ],
)
def test_a_time_is_written_in_the_zone_of_its_line(parsed: Parsed, expected: str) -> None:
    assert time_text(parsed) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b"2016-10-06T00:17:09.5Z stdin F hello",
            "cri stopped at character 27, 'in F hello': wanted `o` or `e` (in `(?<stream>stdout|stderr)`)",
        ),
        (b"2016", "cri stopped at character 5, the end of the line: wanted ` `"),
        ("é stdin".encode(), "cri stopped at character 6, 'in': wanted `o` or `e`"),
    ],
)
def test_explaining_says_where_a_line_stopped_matching(line: bytes, expected: str) -> None:
    taken, lines = explain([cri()], line)
    assert not taken
    assert lines[0].startswith(expected.replace("(in `(?<", "(in (?<").replace("derr)`)", "derr))"))
    assert lines[-1].startswith("no parser takes it")


def test_explaining_shows_fields_times_and_warnings() -> None:
    taken, lines = explain([docker(), cri()], b"2016-10-06T00:17:09Z stdout F hello\r")
    assert taken
    assert (
        lines[0]
        == "docker stopped at character 1, '2016-10-06T00:17:09Z stdout F hello': wanted `{`"
    )
    assert lines[1:3] == ["cri takes it", "  time: now (stamped when it is read)"]
    assert lines[-1] == "  log: 'hello'"
    assert any(text.startswith("  warning: invalid time format") for text in lines)


def test_explaining_shows_where_json_breaks_and_which_parsers_would_take_a_line_too() -> None:
    _, lines = explain([docker(), docker()], b'{"a":"b"')
    assert lines[0].startswith("docker stopped at character 9, the end of the line: wanted JSON: ")
    _, lines = explain([docker(), docker()], b'{"a":1}')
    assert [text for text in lines if "take" in text] == [
        "docker takes it",
        "docker would take it too",
    ]


_VALUES: st.SearchStrategy[object] = st.recursive(
    st.one_of(
        st.binary(max_size=300), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    fields=st.dictionaries(st.text("abc", min_size=1), _VALUES, max_size=3),
    case=st.sampled_from(["- {name: c, line: x}\n", "- name: c\n  line: x # note\n"]),
)
def test_what_an_update_writes_is_read_back_as_it_came(
    fields: dict[str, object], case: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cases") / "a.yaml"
    path.write_text(f"parser: p\ncases:\n{case}# end\n")
    file = read(path)
    actual: Expected = {"time": b"now", "fields": fields}  # type: ignore[dict-item]
    outcome = Outcome(file.cases[0], file, "label", actual, ("differs",))
    assert update([file], [outcome]) == [path]
    assert is_same(read(path).cases[0].expected, actual)
    assert path.read_text().endswith("# end\n")
