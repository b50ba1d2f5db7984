"""Whatever is in the fields, an entry is accepted or not, and the rules only ever leave out."""

from hypothesis import given
from hypothesis import strategies as st

from journal_exporter.journal.fields import Context
from journal_exporter.lines.filters import (
    FACILITIES,
    PRIORITIES,
    EntryFilter,
    facility_of,
    priority_of,
    unit_of,
)

NUMBERS = st.integers(-1, 40).map(lambda number: str(number).encode())
UNITS = st.sampled_from([b"a.service", b"b.service", b"ab.service", b"a.service\n", b"\xff", b""])
GLOBS = st.lists(st.sampled_from(["a*", "*.service", "[ab]*", "a.service", "?.service", "[", "\n"]))


def optional(strategy: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes | None]:
    return st.none() | strategy


CONTEXTS = st.builds(
    Context,
    identifier=optional(st.binary()),
    pid=optional(NUMBERS),
    host=optional(st.binary()),
    priority=optional(NUMBERS | st.binary(max_size=3)),
    facility=optional(NUMBERS | st.binary(max_size=3)),
    transport=optional(st.sampled_from([b"kernel", b"journal"])),
    unit=optional(UNITS | st.binary(max_size=5)),
    subject_unit=optional(UNITS),
)
SELECTIONS = st.builds(
    EntryFilter,
    max_priority=st.integers(0, 7),
    exclude_facilities=st.frozensets(st.integers(0, 23)),
    include_units=GLOBS.map(tuple),
    exclude_units=GLOBS.map(tuple),
)


@given(CONTEXTS)
def test_any_entry_has_a_priority_a_facility_and_a_unit(entry: Context) -> None:
    assert 0 <= priority_of(entry) < len(PRIORITIES)
    assert 0 <= facility_of(entry) < len(FACILITIES)
    assert isinstance(unit_of(entry), str)


@given(SELECTIONS, CONTEXTS)
def test_an_accepted_entry_passes_each_rule_alone(rules: EntryFilter, entry: Context) -> None:
    alone = (
        EntryFilter(rules.max_priority, frozenset()),
        EntryFilter(7, rules.exclude_facilities),
        EntryFilter(7, frozenset(), rules.include_units),
        EntryFilter(7, frozenset(), (), rules.exclude_units),
    )
    assert rules.accepts(entry) == all(rule.accepts(entry) for rule in alone)


@given(CONTEXTS, st.integers(0, 6))
def test_a_wider_priority_accepts_at_least_as_much(entry: Context, level: int) -> None:
    narrow, wide = EntryFilter(level), EntryFilter(level + 1)
    assert wide.accepts(entry) or not narrow.accepts(entry)


@given(CONTEXTS, GLOBS)
def test_no_unit_is_included_and_excluded_by_the_same_globs(
    entry: Context, globs: list[str]
) -> None:
    included = EntryFilter(7, frozenset(), include_units=tuple(globs)).accepts(entry)
    excluded = not EntryFilter(7, frozenset(), exclude_units=tuple(globs)).accepts(entry)
    assert included == (excluded or not globs)
    assert unit_of(entry) or not excluded
