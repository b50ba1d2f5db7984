"""Lines that are in the output already are distinguished from lines that are missing."""

import pytest

from journal_exporter.journal.sequence import Gap
from journal_exporter.output.replay import MAX_MISSES, Replay

A, B, C, D = b"line a\n", b"line b\n", b"line c\n", b"line d\n"
MARKER = b"3 entries lost\n"


def appended(tail: bytes, *lines: bytes) -> tuple[Replay, list[bytes]]:
    replay = Replay(tail)
    return replay, [replay.offer(line) for line in lines]


def counters(replay: Replay) -> tuple[int, int, int]:
    return replay.suppressed, replay.finished_torn, replay.mismatches


def test_with_nothing_after_the_checkpoint_every_line_is_written() -> None:
    replay, found = appended(b"", A, B)
    assert found == [A, B]
    assert replay.is_over
    assert counters(replay) == (0, 0, 0)


def test_a_line_that_is_there_is_not_written_again() -> None:
    replay, found = appended(A + B, A, B, C)
    assert found == [b"", b"", C]
    assert counters(replay) == (2, 0, 0)


def test_it_is_over_once_the_whole_tail_is_matched() -> None:
    replay = Replay(A + B)
    replay.offer(A)
    assert not replay.is_over
    replay.offer(B)
    assert replay.is_over


def test_a_torn_line_is_finished() -> None:
    replay, found = appended(A + b"line", A, B, C)
    assert found == [b"", b" b\n", C]
    assert replay.is_over
    assert counters(replay) == (1, 1, 0)


def test_a_line_that_lacks_only_its_end_is_finished() -> None:
    assert appended(B[:-1], B)[1] == [b"\n"]


def test_a_torn_line_of_another_program_is_ended_first() -> None:
    replay, found = appended(A + b"not ours", A, B, C)
    assert found == [b"", b"\n" + B, C]
    assert counters(replay) == (1, 0, 1)


def test_a_torn_line_is_ended_only_once() -> None:
    replay, found = appended(b"not ours", A, B)
    assert found == [b"\n" + A, B]
    assert replay.close() == b""


def test_a_torn_line_that_is_found_late_is_not_finished_twice() -> None:
    _, found = appended(b"foreign\nline", b"other\n", A)
    assert found == [b"\nother\n", A]


def test_zeros_that_a_power_cut_left_are_ended_first() -> None:
    replay, found = appended(A + bytes(4096), A, B)
    assert found == [b"", b"\n" + B]
    assert counters(replay) == (1, 0, 1)


def test_lines_of_another_program_in_between_are_skipped() -> None:
    replay, found = appended(A + b"foreign\n" + B, A, B, C)
    assert found == [b"", b"", C]
    assert replay.is_over
    assert counters(replay) == (2, 0, 1)


def test_lines_after_foreign_ones_are_appended() -> None:
    replay, found = appended(A + b"foreign\n", A, B, C)
    assert found == [b"", B, C]
    assert counters(replay) == (1, 0, 1)


def test_foreign_lines_before_a_torn_one_do_not_hide_it() -> None:
    replay, found = appended(A + b"foreign\nline b", A, B, C)
    assert found == [b"", b"\n", C]
    assert counters(replay) == (1, 1, 1)


def test_a_line_is_looked_for_at_a_lines_start_only() -> None:
    _, found = appended(b"foreign " + A, A)
    assert found == [A]


def test_an_empty_line_of_another_program_is_skipped() -> None:
    replay, found = appended(b"\n" + A, A, B)
    assert found == [b"", B]
    assert counters(replay) == (1, 0, 1)


def test_a_place_is_passed_only_once() -> None:
    _, found = appended(A + B + C, B, A)
    assert found == [b"", A]


def test_equal_lines_are_matched_one_to_one() -> None:
    replay, found = appended(A + A, A, A, A)
    assert found == [b"", b"", A]
    assert counters(replay) == (2, 0, 0)


