"""Losses by journald's numbers: counted once, exactly, and never made up."""

import json

import pytest

from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.epoch import MAX_BOOTS, MAX_COPIED, Epoch, Gap
from journal_exporter.journal.numbers import sound_numbers
from journal_exporter.journal.sequence import (
    MAX_EPOCHS,
    MAX_KNOWN,
    RECENT_GAPS,
    SequenceTracker,
    not_lost,
)
from tests.support.fakes import cursor
from tests.support.fakes_reading import MACHINE, Reading

USER = "0e" * 16
THIRD = "07" * 16
OTHER_BOOT = "b1" * 16


def system(*numbers: int) -> list[Cursor]:
    return [cursor(number) for number in numbers]


def user(*numbers: int) -> list[Cursor]:
    return [cursor(number, seqnum_id=USER) for number in numbers]


def booted(*numbers: int, seqnum_id: str = "9e" * 16) -> list[Cursor]:
    """Return entries of another boot in a file of its own."""
    return [cursor(number, seqnum_id=seqnum_id, boot_id=OTHER_BOOT) for number in numbers]


def lost(*cursors: Cursor) -> list[Gap]:
    return Reading().read_all(*cursors)


def lost_live(*cursors: Cursor) -> list[Gap]:
    """Return what is lost where each entry is read as soon as it is written."""
    reading = Reading()
    return [gap for one in cursors for gap in reading.read(one)]


def test_the_first_entry_is_no_loss_whatever_its_number() -> None:
    assert lost(*system(1000)) == []


def test_contiguous_numbers_are_no_loss() -> None:
    assert lost(*system(1, 2, 3)) == lost_live(*system(1, 2, 3)) == []


def test_a_loss_is_reported_once_with_the_numbers_that_are_missing() -> None:
    reading = Reading()
    assert reading.read(*system(1)) == []
    assert reading.read(*system(5)) == [Gap(2, 4, 3)]
    assert reading.read(*system(6)) == []
    assert (reading.tracker.lost, reading.tracker.gaps) == (3, 1)


def test_losses_within_a_batch_are_all_reported() -> None:
    assert Reading().read(*system(1, 5, 6, 9)) == [Gap(2, 4, 3), Gap(7, 8, 2)]


def test_a_number_that_a_file_may_still_hold_is_not_lost() -> None:
    reading = Reading()
    assert reading.read(*system(1, 5), unread=user(3)) == []
    assert reading.tracker.has_holes
    assert reading.read(*user(3)) == [Gap(2, 2, 1), Gap(4, 4, 1)]
    assert not reading.tracker.has_holes


def test_holes_above_what_is_unread_wait_and_those_below_do_not() -> None:
    reading = Reading()
    assert reading.read(*system(1, 5, 9), unread=user(7)) == [Gap(2, 4, 3)]
    assert reading.read(*user(7)) == [Gap(6, 6, 1), Gap(8, 8, 1)]


def test_a_loss_is_remembered_with_the_time_of_the_entry_after_it() -> None:
    tracker = SequenceTracker()
    tracker.count(Gap(2, 4, 3), 77)
    assert tracker.snapshot()["recent"] == [[2, 4, 77]]


def test_only_the_latest_gaps_are_remembered_and_all_are_counted() -> None:
    reading, count = Reading(), RECENT_GAPS + 3
    reading.read(*system(*range(2, 2 * count + 3, 2)))
    snapshot = reading.tracker.snapshot()
    assert (snapshot["lost"], snapshot["gaps"]) == (count, count)
    assert len(snapshot["recent"]) == RECENT_GAPS
    assert snapshot["recent"][-1][0] == 2 * count + 1


def test_numbers_that_come_again_in_another_boot_are_a_new_numbering() -> None:
    reading = Reading()
    assert reading.read_all(*system(1, 2, 3), *booted(2, 3)) == []
    assert reading.tracker.restarts == 1


def test_after_a_power_cut_losses_are_counted_from_the_new_numbers() -> None:
    assert lost(*system(*range(1, 8)), *booted(4, 5, 9)) == [Gap(6, 8, 3)]
    assert lost_live(*system(*range(1, 8)), *booted(4, 5, 9)) == [Gap(6, 8, 3)]


