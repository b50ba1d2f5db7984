"""A place in the journal goes through JSON, whole or as the difference to another one."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal_exporter.journal.position import FilePosition, Position
from journal_exporter.journal.run import Place
from tests.support.fakes import cursor

PLACES = st.builds(
    Place, *(st.integers(0, 2**63 - 1) for _ in range(4)), st.sampled_from(["", "b0" * 16])
)
FILES = st.dictionaries(
    st.sampled_from(["f1" * 16, "f2" * 16, "f3" * 16]),
    st.builds(
        FilePosition,
        PLACES,
        st.integers(0, 2**63),
        st.integers(0, 2**64 - 1),
        st.just("5e" * 16),
        st.just("3a" * 16),
        st.booleans(),
    ),
)
POSITIONS = st.builds(Position, st.sampled_from([None, cursor(1).text]), FILES)


def through_json(data: Any) -> Any:  # noqa: ANN401 - JSON
    return json.loads(json.dumps(data))


@given(POSITIONS)
def test_a_position_goes_through_json(position: Position) -> None:
    assert Position.from_json(through_json(position.to_json())) == position


@given(POSITIONS, POSITIONS)
def test_a_difference_gives_the_position_with_its_base(base: Position, position: Position) -> None:
    data = through_json(position.to_json(base))
    assert Position.from_json(data, base) == position
    assert not data["files"].keys() - (position.files or {}).keys()


@given(POSITIONS)
def test_a_position_has_no_difference_to_itself(position: Position) -> None:
    data = position.to_json(position)
    assert (data["files"], data.get("gone")) == ({}, None)


def test_an_earlier_versions_position_has_no_files() -> None:
    numbering = {"ids": [], "read": 0, "lost": 3, "gaps": 1, "recent": []}
    found = Position.from_json({"cursor": cursor(1).text, "numbering": numbering})
    assert found == Position(cursor(1).text, None, numbering)


@pytest.mark.parametrize("missing", ["cursor", "files", "sequences", "copies"])
def test_a_part_that_is_missing_is_an_error(missing: str) -> None:
    data = dict(dataclasses.replace(Position(None)).to_json())
    del data[missing]
    with pytest.raises(KeyError):
        Position.from_json(data)


@pytest.mark.parametrize("file", [[], [1, 2], "text", [1, 2, 3, "x", "b", 1, 1, "s", "m", True]])
def test_a_file_that_is_not_as_written_is_an_error(file: object) -> None:
    data = {**Position(None).to_json(), "files": {"f": file}}
    with pytest.raises((TypeError, ValueError)):
        Position.from_json(data)
