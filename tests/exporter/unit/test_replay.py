"""Replay distinguishes what is in the output already from what is missing, in any order."""

import pytest

from journal_exporter.journal.epoch import Gap
from journal_exporter.output.replay import MAX_MISSES, Replay

A, B, C, D = b"line a\n", b"line b\n", b"line c\n", b"line d\n"
MARKER = b"3 entries lost\n"


def offered(tail: bytes, *lines: bytes) -> Replay:
    replay = Replay(tail)
    for line in lines:
        replay.offer(line)
    return replay


def appended(tail: bytes, *lines: bytes) -> tuple[bytes, tuple[int, int, int]]:
    """Return what is appended in the end: its bytes; suppressed, finished and mismatched lines."""
    replay = offered(tail, *lines)
    data = replay.close()
    return data, (replay.suppressed, replay.finished_torn, replay.mismatches)


@pytest.mark.parametrize(
    ("tail", "lines", "data", "counters"),
    [
        pytest.param(b"", [A, B], A + B, (0, 0, 0), id="nothing-there"),
        pytest.param(A + B, [A, B, C], C, (2, 0, 0), id="whole-lines"),
        pytest.param(A + B, [B, A, C], C, (2, 0, 0), id="whole-lines-in-another-order"),
        pytest.param(C, [A, B, C], A + B, (1, 0, 0), id="a-later-line"),
        pytest.param(A + A, [A, A, A], A, (2, 0, 0), id="equal-lines"),
        pytest.param(A + B + A, [A, A, B, B], B, (3, 0, 0), id="equal-lines-apart"),
    ],
)
def test_a_line_that_is_there_is_not_written_again(
    tail: bytes, lines: list[bytes], data: bytes, counters: tuple[int, int, int]
) -> None:
    assert appended(tail, *lines) == (data, counters)


def test_it_is_over_once_everything_there_is_explained() -> None:
    replay = offered(A + B, A)
    assert not replay.is_over
    replay.offer(B)
    assert replay.is_over
    assert offered(b"").is_over
    assert not offered(A + b"line", A).is_over
    assert offered(A + b"line", A, B).is_over


@pytest.mark.parametrize(
    ("tail", "lines", "data"),
    [
        (A + b"line", [A, B, C], b" b\n" + C),
        (B[:-1], [B], b"\n"),
        (A + b"line b", [A, C, B], b"\n" + C),
        (A + b"line b", [B, C, A], b"\n" + C),
    ],
    ids=["start", "only-the-end-missing", "later", "before-a-whole-one"],
)
def test_a_torn_line_is_finished_before_other_lines(
    tail: bytes, lines: list[bytes], data: bytes
) -> None:
    assert appended(tail, *lines) == (data, (len(tail.split(b"\n")) - 1, 1, 0))


@pytest.mark.parametrize(
    ("tail", "lines", "data", "counters"),
    [
        pytest.param(A + b"not ours", [A, B, C], b"\n" + B + C, (1, 0, 1), id="once"),
        pytest.param(b"not ours", [A, B], b"\n" + A + B, (0, 0, 1), id="alone"),
        pytest.param(A + bytes(4096), [A, B], b"\n" + B, (1, 0, 1), id="zeros-of-a-power-cut"),
        pytest.param(A + b"torn", [A], b"\n", (1, 0, 1), id="nothing-follows"),
    ],
)
def test_a_torn_line_of_another_program_is_ended_before_ours(
    tail: bytes, lines: list[bytes], data: bytes, counters: tuple[int, int, int]
) -> None:
    assert appended(tail, *lines) == (data, counters)


@pytest.mark.parametrize(
    ("tail", "lines", "data", "counters"),
    [
        pytest.param(A + b"foreign\n" + B, [A, B, C], C, (2, 0, 1), id="between"),
        pytest.param(A + b"foreign\n", [A, B, C], B + C, (1, 0, 1), id="after"),
        pytest.param(A + b"foreign\nline b", [A, B, C], b"\n" + C, (1, 1, 1), id="before-torn"),
        pytest.param(b"foreign\nline", [b"other\n", A], b" a\nother\n", (0, 1, 1), id="torn-late"),
        pytest.param(b"foreign " + A, [A], A, (0, 0, 1), id="in-the-middle-of-a-line"),
        pytest.param(b"\n" + A, [A, B], B, (1, 0, 1), id="empty-line"),
        pytest.param(A, [], b"", (0, 0, 1), id="nothing-offered"),
    ],
)
def test_lines_of_another_program_are_a_mismatch_and_hide_none_of_ours(
    tail: bytes, lines: list[bytes], data: bytes, counters: tuple[int, int, int]
) -> None:
    assert appended(tail, *lines) == (data, counters)


def test_what_never_matches_is_given_up() -> None:
    replay = Replay(b"foreign\n" * 3)
    lines = [b"%d\n" % number for number in range(MAX_MISSES)]
    for line in lines[:-1]:
        replay.offer(line)
        assert not replay.is_over
    replay.offer(lines[-1])
    assert replay.is_over
    assert replay.close() == b"".join(lines)
    assert (replay.suppressed, replay.finished_torn, replay.mismatches) == (0, 0, 1)