def test_a_clean_reboot_continues_the_numbers() -> None:
    reading = Reading()
    after = [cursor(4, boot_id=OTHER_BOOT), cursor(6, boot_id=OTHER_BOOT)]
    assert reading.read_all(*system(2, 3), *after) == [Gap(5, 5, 1)]
    assert reading.tracker.restarts == 0


def test_files_of_one_boot_share_a_counter() -> None:
    mixed = [one for n in range(10, 20) for one in (user(n) if n % 2 else system(n))]
    assert lost_live(*mixed) == []


def test_a_loss_over_several_files_is_counted_once() -> None:
    entries = (*system(1), *user(2), *system(6), *user(7))
    assert lost(*entries) == lost_live(*entries) == [Gap(3, 5, 3)]


@pytest.mark.parametrize("is_alternating", [False, True])
def test_a_backlog_of_several_files_is_no_loss_in_whatever_order_it_is_read(
    *, is_alternating: bool
) -> None:
    entries = [*system(1, 3, 5, 7), *user(2, 6), cursor(4, seqnum_id=THIRD)]
    if is_alternating:
        entries.sort(key=lambda one: one.seqnum % 3)
    assert lost(*entries) == []


def test_a_boot_whose_numbers_are_its_own_is_no_loss() -> None:
    reading = Reading()
    entries = (*system(1, 2), *booted(500), *system(3, 4), *booted(501), *system(5))
    assert reading.read_all(*entries) == []
    assert reading.tracker.restarts == 1


def test_a_file_that_ends_where_another_boot_begins_is_continued() -> None:
    """Journald continues from the highest number of the files that it opens."""
    entries = (*system(1, 2, 3), *user(4, 5), *booted(6, 7))
    assert lost(*entries) == lost_live(*entries) == []


def test_a_file_that_turns_up_after_a_loss_makes_no_number_up() -> None:
    """``SplitMode=uid``: a user's file whose first entries were vacuumed, while others go on."""
    turns = [one for n in range(16, 22) for one in (user(n) if n % 2 == 0 else system(n))]
    for found in (lost(*system(9, 10), *turns), lost_live(*system(9, 10), *turns)):
        assert sum(gap.entries for gap in found) == 5
        assert {n for gap in found for n in range(gap[0], gap[1] + 1)} == set(range(11, 16))


def test_a_power_cut_under_several_files_makes_no_loss_up() -> None:
    before = [one for n in range(9, 13) for one in (user(n) if n % 2 else system(n))]
    after = [
        one for n in range(6, 12) for one in booted(n, seqnum_id=("98" if n % 2 else "97") * 16)
    ]
    assert lost(*before, *after) == lost_live(*before, *after) == []


def test_a_number_that_can_not_be_right_explains_one_that_is_missing() -> None:
    """One flipped bit: the number is above the last one that the header names."""
    reading = Reading()
    flipped = (*system(1, 2), cursor(1 << 44), *system(4))
    assert reading.read(*flipped, tail=4) == []
    assert reading.read(*system(6)) == [Gap(5, 5, 1)]


def test_a_damaged_entry_is_counted_once_and_its_number_is_not_lost_again() -> None:
    reading = Reading()
    reading.read(*system(1))
    assert reading.read(*system(4), damaged=2) == []
    assert (reading.tracker.lost, reading.tracker.gaps) == (2, 1)


def test_damaged_entries_beside_lost_ones_are_told_apart() -> None:
    reading = Reading()
    reading.read(*system(1))
    assert reading.read(*system(6), damaged=1) == [Gap(2, 5, 3)]
    assert reading.tracker.lost == 4


def test_what_was_lost_before_the_first_run_is_not_reported() -> None:
    reading = Reading()
    reading.tracker.begin({MACHINE: 9})
    assert reading.read(*system(1, 5, 9)) == []
    reading.tracker.begun()
    assert reading.read(*system(12)) == [Gap(10, 11, 2)]


def test_a_hole_that_reaches_beyond_the_first_runs_start_counts_from_there() -> None:
    reading = Reading()
    reading.tracker.begin({MACHINE: 4})
    assert reading.read(*system(1, 9)) == [Gap(2, 8, 4)]


def test_where_reading_begins_in_the_middle_what_is_before_is_not_lost() -> None:
    reading = Reading()
    reading.tracker.stand(MACHINE, cursor(1).seqnum_id, cursor(1).boot_id, 7)
    assert reading.read(*system(8, 10)) == [Gap(9, 9, 1)]


