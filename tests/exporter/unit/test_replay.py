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


TAILS: dict[str, tuple[bytes, list[bytes], list[bytes], tuple[int, int, int], bool]] = {
    "without a tail every line is written": (b"", [A, B], [A, B], (0, 0, 0), True),
    "a line that is there is not written again": (A + B, [A, B, C], [b"", b"", C], (2, 0, 0), True),
    "a torn line is finished": (A + b"line", [A, B, C], [b"", b" b\n", C], (1, 1, 0), True),
    "a line that lacks only its end is finished": (B[:-1], [B], [b"\n"], (0, 1, 0), True),
    "a torn foreign line is ended": (A + b"foreign", [A, B], [b"", b"\n" + B], (1, 0, 1), False),
    "a torn line is ended only once": (b"foreign", [A, B], [b"\n" + A, B], (0, 0, 1), False),
    "a torn line that is found late is not finished twice": (
        b"foreign\nline", [b"other\n", A], [b"\nother\n", A], (0, 0, 1), False),
    "zeros of a power cut are ended": (A + bytes(4096), [A, B], [b"", b"\n" + B], (1, 0, 1), False),
    "foreign lines in between are skipped": (
        A + b"foreign\n" + B, [A, B, C], [b"", b"", C], (2, 0, 1), True),
    "lines after foreign ones are appended": (
        A + b"foreign\n", [A, B, C], [b"", B, C], (1, 0, 1), False),
    "foreign lines before a torn one do not hide it": (
        A + b"foreign\nline b", [A, B, C], [b"", b"\n", C], (1, 1, 1), False),
    "a line is matched only at a line's start": (b"foreign " + A, [A], [A], (0, 0, 1), False),
    "an empty foreign line is skipped": (b"\n" + A, [A, B], [b"", B], (1, 0, 1), True),
    "a place is passed only once": (A + B + C, [B, A], [b"", A], (1, 0, 2), False),
    "equal lines are matched one to one": (A + A, [A, A, A], [b"", b"", A], (2, 0, 0), True),
}  # fmt: skip
"""The tail, the lines offered, what is appended for each, the counters, and whether the replay is over."""


@pytest.mark.parametrize(
    ("tail", "lines", "expected", "counts", "over"), TAILS.values(), ids=TAILS.keys()
)
def test_each_line_is_appended_once(
    tail: bytes, lines: list[bytes], expected: list[bytes], counts: tuple[int, ...], *, over: bool
) -> None:
    replay, found = appended(tail, *lines)
    assert (found, counters(replay), replay.is_over) == (expected, counts, over)
    assert replay.close() == b""


def test_it_is_over_once_the_whole_tail_is_matched() -> None:
    replay = Replay(A + B)
    replay.offer(A)
    assert not replay.is_over
    replay.offer(B)
    assert replay.is_over


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
