"""Gaps by journald's numbers: counted once, exactly, and never invented."""

import json

import pytest

from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.sequence import (
    MAX_IDS,
    RECENT_GAPS,
    Gap,
    SequenceEvent,
    SequenceTracker,
    last_seqnums,
)
from tests.support.fakes import cursor

USER = "0e" * 16
OTHER_BOOT = "b1" * 16


def observed(*cursors: Cursor) -> tuple[SequenceTracker, list[tuple[SequenceEvent, Gap | None]]]:
    sequence = SequenceTracker()
    return sequence, [sequence.observe(each) for each in cursors]


def events(*cursors: Cursor) -> list[SequenceEvent]:
    return [event for event, _ in observed(*cursors)[1]]


def gaps(*cursors: Cursor) -> list[Gap]:
    return [gap for _, gap in observed(*cursors)[1] if gap is not None]


def test_a_gap_has_both_ends() -> None:
    assert Gap(5, 5).entries == 1
    assert Gap(5, 9).entries == 5


def test_the_first_entry_leaves_no_gap_whatever_its_number() -> None:
    assert observed(cursor(1000))[1] == [(SequenceEvent.NEXT, None)]


def test_contiguous_numbers_leave_no_gap() -> None:
    assert events(cursor(1), cursor(2), cursor(3)) == [SequenceEvent.NEXT] * 3


def test_a_gap_is_reported_with_the_numbers_that_are_missing() -> None:
    assert observed(cursor(1), cursor(5))[1][-1] == (SequenceEvent.GAP, Gap(2, 4))


def test_a_gap_is_counted_once() -> None:
    sequence, found = observed(cursor(1), cursor(5), cursor(6), cursor(6))
    assert [gap for _, gap in found] == [None, Gap(2, 4), None, None]
    snapshot = sequence.snapshot()
    assert (snapshot["lost"], snapshot["gaps"]) == (3, 1)


def test_a_gap_is_remembered_with_the_time_of_the_entry_after_it() -> None:
    sequence, _ = observed(cursor(1), cursor(5))
    assert sequence.snapshot()["recent"] == [[2, 4, cursor(5).realtime_us]]


def test_only_the_latest_gaps_are_remembered_and_all_are_counted() -> None:
    count = RECENT_GAPS + 3
    sequence, _ = observed(*(cursor(2 * n) for n in range(1, count + 2)))
    snapshot = sequence.snapshot()
    assert (snapshot["lost"], snapshot["gaps"]) == (count, count)
    assert len(snapshot["recent"]) == RECENT_GAPS
    assert snapshot["recent"][-1][0] == 2 * count + 1


def test_an_entry_that_was_seen_is_repeated_and_changes_nothing() -> None:
    sequence, _ = observed(cursor(1), cursor(2), cursor(3))
    before = sequence.snapshot()
    assert sequence.observe(cursor(2)) == (SequenceEvent.REPEATED, None)
    assert sequence.snapshot() == before


def test_a_number_that_repeats_in_another_boot_is_a_restart() -> None:
    again = cursor(2, boot_id=OTHER_BOOT, monotonic_us=1)
    assert events(cursor(1), cursor(2), cursor(3), again)[-1] is SequenceEvent.RESTARTED


def test_a_number_that_repeats_later_in_the_boot_is_a_restart() -> None:
    again = cursor(2, monotonic_us=cursor(3).monotonic_us + 1)
    assert events(cursor(2), cursor(3), again)[-1] is SequenceEvent.RESTARTED


def test_after_a_power_cut_gaps_are_counted_from_the_new_numbers() -> None:
    rewound = [
        cursor(n, boot_id=OTHER_BOOT, monotonic_us=n, realtime_us=2**51 + n) for n in (4, 5, 9)
    ]
    assert gaps(*map(cursor, range(1, 8)), *rewound) == [Gap(6, 8)]


