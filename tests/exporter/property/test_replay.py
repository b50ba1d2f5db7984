"""Whatever a kill or a power cut left of the output, each line is in it once in the end."""

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from journal_exporter.output.replay import MAX_MISSES, Replay

TEXTS = st.text("ab0 ", max_size=5).map(str.encode)
LINES = st.lists(TEXTS.map(lambda text: text + b"\n"), max_size=12)
DISTINCT = st.lists(TEXTS.map(lambda text: text + b"\n"), max_size=12, unique=True)
NUMBERED = st.integers(0, 30).map(lambda count: [b"entry %d\n" % n for n in range(count)])
GARBAGE = (
    st.integers(1, 9).map(bytes)
    | st.lists(st.sampled_from([b"X", b"\n", b"a", b"\0", b"\xff", b"X\n"])).map(b"".join)
    | st.binary(max_size=8)
)


def recovered(tail: bytes, lines: list[bytes]) -> tuple[Replay, bytes]:
    """Offer all lines as a start does; return the output in the end."""
    replay = Replay(tail)
    for line in lines:
        replay.offer(line)
    return replay, tail + replay.close()


@given(LINES | NUMBERED, st.data())
def test_a_tail_cut_anywhere_becomes_the_whole(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    replay, output = recovered(whole[:cut], lines)
    assert output == whole
    assert replay.is_over
    assert replay.mismatches == 0
    assert replay.suppressed == whole[:cut].count(b"\n")
    assert replay.finished_torn == (not whole[:cut].endswith(b"\n") and cut > 0)


@given(DISTINCT | NUMBERED, st.data())
def test_a_tail_cut_anywhere_becomes_the_whole_whatever_order_the_lines_come_in(
    lines: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    replay, output = recovered(whole[:cut], data.draw(st.permutations(lines)))
    assert output.startswith(whole[:cut])
    assert Counter(split(output)) == Counter(lines)
    assert replay.is_over
    assert replay.mismatches == 0


@given(DISTINCT | NUMBERED, GARBAGE, st.data())
def test_with_garbage_at_the_end_every_line_is_there_once(
    lines: list[bytes], garbage: bytes, data: st.DataObject
) -> None:
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    tail = whole[:cut] + garbage
    torn = tail.rpartition(b"\n")[2] + b"\n"
    assume(whole.startswith(tail) or torn not in lines)  # else it is a line of this run, early
    check_once(tail, lines)


@given(DISTINCT | NUMBERED, st.lists(st.tuples(st.integers(0, 30), GARBAGE), max_size=3), st.data())
def test_with_foreign_lines_anywhere_every_line_is_there_once(
    lines: list[bytes], foreign: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    pieces = lines[: data.draw(st.integers(0, len(lines)))]
    for place, text in foreign:
        pieces.insert(place, text + b"\n")
    # A foreign line with the same bytes can't be distinguished.
    assume(not {line for _, text in foreign for line in split(text + b"\n")} & set(lines))
    check_once(b"".join(pieces), lines)


def check_once(tail: bytes, lines: list[bytes]) -> None:
    there = Counter(split(tail))
    replay, output = recovered(tail, lines)
    assert output.startswith(tail)
    found = Counter(split(output))
    for line in lines:
        assert found[line] == max(1, there[line])
    assert not output or output.endswith(b"\n")
    assert replay.suppressed + replay.finished_torn <= len(lines)


def split(output: bytes) -> list[bytes]:
    return [piece + b"\n" for piece in output.split(b"\n")[:-1]]


@given(st.binary(max_size=40), LINES)
def test_any_tail_only_ever_grows_by_whole_lines_and_line_ends(
    tail: bytes, lines: list[bytes]
) -> None:
    _replay, output = recovered(tail, lines)
    more = output.removeprefix(tail)
    assert not more or more.endswith(b"\n")
    torn = tail.rpartition(b"\n")[2]
    rest = [line.removeprefix(torn) for line in lines if line.startswith(torn)] if torn else []
    starts = [start for start in (b"", *rest, b"\n" * bool(torn)) if more.startswith(start)]
    assert any(not Counter(split(more.removeprefix(start))) - Counter(lines) for start in starts)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 50))
def test_a_tail_is_not_compared_forever(tail: bytes, first: int) -> None:
    replay = Replay(tail)
    for number in range(MAX_MISSES + tail.count(b"\n") * MAX_MISSES):
        if replay.is_over:
            break
        replay.offer(b"never there %d\n" % (first + number))
    assert replay.is_over
