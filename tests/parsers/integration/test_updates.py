"""``--update``: changes what is expected, and nothing else in the file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_observability.errors import UsageError
from node_observability.parsers.cases.diff import is_same
from node_observability.parsers.cases.files import read
from node_observability.parsers.cases.runner import Outcome, run_all
from node_observability.parsers.cases.update import update
from node_observability.parsers.cases.values import Expected
from node_observability.parsers.model.definitions import Definitions
from tests.support.parsers import CASES, CONFIGURATION, Write, definitions_of

RECORD: Expected = {"time": b"now", "fields": {"log": b"new"}}


def updated(tmp_path: Path, text: str, *actual: Expected) -> str:
    """Update each case to what came out of it; return the file's text."""
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    file = read(path)
    outcomes = [
        Outcome(case, file, "label", came, () if is_same(case.expected, came) else ("differs",))
        for case, came in zip(file.cases, actual, strict=True)
    ]
    update([file], outcomes)
    for case, came in zip(read(path).cases, actual, strict=True):
        assert is_same(case.expected, came)
    return path.read_text()


COMMENTED = """\
# the head
parser: p   # which
cases:
# the first
- name: 'café 🚀'   # its name

  line: "x"         # its line
  note: |
    a note # that is no comment
  expected:
    # about the time
    time: now       # when
    fields:
      log: old      # what
      n: 5
# the second
- {name: b, line: y, expected: {time: now, fields: {log: old}}}  # in one line
- name: c
  line: z
  expected: unmatched  # for now

# the end
"""


def test_comments_spaces_and_quotes_are_kept(tmp_path: Path) -> None:
    first: Expected = {"time": b"now", "fields": {"log": b"new", "n": 5}}
    text = updated(tmp_path, COMMENTED, first, RECORD, "unmatched")
    assert text == COMMENTED.replace("log: old ", "log: new ").replace("{log: old}", "{log: new}")


def test_a_record_replaces_unmatched_and_the_other_way_round(tmp_path: Path) -> None:
    head = "parser: p\ncases:\n- name: a\n  line: x\n"
    text = updated(tmp_path, f"{head}  expected: unmatched # why\n# end\n", RECORD)
    assert text == f"{head}  expected:\n    time: now\n    fields:\n      log: new # why\n# end\n"
    text = updated(tmp_path, text.replace(" # why", ""), "unmatched")
    assert text == f"{head}  expected: unmatched\n# end\n"


def test_fields_with_other_keys_are_replaced_in_the_style_of_the_file(tmp_path: Path) -> None:
    head = "parser: p\ncases:\n- name: a\n  line: x\n  expected:\n    time: now\n"
    text = updated(tmp_path, f"{head}    fields: {{a: 1}}  # f\n", RECORD)
    assert text == f"{head}    fields: {{log: new}}  # f\n"
    text = updated(tmp_path, f"{head}    fields:\n      a: 1\n", RECORD)
    assert text == f"{head}    fields:\n      log: new\n"


def test_a_case_without_expected_gets_one(tmp_path: Path) -> None:
    text = "parser: p\ncases:\n- name: a\n  line: x # the line\n- {name: b, line: y}\n"
    assert updated(tmp_path, text, RECORD, "unmatched") == (
        "parser: p\ncases:\n- name: a\n  line: x # the line\n"
        "  expected:\n    time: now\n    fields:\n      log: new\n"
        "- {name: b, line: y, expected: unmatched}\n"
    )
    assert updated(tmp_path, "parser: p\ncases: [{name: a, line: x}]", RECORD).endswith(
        "[{name: a, line: x, expected: {time: now, fields: {log: new}}}]"
    )


def test_each_record_of_a_sequence_is_changed_by_itself(tmp_path: Path) -> None:
    head = "multiline: [cri]\ncases:\n- name: a\n  lines: [x, y]\n  expected:\n"
    first = "  - time: now\n    fields: {log: one}  # one\n"
    two: Expected = {"time": b"now", "fields": {"log": b"one"}}
    text = updated(tmp_path, f"{head}{first}  - unmatched: y\n", [two, RECORD])
    assert text == f"{head}{first}  - time: now\n    fields:\n      log: new\n"
    assert "# one" not in updated(tmp_path, text.replace("  # one", ""), [two])


ANCHORED = """\
- {name: a, line: x, expected: &a {time: now, fields: {}}}
- {name: b, line: y, expected: *a}
"""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "parser: p\ncases:\n- name: a\n  line: x\n  expected:\n    # why\n    unmatched: y\n",
            ":6: --update would remove this comment",
        ),
        (
            f"parser: p\ncases:\n{ANCHORED}",
            ":3: several values share this one through an alias (*)",
        ),
    ],
)
def test_an_update_that_would_lose_something_is_refused_with_its_line(
    text: str, error: str, tmp_path: Path
) -> None:
    cases = text.count("name:")
    with pytest.raises(UsageError) as caught:
        updated(tmp_path, text, *([RECORD] * cases))
    assert error in caught.value.problems[0]
    assert (tmp_path / "cases.yaml").read_text() == text


def test_line_endings_and_file_modes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_bytes(b"parser: p\r\ncases:\r\n- {name: a, line: x, expected: unmatched}\r\n")
    path.chmod(0o640)
    file = read(path)
    update([file], [Outcome(file.cases[0], file, "label", RECORD, ("differs",))])
    assert path.read_bytes().endswith(b"{log: new}}}\r\n")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in tmp_path.iterdir()] == ["cases.yaml"]


def test_bytes_are_written_as_numbers_and_text_is_written_as_it_is(tmp_path: Path) -> None:
    record: Expected = {"time": b"now", "fields": {"a": b"\xe9", "b": "é".encode()}}
    text = updated(tmp_path, "parser: p\ncases:\n- {name: a, line: x}\n", record)
    assert '{a: !bytes "\\xE9", b: é}' in text


def test_a_byte_order_mark_is_kept(tmp_path: Path) -> None:
    first: Expected = {"time": b"now", "fields": {"log": b"new", "n": 5}}
    text = updated(tmp_path, f"\ufeff{COMMENTED}", first, RECORD, "unmatched")
    changed = COMMENTED.replace("log: old ", "log: new ").replace("{log: old}", "{log: new}")
    assert text == f"\ufeff{changed}"


def test_an_update_writes_the_actual_records_and_keeps_the_rest(
    write: Write, definitions: Definitions
) -> None:
    file = read(write("cases.yaml", CASES.replace("{log: hello}", "{log: x}")))
    assert update([file], run_all([file], [definitions])) == [file.path]
    again = read(file.path)
    assert file.path.read_text() == CASES
    outcomes = run_all([again], [definitions])
    assert [outcome.differences for outcome in outcomes] == [()] * 6
    assert update([again], outcomes) == []


def test_an_update_is_refused_where_two_configurations_disagree(
    write: Write, definitions: Definitions
) -> None:
    other = definitions_of(write("b.conf", CONFIGURATION.replace("<log>", "<msg>")))
    file = read(write("cases.yaml", CASES))
    with pytest.raises(UsageError, match="configurations disagree on this case"):
        update([file], run_all([file], [definitions, other]))
    assert file.path.read_text() == CASES


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
def test_the_records_that_an_update_writes_are_read_back_unchanged(
    fields: dict[str, object], case: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    actual: Expected = {"time": b"now", "fields": fields}  # type: ignore[dict-item]
    directory = tmp_path_factory.mktemp("cases")
    assert updated(directory, f"parser: p\ncases:\n{case}# end\n", actual).endswith("# end\n")