def test_a_clean_reboot_continues_the_numbers() -> None:
    booted = cursor(4, boot_id=OTHER_BOOT, monotonic_us=1)
    assert events(cursor(2), cursor(3), booted) == [SequenceEvent.NEXT] * 3


def test_an_id_that_continues_the_numbers_shares_their_counter() -> None:
    mixed = [cursor(n, seqnum_id=USER) if n % 2 else cursor(n) for n in range(10, 20)]
    assert events(*mixed) == [SequenceEvent.NEXT] * 10


def test_a_gap_over_several_ids_is_counted_once() -> None:
    entries = (cursor(1), cursor(2, seqnum_id=USER), cursor(6), cursor(7, seqnum_id=USER))
    assert gaps(*entries) == [Gap(3, 5)]


def test_an_id_with_its_own_numbers_loses_nothing() -> None:
    entries = [cursor(1), cursor(2), cursor(500, seqnum_id=USER), cursor(3), cursor(4)]
    entries += [cursor(501, seqnum_id=USER), cursor(5)]
    assert gaps(*entries) == []
    assert events(*entries).count(SequenceEvent.RESTARTED) == 1


def test_ids_that_met_by_chance_are_separated_again() -> None:
    met = [cursor(1), cursor(2, seqnum_id=USER)]
    parted = [cursor(2), cursor(3, seqnum_id=USER), cursor(3), cursor(4)]
    assert gaps(*met, *parted) == []


def test_an_id_within_the_gap_of_another_has_its_own_numbers() -> None:
    met = [cursor(1), cursor(2, seqnum_id=USER), cursor(6, seqnum_id=USER)]
    assert gaps(*met, cursor(4), cursor(5), cursor(7, seqnum_id=USER)) == [Gap(3, 5)]


def test_a_flushed_runtime_journal_loses_nothing() -> None:
    runtime, persistent = [cursor(n) for n in (1, 2, 3)], "9e" * 16
    after = [cursor(n, seqnum_id=persistent, monotonic_us=10**6 + n) for n in (7, 8, 11)]
    assert gaps(*runtime, *after) == [Gap(9, 10)]


def test_a_number_is_not_taken_from_an_id_whose_gap_it_could_fill() -> None:
    entries = (cursor(1), cursor(5), cursor(3, monotonic_us=1))
    assert events(*entries)[-1] is SequenceEvent.REPEATED


def test_a_snapshot_survives_json_and_continues_the_same() -> None:
    first, _ = observed(cursor(1), cursor(2, seqnum_id=USER), cursor(5), cursor(6))
    second = SequenceTracker(json.loads(json.dumps(first.snapshot())))
    assert second.snapshot() == first.snapshot()
    for entry in (cursor(9), cursor(10, seqnum_id=USER), cursor(4), cursor(6)):
        assert second.observe(entry) == first.observe(entry)
    assert second.snapshot() == first.snapshot()


def test_a_snapshot_does_not_change_with_what_is_read_later() -> None:
    sequence, _ = observed(cursor(1), cursor(3))
    text = json.dumps(taken := sequence.snapshot())
    sequence.observe(cursor(9))
    assert json.dumps(taken) == text


def test_a_snapshot_has_the_last_number_of_each_id() -> None:
    sequence, _ = observed(cursor(1), cursor(2, seqnum_id=USER), cursor(3))
    assert last_seqnums(sequence.snapshot()) == {cursor(1).seqnum_id: 3, USER: 2}


def test_the_ids_read_longest_ago_are_forgotten() -> None:
    entries = [cursor(n, seqnum_id=f"{n:032x}") for n in range(1, MAX_IDS + 1)]
    entries.append(cursor(MAX_IDS + 1, seqnum_id=f"{1:032x}"))
    entries.append(cursor(MAX_IDS + 2, seqnum_id="f" * 32))
    sequence, found = observed(*entries)
    assert [gap for _, gap in found if gap] == []
    kept = last_seqnums(sequence.snapshot())
    assert len(kept) == MAX_IDS
    assert f"{1:032x}" in kept
    assert f"{2:032x}" not in kept