def test_a_hole_that_ends_with_the_last_number_of_a_file_is_a_jump_of_the_counter() -> None:
    reading = Reading()
    reading.read(*system(1, 2, 8), unread=user(1))
    reading.tracker.jump("00" * 16, frozenset({7}))
    reading.tracker.jump(MACHINE, frozenset({6}))
    assert reading.tracker.has_holes
    reading.tracker.jump(MACHINE, frozenset({7}))
    assert reading.settle() == []


def test_numbers_whose_entries_are_read_elsewhere_are_not_lost() -> None:
    reading = Reading()
    reading.read(*system(1))
    (key,) = reading.tracker.machines
    reading.tracker.cover(key, 2, 4)
    reading.tracker.cover(key, 9, 8)
    assert reading.read(*system(6)) == [Gap(5, 5, 1)]


def test_entries_of_an_unread_file_that_are_counted_already_are_not_lost_again() -> None:
    reading = Reading()
    reading.read(*system(1))
    reading.tracker.explain(MACHINE, 2, 5, 3)
    assert reading.read(*system(7)) == [Gap(2, 6, 2)]


def test_entries_whose_numbers_were_read_before_stand_for_missing_ones() -> None:
    """Copies of a runtime file that was never seen take numbers, which their originals had."""
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    assert reading.read(*user(3, 4, 5, 6, 11)) == []
    assert reading.read(*user(16)) == [Gap(12, 15, 4)], "they stand for one hole"


def test_where_a_runtime_file_was_read_they_stand_for_any_number_of_missing_ones() -> None:
    tracker = SequenceTracker()
    one = cursor(1)
    key = tracker.enter(MACHINE, one.seqnum_id, one.boot_id, 1, 0)
    tracker.add(key, [1, 2, 3])
    tracker.add(key, [2, 3, 9], has_copies=True)
    assert tracker.settle({key: 9}) == [Gap(4, 8, 3, key)]
    tracker.add(key, [12])
    assert tracker.settle({key: 12}) == [Gap(10, 11, 2, key)], "each stands for one"


def test_a_hole_of_another_size_is_a_loss_although_numbers_were_read_before() -> None:
    """Journald repeats numbers also when it is started again."""
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    assert reading.read(*user(3, 4, 5, 6, 12)) == [Gap(7, 11, 5)]
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    assert reading.read(*user(2, 3, 4, 5, 6, 11)) == [Gap(7, 10, 4)]


def test_behind_copies_with_which_a_new_file_begins_the_counter_goes_on_without_a_loss() -> None:
    """Entry 5 was damaged. Those of a runtime file that was never seen, 6 to 12, are 1 to 7 of a new file."""
    reading = Reading()
    reading.read(*system(1, 2, 3, 4))
    reading.tracker.explain(MACHINE, 5, 5, 1)
    assert reading.read(*user(*range(1, 8), 13)) == []
    assert reading.read(*user(16)) == [Gap(14, 15, 2)]


def test_numbers_above_a_hole_that_were_read_before_stand_for_missing_ones() -> None:
    reading = Reading()
    reading.read(*system(1, 5, 6, 7, 8, 9), unread=user(2))
    assert reading.read(*user(6, 7, 8, 9, 14)) == [Gap(2, 4, 3)]


def test_numbers_of_an_older_file_that_is_read_later_are_read_as_well() -> None:
    reading = Reading()
    reading.read(*system(10, 11, 12))
    reading.read(*user(5, 6, 7, 8, 9))
    third = [cursor(number, seqnum_id=THIRD) for number in (5, 6, 7, 8, 17)]
    assert reading.read(*third) == []


def test_a_number_of_an_id_that_comes_again_after_a_boot_is_a_new_numbering() -> None:
    reading = Reading()
    reading.read(*system(1, 2, 3))
    assert reading.read(cursor(2, boot_id=OTHER_BOOT)) == []
    assert reading.tracker.restarts == 1


def two_numberings() -> SequenceTracker:
    """Return a tracker with numbers up to 40, and with 1 and 2 in another boot."""
    tracker = SequenceTracker()
    first = tracker.enter(MACHINE, USER, "b0" * 16, 1, 0)
    tracker.add(first, list(range(1, 41)))
    second = tracker.enter(MACHINE, THIRD, OTHER_BOOT, 1, 0)
    tracker.add(second, [1, 2])
    assert first != second
    return tracker