def test_a_match_starts_the_count_of_misses_again() -> None:
    replay = Replay(b"foreign\n" + A + b"foreign\n")
    for number in range(MAX_MISSES - 1):
        replay.offer(b"%d\n" % number)
    replay.offer(A)
    replay.offer(b"other\n")
    assert not replay.is_over
    assert replay.suppressed == 1


def test_lines_of_entries_that_have_gone_since_explain_the_gap() -> None:
    replay = offered(A + B + C + D, A)
    assert replay.reduce_gap(Gap(2, 3, 2), D)[0] is None
    replay.offer(D)
    assert replay.is_over
    assert (replay.close(), replay.suppressed, replay.mismatches) == (b"", 4, 1)


def test_what_the_lines_do_not_explain_of_a_gap_is_left() -> None:
    replay = offered(A + B, A)
    assert replay.reduce_gap(Gap(2, 6, 5), D)[0] == Gap(3, 6, 4)
    assert replay.is_over
    replay.offer(D)
    assert replay.close() == D


def test_what_is_left_of_a_gap_with_numbers_of_entries_that_were_read_keeps_its_last_number() -> (
    None
):
    assert Replay(A + B).reduce_gap(Gap(2, 9, 3), None)[0] == Gap(4, 9, 1)


def test_lines_reduce_a_gap_when_no_line_follows() -> None:
    replay = Replay(A + B)
    assert replay.reduce_gap(Gap(1, 2, 2), None)[0] is None
    assert replay.is_over


def test_a_marker_that_is_there_is_recognised() -> None:
    replay = offered(A + MARKER + D, A)
    assert replay.holds(MARKER)
    replay.offer(MARKER)
    assert not replay.holds(MARKER)
    replay.offer(D)
    assert (replay.close(), replay.suppressed, replay.mismatches) == (b"", 3, 0)


def test_a_torn_marker_is_not_a_marker_that_is_there() -> None:
    assert not Replay(MARKER[:-1]).holds(MARKER)


def test_a_gap_after_everything_is_explained_is_left_whole() -> None:
    assert Replay(b"").reduce_gap(Gap(2, 4, 3), D)[0] == Gap(2, 4, 3)


def test_a_gap_right_before_the_line_that_is_there_is_left_whole() -> None:
    replay = Replay(D)
    assert replay.reduce_gap(Gap(2, 4, 3), D)[0] == Gap(2, 4, 3)
    replay.offer(D)
    assert (replay.close(), replay.suppressed, replay.mismatches) == (b"", 1, 0)


def test_a_torn_line_after_a_reduced_gap_is_finished() -> None:
    replay = Replay(A + D[:3])
    assert replay.reduce_gap(Gap(1, 1, 1), D)[0] is None
    replay.offer(D)
    assert replay.close() == D[3:]
    assert (replay.suppressed, replay.finished_torn, replay.mismatches) == (1, 1, 1)


def test_a_torn_line_does_not_reduce_a_gap() -> None:
    replay = Replay(A + b"torn")
    assert replay.reduce_gap(Gap(1, 2, 2), None)[0] == Gap(2, 2, 1)
    assert replay.close() == b"\n"


@pytest.mark.parametrize("more", [0, 3])
def test_more_lines_than_lost_entries_leave_no_gap(more: int) -> None:
    replay = Replay(A * (2 + more))
    assert replay.reduce_gap(Gap(1, 2, 2), None)[0] is None
    assert replay.is_over == (not more)


def test_what_is_marked_as_lost_already_is_taken_off_the_gap_but_was_not_written() -> None:
    marked = b"T node journal-exporter: 3 journal entries lost (seqnum 2..4)\n"
    replay = Replay(A + marked + B)
    assert replay.reduce_gap(Gap(1, 9, 8), None) == (Gap(6, 9, 3), 2)
    assert replay.is_over


def test_what_is_marked_as_lost_of_other_numbers_explains_nothing() -> None:
    marked = b"T node journal-exporter: 3 journal entries lost (seqnum 20..24)\n"
    assert Replay(marked).reduce_gap(Gap(1, 9, 8), None) == (Gap(1, 9, 8), 0)


def test_a_marker_of_more_entries_than_the_gap_has_is_left() -> None:
    marked = b"T node journal-exporter: 9 journal entries lost (seqnum 1..9)\n"
    assert Replay(marked + A).reduce_gap(Gap(1, 9, 1), None) == (None, 1)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (2, 4, (Gap(5, 9, 5), 0)),
        (2, 5, (Gap(8, 9, 2), 0)),
        (9, 12, (Gap(8, 9, 2), 0)),
        (10, 12, (Gap(5, 9, 5), 0)),
    ],
)
def test_a_marker_that_has_any_number_of_the_gap_is_a_part_of_it(
    first: int, last: int, found: tuple[Gap, int]
) -> None:
    marked = b"T node journal-exporter: 3 journal entries lost (seqnum %d..%d)\n" % (first, last)
    assert Replay(marked).reduce_gap(Gap(5, 9, 5), None) == found


def test_a_marker_of_all_entries_of_a_gap_leaves_nothing_of_it() -> None:
    marked = b"T node journal-exporter: 3 journal entries lost (seqnum 5..9)\n"
    assert Replay(marked).reduce_gap(Gap(5, 9, 3), None) == (None, 0)