def test_entries_without_a_hole_are_accepted_at_once() -> None:
    sequence, _ = observed(cursor(1))
    assert sequence.continues(cursor(2), cursor(9), 8)
    sequence.advance(cursor(9))
    assert sequence.observe(cursor(10)) == (SequenceEvent.NEXT, None)
    assert sequence.observe(cursor(12)) == (SequenceEvent.GAP, Gap(11, 11))


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (cursor(3), cursor(9), 7),
        (cursor(2), cursor(9), 7),
        (cursor(2), cursor(9), 9),
        (cursor(1), cursor(8), 8),
        (cursor(2), cursor(9, seqnum_id=USER), 8),
        (cursor(2, seqnum_id=USER), cursor(9, seqnum_id=USER), 8),
    ],
    ids=["hole-before", "hole-within", "too-many", "seen", "other-end", "other-id"],
)
def test_entries_that_may_have_a_hole_are_read_precisely(
    first: Cursor, last: Cursor, count: int
) -> None:
    sequence, _ = observed(cursor(1))
    assert not sequence.continues(first, last, count)


def test_entries_of_an_id_that_was_not_the_last_one_read_are_read_precisely() -> None:
    sequence, _ = observed(cursor(1), cursor(2, seqnum_id=USER))
    assert not sequence.continues(cursor(2), cursor(9), 8)


def test_nothing_continues_nothing() -> None:
    assert not SequenceTracker().continues(cursor(1), cursor(1), 1)


def test_an_id_that_appears_after_a_gap_invents_no_gap() -> None:
    """``SplitMode=uid``: a user's file whose first entries were vacuumed, while other ids continue."""
    system = [cursor(9), cursor(10)]
    turns = [cursor(n, seqnum_id=USER) if n % 2 == 0 else cursor(n) for n in range(16, 22)]
    lost = {number for gap in gaps(*system, *turns) for number in range(gap[0], gap[1] + 1)}
    assert lost <= set(range(11, 16))


def test_a_power_cut_under_several_ids_invents_no_gap() -> None:
    before = [cursor(n, seqnum_id=USER) if n % 2 else cursor(n) for n in range(9, 13)]
    after = [
        cursor(n, seqnum_id=USER if n % 2 else cursor(1).seqnum_id, boot_id=OTHER_BOOT,
               monotonic_us=n, realtime_us=2**51 + n)
        for n in range(6, 12)
    ]  # fmt: skip
    assert gaps(*before, *after) == []


def test_a_flush_into_a_journal_known_from_the_boot_before_loses_nothing() -> None:
    """The copies took numbers 4 to 6; readers pass over them."""
    runtime = [cursor(n, seqnum_id=USER, boot_id=OTHER_BOOT, monotonic_us=n) for n in (1, 2, 3)]
    after = cursor(7, boot_id=OTHER_BOOT, monotonic_us=10)
    assert gaps(cursor(1), cursor(2), cursor(3), *runtime, after) == []


def test_entries_across_a_reboot_are_read_precisely() -> None:
    """Entries 2, 4 and, after a power cut, 4 again: three from 2 to 4, and 3 is lost."""
    sequence, _ = observed(cursor(1))
    assert not sequence.continues(cursor(2), cursor(4, boot_id=OTHER_BOOT, monotonic_us=1), 3)


def test_a_power_cut_before_another_id_continues_loses_nothing() -> None:
    """Number 2 is a user's, and was read; then the counter went back from 4 to 2."""
    before = [cursor(1)] + [cursor(n, seqnum_id=USER, boot_id="b1" * 16) for n in (1, 2, 3, 4)]
    after = cursor(3, boot_id="b2" * 16, monotonic_us=1, realtime_us=2**51)
    assert gaps(*before, after) == []
