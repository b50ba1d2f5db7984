"""Case files: which ones are read, and one line with its place for each mistake."""

from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.cases.files import find, read
from tests.support.parsers import CASES, Write

HEAD = "parser: p\ncases:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "parser: p\ncases: []\nparsr: q\n",
            ":3: unknown key parsr of a case file; did you mean parser?",
        ),
        ("parser: p\ncases: []\n", ":2: cases is empty; add a case"),
        ("cases: []\n", ":1: a case file needs exactly one of the keys parser, parsers, multiline"),
        ("parser: p\nparsers: [q]\ncases: []\n", ":1: a case file needs exactly one of"),
        ("parser: p\n", ":1: a case file needs the key cases"),
        ("parser: p\ncases: {}\n", ":2: cases must be a list"),
        ("parser: p\nparser: p\ncases: []\n", ":2: the key parser stands twice in a case file"),
        ("a: [\n", ": not YAML"),
        ("? [a]\n: b\n", ":1: a key of a case file must be text"),
        ("", ": is empty; a case file must be a YAML document"),
        *(
            (f"{HEAD}- {case}\n", f":3: {error}")
            for case, error in (
                ("x", "a case must be a mapping"),
                ("{name: a, lin: x}", "unknown key lin of a case; did you mean line?"),
                ("{name: a}", "a case needs either line or lines"),
                ("{line: a}", "a case needs a name"),
                ("{name: a, line: [x]}", "line must be text"),
                ("{name: [a], line: x}", "name must be text"),
                ("{name: a, line: !join [[x]]}", "a repeated part of !join must be [TEXT, COUNT]"),
                ("{name: a, line: !bytes 'あ'}", "line: !bytes takes only the characters"),
                ('{name: a, line: "x\\ny"}', "a line can't contain a newline"),
                ("{name: a, line: x, expected: no}", "expected must be a record or unmatched"),
                ("{name: a, line: x, expected: {tim: x}}", "unknown key tim of a record"),
                ("{name: a, line: x, expected: {fields: &a {b: *a}}}", "an alias (*)"),
                (
                    "{name: a, line: !join [[x, 99999999999]]}",
                    "a repeated part of !join must be [TEXT, COUNT]",
                ),
                (
                    "{name: a, line: !join [[x, 40000000], [x, 40000000]]}",
                    "the !join parts of this file exceed 64 MiB",
                ),
                ("{name: a, line: !bites x}", "line: unknown tag !bites"),
            )
        ),
        *(
            (f"{HEAD}- name: a\n  line: x\n  expected: {expected}\n", f":5: {error}")
            for expected, error in (
                (
                    "{time: yesterday, fields: {}}",
                    "time must be now or like 2016-10-06T09:17:09.5+09:00",
                ),
                ("{time: 2016-10-06, fields: {}}", "time must be now or like"),
                ("{time: 2016-13-06T00:00:00Z, fields: {}}", "time must be now or like"),
                ("{time: 2016-10-06T24:00:00Z, fields: {}}", "time must be now or like"),
                ("{time: 2016-10-06T00:00:00.1234567890Z, fields: {}}", "time must be now or like"),
                ("{time: [now], fields: {}}", "time must be text"),
                ("{time: now}", "a record needs fields and either time or lost: true"),
                ("{fields: {}}", "a record needs fields and either time or lost: true"),
                (
                    "{time: now, lost: true, fields: {}}",
                    "a record needs fields and either time or lost",
                ),
                ("{lost: no, fields: {}}", "lost must be true"),
                ("{time: now, fields: [a]}", "fields must be a mapping"),
                ("{time: now, fields: {[a]: 1}}", "a key of fields must be text"),
                ("{time: now, fields: {a: 1, a: 2}}", "the key a stands twice in fields"),
                ("{unmatched: x, time: now}", "a record with unmatched can't have other keys"),
                ("{unmatched: [x]}", "unmatched must be text"),
                (
                    "{time: now, fields: {a: !byte x}}",
                    "a value: unknown tag !byte; use !bytes or !join",
                ),
                (
                    "{time: now, fields: {a: !!binary eA==}}",
                    "a value: unknown tag tag:yaml.org,2002:binary",
                ),
                ("{time: now, fields: {a: !!int 'x: y'}}", "'x: y' is not a valid int"),
                ("{time: now, fields: {a: !!int '*x'}}", "'*x' is not a valid int"),
                ("{time: now, fields: {a: !!bool '5'}}", "'5' is not a valid bool"),
                ("{time: now, fields: {a: !!float ''}}", "'' is not a valid float"),
            )
        ),
    ],
)
def test_a_mistake_in_a_case_file_is_one_line_with_its_place(
    text: str, expected: str, write: Write
) -> None:
    with pytest.raises(UsageError) as caught:
        read(write("cases.yaml", text))
    assert expected in caught.value.problems[0]


def test_case_files_are_found_and_missing_ones_are_reported(write: Write, tmp_path: Path) -> None:
    path = write("cases.yaml", CASES)
    assert find([tmp_path, path]) == [path, path]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no case file"):
        find([tmp_path / "empty"])
    with pytest.raises(UsageError, match="No such file"):
        find([tmp_path / "none.yaml"])
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.yaml")
