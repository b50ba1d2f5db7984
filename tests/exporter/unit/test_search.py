"""Where in the journal the last lines of an output begin."""

from collections.abc import Iterable

from journal_exporter.journal.position import Position
from journal_exporter.output.search import MAX_MISSES, Found, Search


def search(tail: bytes, journal: Iterable[bytes]) -> Found | None:
    """Return what is found; the place before each line of the journal has its number as the cursor."""
    found = Search(tail)
    for number, line in enumerate(journal):
        found.offer(line, lambda number=number: Position(str(number)))  # type: ignore[misc]
    return found.best


def lines(*numbers: int) -> list[bytes]:
    return [b"line %d\n" % number for number in numbers]


def test_the_place_is_before_the_first_line_that_is_in_the_output() -> None:
    found = search(b"".join(lines(3, 4, 5)), lines(*range(10)))
    assert found == Found(Position("3"), 0, 3)


def test_the_place_is_before_all_lines_that_are_in_the_output_whatever_their_order() -> None:
    found = search(b"".join(lines(3, 4, 5)), lines(0, 4, 3, 5))
    assert found == Found(Position("1"), 0, 3)


def test_lines_of_other_programs_before_it_are_left_out() -> None:
    found = search(b"somebody\nelse\n" + b"".join(lines(3, 4)), lines(*range(10)))
    assert found == Found(Position("3"), len(b"somebody\nelse\n"), 2)


def test_an_output_without_a_line_of_the_journal_has_no_place() -> None:
    assert search(b"somebody\n", lines(*range(10))) is None
    assert search(b"", lines(*range(10))) is None


def test_a_line_of_long_ago_that_is_alike_by_chance_is_not_the_place() -> None:
    others = [b"other %d\n" % number for number in range(MAX_MISSES)]
    journal = [*lines(3), *others, *lines(*range(10)), *others]
    found = search(b"".join(lines(3, 4, 5)), journal)
    assert found == Found(Position(str(1 + MAX_MISSES + 3)), 0, 3)
    near = search(b"".join(lines(3, 4, 5)), [*lines(3), *others[4:], *lines(*range(10))])
    assert near == Found(Position("0"), 0, 4)


def test_of_two_places_that_fit_as_well_the_newer_one_is_taken() -> None:
    others = [b"other %d\n" % number for number in range(MAX_MISSES)]
    found = search(b"".join(lines(1)), [*lines(1), *others, *lines(1)])
    assert found == Found(Position(str(1 + MAX_MISSES)), 0, 1)