@pytest.mark.parametrize(("seqnum_id", "before"), [(THIRD, 0), (USER, 5)])
def test_only_the_first_entry_of_an_id_continues_another_numbering(
    seqnum_id: str, before: int
) -> None:
    tracker = two_numberings()
    key = tracker.enter(MACHINE, seqnum_id, OTHER_BOOT, 9, before)
    tracker.add(key, [9])
    assert tracker.settle({key: 99}) == [Gap(3, 8, 6, key)]


def test_the_first_entry_of_an_id_may_continue_a_file_of_another_numbering_that_is_gone() -> None:
    tracker = two_numberings()
    key = tracker.enter(MACHINE, USER, OTHER_BOOT, 9, 0)
    tracker.add(key, [9])
    assert tracker.settle({key: 99}) == []


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_numbers_that_were_read_before_stand_for_nothing(count: int) -> None:
    """A hole of so few numbers has that size by chance."""
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    gap = Gap(7, 6 + count, count)
    assert reading.read(*user(*range(7 - count, 7), 7 + count)) == [gap]


def test_numbers_of_many_batches_of_copies_stand_for_nothing() -> None:
    reading = Reading()
    reading.read(*system(1))
    (key,) = reading.tracker.machines
    for first in range(2, 4 * MAX_COPIED, 2):
        reading.tracker.cover(key, first, first + 1)
    reading.read(*user(2, 3, 4, 5))
    top = 4 * MAX_COPIED - 1
    assert reading.read(*user(top + 5)) == [Gap(top + 1, top + 4, 4)]


def test_numbers_between_those_of_copies_are_not_those_of_copies() -> None:
    reading = Reading()
    reading.read(*system(*range(1, 10)))
    (key,) = reading.tracker.machines
    reading.tracker.cover(key, 2, 2)
    reading.tracker.cover(key, 9, 9)
    assert reading.read(*user(3, 4, 5, 6, 14)) == []


def numbering_of_its_own(*, has_copies: bool) -> SequenceTracker:
    """Return a tracker of two numberings, the second with numbers that were read twice."""
    tracker = SequenceTracker()
    first = tracker.enter(MACHINE, "5e" * 16, "b0" * 16, 1, 0)
    tracker.add(first, list(range(1, 21)))
    second = tracker.enter(MACHINE, USER, OTHER_BOOT, 5, 0)
    tracker.add(second, [5, 6, 7, 8, 9, 10])
    tracker.add(second, [7, 8, 9, 10], has_copies=has_copies)
    assert first != second
    return tracker


@pytest.mark.parametrize("has_copies", [False, True])
def test_numbers_that_were_read_twice_are_known_when_two_numberings_prove_to_be_one(
    *, has_copies: bool
) -> None:
    tracker = numbering_of_its_own(has_copies=has_copies)
    key = tracker.enter(MACHINE, "5e" * 16, OTHER_BOOT, 21, 20)
    assert list(tracker.machines) == [key]
    assert tracker.snapshot()["ids"] == {"5e" * 16: key, USER: key}
    tracker.add(key, [21, 26])
    assert tracker.settle({key: 99}) == []


def joined(first: list[int], second: list[int]) -> tuple[SequenceTracker, int]:
    """Return a tracker whose two numberings proved to be one, and its key.

    The second numbering is that of two boots.
    """
    tracker = SequenceTracker()
    one = tracker.enter(MACHINE, "5e" * 16, "b0" * 16, first[0], 0)
    tracker.add(one, first)
    other = tracker.enter(MACHINE, USER, OTHER_BOOT, second[0], 0)
    tracker.add(other, second[:-1])
    tracker.add(tracker.enter(MACHINE, USER, "b2" * 16, second[-1], second[-2]), second[-1:])
    key = tracker.enter(MACHINE, "5e" * 16, OTHER_BOOT, first[-1] + 1, first[-1])
    assert list(tracker.machines) == [key]
    tracker.add(key, [first[-1] + 1])
    return tracker, key