def test_what_never_matches_is_given_up() -> None:
    replay = Replay(b"foreign\n" * 3)
    lines = [b"%d\n" % number for number in range(MAX_MISSES)]
    for line in lines[:-1]:
        assert replay.offer(line) == line
        assert not replay.is_over
    assert replay.offer(lines[-1]) == lines[-1]
    assert replay.is_over
    assert counters(replay) == (0, 0, 1)


def test_a_match_starts_the_count_of_misses_again() -> None:
    replay = Replay(b"foreign\n" + A + b"foreign\n")
    for number in range(MAX_MISSES - 1):
        replay.offer(b"%d\n" % number)
    assert replay.offer(A) == b""
    replay.offer(b"other\n")
    assert not replay.is_over
    assert replay.mismatches == 3


def test_giving_up_ends_a_torn_line_and_counts_a_mismatch() -> None:
    replay, _ = appended(A + b"torn", A)
    assert replay.close() == b"\n"
    assert replay.is_over
    assert counters(replay) == (1, 0, 1)
    assert replay.close() == b""


def test_giving_up_whole_lines_needs_no_line_end() -> None:
    replay = Replay(A)
    assert replay.close() == b""
    assert replay.is_over
    assert replay.mismatches == 1


def test_giving_up_when_nothing_is_left_counts_no_mismatch() -> None:
    replay, _ = appended(A, A)
    assert replay.close() == b""
    assert replay.mismatches == 0


def test_lines_of_entries_that_are_gone_reduce_the_gap() -> None:
    replay, _ = appended(A + B + C + D, A)
    assert replay.reduce_gap(Gap(2, 3), MARKER, D) is None
    assert replay.offer(D) == b""
    assert counters(replay) == (4, 0, 1)


def test_the_rest_of_a_gap_is_left() -> None:
    replay, _ = appended(A + B, A)
    assert replay.reduce_gap(Gap(2, 6), MARKER, D) == Gap(3, 6)
    assert replay.is_over
    assert replay.offer(D) == D


def test_lines_reduce_a_gap_when_no_line_follows() -> None:
    replay = Replay(A + B)
    assert replay.reduce_gap(Gap(1, 2), MARKER, None) is None
    assert replay.is_over


def test_a_gap_that_is_marked_already_is_left_whole() -> None:
    replay = Replay(A + MARKER + D)
    replay.offer(A)
    assert replay.reduce_gap(Gap(2, 4), MARKER, D) == Gap(2, 4)
    assert replay.offer(MARKER) == b""
    assert replay.offer(D) == b""
    assert counters(replay) == (3, 0, 0)


def test_a_gap_that_is_marked_first_of_all_is_left_whole() -> None:
    replay = Replay(MARKER + A)
    assert replay.reduce_gap(Gap(2, 4), MARKER, None) == Gap(2, 4)
    assert replay.offer(MARKER) == b""


def test_a_gap_after_the_tail_is_left_whole() -> None:
    assert Replay(b"").reduce_gap(Gap(2, 4), MARKER, D) == Gap(2, 4)


def test_a_gap_right_before_the_line_that_is_there_is_left_whole() -> None:
    replay = Replay(D)
    assert replay.reduce_gap(Gap(2, 4), MARKER, D) == Gap(2, 4)
    assert replay.offer(D) == b""
    assert counters(replay) == (1, 0, 0)


def test_a_torn_line_after_a_reduced_gap_is_finished() -> None:
    replay = Replay(A + D[:3])
    assert replay.reduce_gap(Gap(1, 1), MARKER, D) is None
    assert replay.offer(D) == D[3:]
    assert counters(replay) == (1, 1, 1)


def test_a_torn_line_does_not_reduce_a_gap() -> None:
    replay = Replay(A + b"torn")
    assert replay.reduce_gap(Gap(1, 2), MARKER, None) == Gap(2, 2)
    assert replay.close() == b"\n"


@pytest.mark.parametrize("more", [0, 3])
def test_more_lines_than_lost_entries_leave_no_gap(more: int) -> None:
    replay = Replay(A * (2 + more))
    assert replay.reduce_gap(Gap(1, 2), MARKER, None) is None
