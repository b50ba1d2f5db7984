"""Entries are found in the order of writing, whatever slot or array is damaged."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journal_exporter.journal.entry_arrays import EntryArrays
from journal_exporter.journal.file_format import ARRAY_HEAD, Header, parse_header
from tests.support.fakes import BOOT, START_US
from tests.support.machine.file_writer import JournalFile, Stamp

ENTRIES = 40
FIRST_SLOTS = 4
"""Of the first array in a file that the tests write; each further one is larger."""
Change = Callable[[bytearray, Header], None]


def put(data: bytearray, offset: int, value: int) -> None:
    data[offset : offset + 8] = value.to_bytes(8, "little")


def get(data: bytearray, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[bytearray]:
    """Return the bytes of a file whose entries share a field and have one of their own."""
    path = tmp_path / "system.journal"
    with closing(JournalFile(path, file_id=b"f" * 16, machine_id=b"m" * 16)) as file:
        for number in range(1, ENTRIES + 1):
            stamp = Stamp(number, START_US + number, number, bytes.fromhex(BOOT))
            file.append([b"MESSAGE=%d" % number, b"PRIORITY=6"], stamp)
        yield bytearray(path.read_bytes())


def arrays_of(
    data: bytearray, header: Header | None = None, sizes: list[int] | None = None
) -> EntryArrays:
    """Return the arrays of these bytes; ``sizes`` gets the size of everything that is read of them."""
    header = header or parse_header(bytes(data[:4096]))
    assert header is not None
    end = header.end

    def read(offset: int, size: int) -> bytes:
        if sizes is not None:
            sizes.append(size)
        if not 0 < offset <= end:
            raise ValueError("outside")
        return bytes(data[offset : min(offset + size, end)])

    return EntryArrays(read, header)


def numbers(data: bytearray, arrays: EntryArrays, wanted: int = 7) -> list[int]:
    """Return the sequence numbers of all entries that are found."""
    found = []
    while offsets := arrays.peek(wanted):
        arrays.step(offsets)
        found += [get(data, offset + 16) for offset in offsets]
    return found


@pytest.mark.parametrize("wanted", [1, 3, 1000])
def test_a_sound_file_is_read_in_the_order_of_its_arrays(written: bytearray, wanted: int) -> None:
    arrays = arrays_of(written)
    assert numbers(written, arrays, wanted) == list(range(1, ENTRIES + 1))
    assert arrays.slots == ENTRIES
    assert arrays.peek(1) == []


@pytest.mark.parametrize("slot", [0, 3, 4, 11, ENTRIES - 1])
def test_from_any_place_the_rest_is_read(written: bytearray, slot: int) -> None:
    arrays = arrays_of(written)
    arrays.seek(arrays.offset_of(slot), slot + 1)
    assert numbers(written, arrays) == list(range(slot + 2, ENTRIES + 1))
    arrays.seek(0, slot)
    assert numbers(written, arrays) == list(range(slot + 1, ENTRIES + 1))
    arrays.seek(0, 0)
    assert numbers(written, arrays) == list(range(1, ENTRIES + 1))


def second_array(data: bytearray, header: Header) -> int:
    return get(data, header.first_array + 16)


def bad_slot(value: int) -> Change:
    def change(data: bytearray, header: Header) -> None:
        put(data, second_array(data, header) + ARRAY_HEAD.size + 8, value)

    return change


def bad_size(value: int) -> Change:
    return lambda data, header: put(data, second_array(data, header) + 8, value)


def cycle(data: bytearray, header: Header) -> None:
    put(data, second_array(data, header) + 16, header.first_array)


def own_successor(data: bytearray, header: Header) -> None:
    put(data, second_array(data, header) + 16, second_array(data, header))


def no_successor(data: bytearray, header: Header) -> None:
    put(data, header.first_array + 16, 0)


def another_type(data: bytearray, header: Header) -> None:
    data[second_array(data, header)] = 1


CHANGES = {
    **{
        f"slot-{value:#x}": bad_slot(value)
        for value in (0, 1, 8, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 16)
    },
    **{f"size-{value:#x}": bad_size(value) for value in (0, 24, 2**63, 2**64 - 16)},
    "cycle": cycle,
    "own-successor": own_successor,
    "no-successor": no_successor,
    "type": another_type,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_chain_lacks_is_found_by_the_arrays_of_fields(
    written: bytearray, change: Change
) -> None:
    arrays = arrays_of(written)
    change(written, arrays.header)
    assert numbers(written, arrays) == list(range(1, ENTRIES + 1))
    arrays = arrays_of(written)
    offset = arrays.offset_of(1)
    arrays.seek(offset, 2)
    assert numbers(written, arrays) == list(range(3, ENTRIES + 1))


@pytest.mark.parametrize("first_array", [0, 8, 2**63, 2**64 - 16])
def test_a_file_whose_first_array_is_nowhere_is_read_all_the_same(
    written: bytearray, first_array: int
) -> None:
    put(written, 176, first_array)
    assert numbers(written, arrays_of(written)) == list(range(1, ENTRIES + 1))
    with pytest.raises(ValueError, match=r"."):
        arrays_of(written).offset_of(3)


def test_entries_that_are_linked_later_are_found_behind_the_damage(written: bytearray) -> None:
    arrays = arrays_of(written)
    whole = arrays.header
    arrays.header = whole._replace(entries=30)
    bad_slot(2**63)(written, whole)
    before = numbers(written, arrays)
    assert before[:30] == list(range(1, 31))
    arrays.header = whole
    assert before + numbers(written, arrays) == list(range(1, ENTRIES + 1))


@pytest.mark.parametrize("tagged", [1, 2, 3], ids=lambda every: f"one-in-{every}-has-the-field")
def test_what_is_linked_behind_damage_is_found_without_another_search_of_the_file(
    tmp_path: Path, tagged: int
) -> None:
    """Nothing leads to the file's later arrays; a field's arrays have the entries that have the field."""
    path = tmp_path / "system.journal"
    searches = 0
    with closing(JournalFile(path, file_id=b"f" * 16, machine_id=b"m" * 16)) as file:

        def add(number: int) -> Header:
            stamp = Stamp(number, START_US + number, number, bytes.fromhex(BOOT))
            field = b"TAG=1" if number % tagged == 0 else b"TAG=%d" % number
            file.append([b"MESSAGE=%d" % number, field], stamp)
            header = parse_header(path.read_bytes()[:4096])
            assert header is not None
            return header

        def read(offset: int, size: int) -> bytes:
            nonlocal searches
            searches += offset == header.begin
            return path.read_bytes()[offset : offset + size]

        header = [add(number) for number in range(1, ENTRIES + 1)][-1]
        with path.open("r+b") as damaged:
            damaged.seek(header.first_array + 16)
            damaged.write(b"\0" * 8)
        arrays = EntryArrays(read, header)
        data = bytearray(path.read_bytes())
        assert numbers(data, arrays) == list(range(1, ENTRIES + 1))
        assert searches == 1
        for number in range(ENTRIES + 1, 3 * ENTRIES, 3):
            for added in range(3):
                arrays.header = add(number + added)
            data = bytearray(path.read_bytes())
            assert numbers(data, arrays) == [number, number + 1, number + 2]
    assert searches <= 4, "an array that is full leads to one"


def test_entries_behind_a_page_that_cannot_be_read_are_found(written: bytearray) -> None:
    header = arrays_of(written).header
    bad_slot(2**63)(written, header)
    page = range(4096, 8192)

    def read(offset: int, size: int) -> bytes:
        if page.start < offset + size and offset < page.stop:
            raise ValueError("reading: Input/output error")
        return bytes(written[offset : offset + size])

    # On the page are entries 12 to 31, and one of the arrays that name them.
    found = numbers(written, EntryArrays(read, header))
    assert found == [*range(1, 12), *range(32, ENTRIES + 1)]


@pytest.mark.parametrize("left", [0, 8, 56, 64])
def test_entries_behind_a_page_that_ends_a_read_early_are_found(
    written: bytearray, left: int
) -> None:
    """A read that reaches a bad page returns what lies before it."""
    header = arrays_of(written).header
    first = arrays_of(written).offset_of(20) + left
    written[header.first_array] = 0

    def read(offset: int, size: int) -> bytes:
        if first <= offset < first + 1000:
            raise ValueError("reading: Input/output error")
        stop = min(offset + size, first) if offset < first else offset + size
        return bytes(written[offset:stop])

    found = numbers(written, EntryArrays(read, header))
    assert found[:20] == list(range(1, 21))
    assert found[-1] == ENTRIES


def test_entries_that_are_written_later_are_found_behind_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    with closing(JournalFile(path, file_id=b"f" * 16, machine_id=b"m" * 16)) as file:

        def write(numbers: range) -> bytearray:
            for number in numbers:
                stamp = Stamp(number, START_US + number, number, bytes.fromhex(BOOT))
                file.append([b"MESSAGE=%d" % number, b"PRIORITY=6"], stamp)
            data = bytearray(path.read_bytes())
            bad_slot(2**63)(data, arrays_of(data).header)
            return data

        data = write(range(1, 21))
        arrays = arrays_of(data)
        assert numbers(data, arrays) == list(range(1, 21))
        data[:] = write(range(21, 41))
        arrays.header = arrays_of(data).header
        assert numbers(data, arrays) == list(range(21, 41))


@pytest.mark.parametrize("slot", [1, FIRST_SLOTS])
def test_a_slot_that_names_an_earlier_entry_repeats_none(written: bytearray, slot: int) -> None:
    """The slot is the one number 5; the other one is before it or just before it."""
    header = arrays_of(written).header
    bad_slot(arrays_of(written).offset_of(slot))(written, header)
    assert numbers(written, arrays_of(written), wanted=1) == list(range(1, ENTRIES + 1))


def test_what_nothing_reaches_is_forgotten_when_another_place_is_gone_to(
    written: bytearray,
) -> None:
    gone = arrays_of(written).offset_of(5)
    bad_slot(0)(written, arrays_of(written).header)
    written[gone] = 0
    arrays = arrays_of(written)
    arrays.peek(ENTRIES)
    assert arrays.missing == 1
    arrays.seek(0, 0)
    assert len(arrays.peek(2)) == 2
    assert arrays.missing == 0


def test_the_offset_of_an_entry_moves_no_place(written: bytearray) -> None:
    sizes: list[int] = []
    arrays = arrays_of(written, sizes=sizes)
    first = arrays.peek(5)
    arrays.step(first)
    assert arrays.offset_of(2) == first[2]
    assert get(written, arrays.peek(1)[0] + 16) == FIRST_SLOTS + 2
    assert max(sizes) < 8 * ENTRIES, "all its objects were looked at"


def test_a_file_that_had_no_entry_at_first_is_read_along_its_arrays(written: bytearray) -> None:
    sizes: list[int] = []
    whole = arrays_of(written).header
    arrays = arrays_of(written, whole._replace(entries=0, first_array=0), sizes)
    arrays.seek(0, 0)
    assert arrays.peek(9) == []
    arrays.header = whole
    assert numbers(written, arrays) == list(range(1, ENTRIES + 1))
    assert max(sizes) < 8 * ENTRIES, "all its objects were looked at"


@pytest.mark.parametrize("beyond_bytes", [1, 100, 8 << 20])
def test_a_file_that_is_shorter_than_its_header_says_is_searched_to_its_end(
    written: bytearray, beyond_bytes: int
) -> None:
    bad_slot(2**63)(written, arrays_of(written).header)
    header = arrays_of(written).header
    arrays = arrays_of(written, header._replace(end=len(written) + beyond_bytes))
    assert numbers(written, arrays) == list(range(1, ENTRIES + 1))


def test_entries_that_nothing_reaches_are_counted_before_those_behind_them(
    written: bytearray,
) -> None:
    arrays = arrays_of(written)
    gone = arrays.offset_of(5)
    bad_slot(0)(written, arrays.header)
    written[gone] = 0
    arrays = arrays_of(written)
    before = arrays.peek(3)
    arrays.step(before)
    assert arrays.missing == 0, "the damage is behind these"
    arrays.peek(7)
    assert arrays.missing == 1
    arrays.slots += arrays.missing
    arrays.missing = 0
    assert len(numbers(written, arrays)) == ENTRIES - 4
    assert (arrays.slots, arrays.missing) == (ENTRIES, 0)


def test_a_damaged_size_costs_no_entry_that_the_own_arrays_name(written: bytearray) -> None:
    arrays = arrays_of(written)
    first, last = arrays.offset_of(0), arrays.offset_of(ENTRIES - 1)
    bad_slot(0)(written, arrays.header)
    # By its size the first entry ends behind all others, and behind all arrays of fields.
    put(written, first + 8, last - first)
    assert len(numbers(written, arrays_of(written))) == ENTRIES - 1