def test_when_two_numberings_prove_to_be_one_what_was_read_of_both_is_known() -> None:
    tracker, key = joined([1, 2, 1000], [30, 31, 32, 35, 36])
    assert tracker.boots == {"b0" * 16, OTHER_BOOT, "b2" * 16}
    assert tracker.settle({key: 9999}) == [
        Gap(3, 29, 27, key), Gap(33, 34, 2, key), Gap(37, 999, 963, key)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "again", "gaps"),
    [
        (11, [7, 8, 9, 10], []),
        (11, [9, 10, 11, 12], []),
        (100, [50, 51, 52, 53], [Gap(122, 125, 4)]),
    ],
    ids=["of-one", "of-both", "between"],
)
def test_when_two_numberings_prove_to_be_one_numbers_between_them_were_not_read(
    first: int, again: list[int], gaps: list[Gap]
) -> None:
    tracker, key = joined(list(range(first, first + 21)), [5, 6, 7, 8, 9, 10])
    tracker.add(key, again)
    tracker.add(key, [first + 26])
    assert [gap._replace(epoch=0) for gap in tracker.settle({key: 999})] == gaps


def test_numbers_of_copies_are_known_when_two_numberings_prove_to_be_one() -> None:
    tracker = SequenceTracker()
    first = tracker.enter(MACHINE, "5e" * 16, "b0" * 16, 1, 0)
    tracker.add(first, list(range(1, 21)))
    second = tracker.enter(MACHINE, USER, OTHER_BOOT, 5, 0)
    tracker.cover(second, 5, 10)
    key = tracker.enter(MACHINE, "5e" * 16, OTHER_BOOT, 21, 20)
    tracker.add(key, [7, 8, 9, 10])
    tracker.add(key, [21, 26])
    # Without the first numbering's own, which are these as well.
    assert tracker.settle({key: 99}) == [Gap(22, 25, 4, key)]


def test_numbers_of_copies_that_are_known_stand_for_nothing() -> None:
    reading = Reading()
    reading.read(*system(1))
    (key,) = reading.tracker.machines
    reading.tracker.cover(key, 2, 9)
    reading.read(*user(2, 3, 4, 5))
    assert reading.read(*user(14)) == [Gap(10, 13, 4)]


def test_what_was_read_before_stands_for_nothing_once_later_numbers_were_read_to_the_end() -> None:
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    reading.read(*user(3, 4, 5, 6))
    reading.tracker.end_of_files()
    reading.read(*user(7))
    reading.tracker.end_of_files()
    assert reading.read(*user(12)) == [Gap(8, 11, 4)]


def test_what_was_read_before_is_kept_while_nothing_is_read_and_while_more_is_read_again() -> None:
    reading = Reading()
    reading.read(*system(1, 2, 3, 4, 5, 6))
    reading.read(*user(3, 4, 5, 6))
    reading.tracker.end_of_files()
    reading.tracker.end_of_files()
    reading.read(*[cursor(number, seqnum_id=THIRD) for number in (1, 2, 3, 4)])
    reading.read(*user(7))
    reading.tracker.end_of_files()
    assert reading.read(*user(16)) == []


def test_entries_known_to_be_lost_explain_only_the_holes_that_they_may_be_in_and_once() -> None:
    reading = Reading()
    reading.read(*system(1))
    reading.tracker.explain(MACHINE, 8, 12, 1)
    assert reading.read(*system(5)) == [Gap(2, 4, 3)], "they are above"
    assert reading.read(*system(7)) == [Gap(6, 6, 1)], "they are above"
    assert reading.read(*system(9)) == []
    assert reading.read(*system(11)) == [Gap(10, 10, 1)], "it was in the hole before"
    reading.tracker.explain(MACHINE, 8, 12, 1)
    assert reading.read(*system(12, 15)) == [Gap(13, 14, 2)], "they are below"


def test_entries_known_to_be_lost_explain_the_hole_that_nothing_later_can_explain() -> None:
    reading = Reading()
    reading.read(*system(1))
    reading.tracker.explain(MACHINE, 2, 20, 1)
    reading.tracker.explain(MACHINE, 2, 3, 1)
    assert reading.read(*system(3, 10)) == [Gap(4, 9, 5)]


def test_entries_known_to_be_lost_explain_a_hole_of_an_epoch_that_begins_later() -> None:
    reading = Reading()
    reading.tracker.explain(MACHINE, 2, 4, 3)
    assert reading.read(*system(1, 5)) == []
    reading.tracker.end_of_files()
    assert reading.read(*system(7)) == [Gap(6, 6, 1)]


def test_a_file_of_another_epoch_that_is_gone_may_have_made_the_counter_jump() -> None:
    reading = Reading()
    reading.read(*system(40))
    reading.read(*booted(2))
    reading.tracker.explain(MACHINE, 41, 44, 2)
    assert reading.read(*booted(50)) == [Gap(3, 49, 7)]


@pytest.mark.parametrize(
    ("first", "gaps"), [(50, [Gap(3, 49, 47)]), (49, []), (48, [Gap(3, 49, 1)]), (3, [])]
)
def test_the_counter_may_have_jumped_to_any_number_of_the_hole(first: int, gaps: list[Gap]) -> None:
    reading = Reading()
    reading.read(*system(first - 1))
    reading.read(*booted(2))
    reading.tracker.explain(MACHINE, first, first + 60, 1 if first > 3 else 47)
    assert reading.read(*booted(50)) == gaps


def test_what_explains_no_later_hole_is_forgotten_when_every_file_was_read() -> None:
    reading = Reading()
    reading.tracker.explain(MACHINE, 2, 4, 3)
    reading.tracker.explain(MACHINE, 5, 5, 1)
    reading.tracker.explain(MACHINE, 5, 6, 1)
    reading.read(*system(1, 5))
    reading.tracker.end_of_files()
    assert reading.tracker.snapshot()["known"] == {MACHINE: [[5, 6, 1]]}
    assert reading.read(*system(8)) == [Gap(6, 7, 1)]
    reading.tracker.end_of_files()
    assert reading.tracker.snapshot()["known"] == {}


def test_only_the_last_of_what_may_explain_holes_is_remembered() -> None:
    reading = Reading()
    reading.read(*system(1))
    for first in range(2, 2 * MAX_KNOWN + 8, 2):
        reading.tracker.explain(MACHINE, first, first, 1)
    reading.tracker.end_of_files()
    last = 2 * MAX_KNOWN + 6
    known = [[first, first, 1] for first in range(last - 2 * MAX_KNOWN + 2, last + 1, 2)]
    assert reading.tracker.snapshot()["known"] == {MACHINE: known}


def test_a_gap_that_the_output_explains_is_taken_out_of_the_totals() -> None:
    tracker = SequenceTracker()
    tracker.count(Gap(2, 4, 3), 7)
    tracker.count(Gap(9, 9, 1), 8)
    snapshot = tracker.snapshot()
    assert not_lost(snapshot, Gap(2, 4, 3), 0) == snapshot
    partly = not_lost(snapshot, Gap(2, 4, 3), 2)
    assert (partly["lost"], partly["gaps"], len(partly["recent"])) == (2, 2, 2)
    whole = not_lost(snapshot, Gap(2, 4, 3), 3)
    assert (whole["lost"], whole["gaps"], whole["recent"]) == (1, 1, [[9, 9, 8]])


def test_a_snapshot_goes_through_json_and_continues_the_same() -> None:
    first, second = Reading(), Reading()
    for reading in (first, second):
        reading.read(*system(1), *user(2), *system(5, 6), unread=user(3))
    second.restart()
    assert second.tracker.snapshot() == first.tracker.snapshot()
    for entries in (system(9), user(10), booted(2), user(12)):
        assert second.read(*entries) == first.read(*entries)
    assert second.tracker.snapshot() == first.tracker.snapshot()


def test_a_snapshot_does_not_change_with_what_is_read_later() -> None:
    reading = Reading()
    reading.read(*system(1, 3), unread=system(2))
    text = json.dumps(taken := reading.tracker.snapshot())
    reading.read(*system(9))
    reading.tracker.begin({MACHINE: 9})
    assert json.dumps(taken) == text


def test_many_ids_are_kept_and_those_without_a_file_are_forgotten() -> None:
    reading = Reading()
    ids = [f"{number:032x}" for number in range(1, 301)]
    for number, seqnum_id in enumerate(ids, 1):
        assert reading.read(cursor(number, seqnum_id=seqnum_id)) == []
    assert list(reading.tracker.snapshot()["ids"]) == ids
    reading.tracker.keep_ids(frozenset(ids[:2]))
    # The last one is kept for the epoch, which would end without any id.
    assert list(reading.tracker.snapshot()["ids"]) == [*ids[:2], ids[-1]]
    assert reading.read(cursor(303, seqnum_id=ids[0])) == [Gap(301, 302, 2)]


def test_numbers_that_were_read_below_a_hole_are_known_when_their_numbering_proves_to_be_another() -> (
    None
):
    """Files of new users are read before the system's, which shows that nothing is new."""
    reading = Reading()
    reading.read(*system(1))
    entries = [
        *booted(14, 15, seqnum_id=USER),
        *booted(12, seqnum_id=THIRD),
        *system(*range(2, 11)),
        cursor(11, boot_id=OTHER_BOOT),
        cursor(13, boot_id=OTHER_BOOT),
    ]
    assert reading.read_all(*entries) == []
    assert reading.tracker.snapshot()["lost"] == 0


def test_the_oldest_numberings_of_which_no_file_is_left_are_forgotten() -> None:
    reading = Reading()
    ids = [f"{number:032x}" for number in range(MAX_EPOCHS + 3)]
    for seqnum_id in ids:
        assert reading.read(cursor(1, seqnum_id=seqnum_id, boot_id=seqnum_id)) == []
    reading.tracker.keep_ids(frozenset(ids[:1]))
    assert list(reading.tracker.snapshot()["ids"]) == [ids[0], *ids[3:]]
    assert reading.tracker.restarts == MAX_EPOCHS + 2


def test_losses_of_any_number_of_numberings_that_are_read_in_turn_are_counted() -> None:
    reading = Reading()
    ids = [f"{number:032x}" for number in range(3 * MAX_EPOCHS)]
    for first in (1, 4, 7):
        for seqnum_id in ids:
            gaps = reading.read(cursor(first, seqnum_id=seqnum_id, boot_id=seqnum_id))
            assert gaps == ([Gap(first - 2, first - 1, 2)] if first > 1 else [])
        reading.tracker.keep_ids(frozenset(ids))


def test_the_oldest_boots_of_a_numbering_are_forgotten() -> None:
    reading = Reading()
    for number in range(1, MAX_BOOTS + 3):
        assert reading.read(cursor(number, boot_id=f"{number:032x}")) == []
    assert reading.tracker.boots == {f"{number:032x}" for number in range(3, MAX_BOOTS + 3)}


def test_the_totals_of_an_earlier_version_are_taken_over() -> None:
    tracker = SequenceTracker()
    tracker.take_over({"ids": [], "read": 9, "lost": 3, "gaps": 1, "recent": [[2, 4, 77]]})
    assert (tracker.read, tracker.lost, tracker.gaps) == (9, 3, 1)
    assert tracker.snapshot()["recent"] == [[2, 4, 77]]


@pytest.mark.parametrize(
    ("numbers", "before", "tail", "sound"),
    [
        ([1, 2, 3], 0, 3, [1, 2, 3]),
        ([1, 5, 9], 0, 9, [1, 5, 9]),
        ([1, 1 << 44, 3], 0, 3, [1, 0, 3]),
        ([1, 7, 3, 4], 0, 9, [1, 0, 3, 4]),
        ([4, 5], 4, 9, [0, 5]),
        ([5, 0, 7], 4, 7, [5, 0, 7]),
        ([5, 6, 5, 7], 4, 7, [5, 6, 0, 7]),
        ([12, 13, 15, 16, 1], 0, 17, [12, 13, 15, 16, 0]),
        ([90, 13, 15, 16, 20], 0, 99, [0, 13, 15, 16, 20]),
        ([1 << 44], 0, 3, [0]),
    ],
)
def test_numbers_that_can_not_be_right_are_zero(
    numbers: list[int], before: int, tail: int, sound: list[int]
) -> None:
    assert sound_numbers(numbers, before, tail) == sound


def test_numbers_that_were_read_before_are_found_in_every_range_above_a_hole() -> None:
    """Of two files that journald writes in turn every number is a range of its own."""
    epoch = Epoch("m", floor=0, begin=1)
    for number in range(1, 40_000, 2):
        epoch.read(number, number, has_copies=True)
    assert epoch.again == 0
    epoch.read(10, 20, has_copies=True)
    assert epoch.again == 5
    epoch.read(2, 40_000, has_copies=True)
    assert epoch.again == 5 + 19_999 + 6
    assert not epoch.above
