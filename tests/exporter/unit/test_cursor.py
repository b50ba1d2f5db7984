"""Cursors are parsed, formatted and compared."""

import pytest

from journal_exporter.journal.cursor import parse
from tests.support.fakes import cursor

REAL = (
    "s=bfebb4a3ad2e4a7c8f2f5a6c9d0e1f22;i=1a2b;b=6f1d3a52b8b04c3d9a0c2f2d3b9e1f00"
    ";m=5f5e100;t=643d1e5b2a400;x=d3adb33fcafe0123"
)
OTHER_BOOT = "0c" * 16


def test_a_cursor_of_libsystemd_is_parsed() -> None:
    parsed = parse(REAL)
    assert parsed.seqnum_id == "bfebb4a3ad2e4a7c8f2f5a6c9d0e1f22"
    assert parsed.seqnum == 0x1A2B
    assert parsed.boot_id == "6f1d3a52b8b04c3d9a0c2f2d3b9e1f00"
    assert parsed.monotonic_us == 100_000_000
    assert parsed.realtime_us == 0x643D1E5B2A400
    assert parsed.xor_hash == "d3adb33fcafe0123"


def test_a_parsed_cursor_is_written_as_it_was() -> None:
    assert parse(REAL).text == REAL


def test_the_order_of_the_parts_does_not_matter() -> None:
    assert parse(";".join(reversed(REAL.split(";")))) == parse(REAL)


@pytest.mark.parametrize("part", ["s", "i", "b", "m", "t", "x"])
def test_a_missing_part_is_named(part: str) -> None:
    short = ";".join(piece for piece in REAL.split(";") if not piece.startswith(f"{part}="))
    with pytest.raises(ValueError, match=f"no part '{part}'"):
        parse(short)


@pytest.mark.parametrize("part", ["i", "m", "t"])
def test_a_part_that_is_not_a_hexadecimal_number_is_an_error(part: str) -> None:
    broken = ";".join(
        f"{part}=zz" if piece.startswith(f"{part}=") else piece for piece in REAL.split(";")
    )
    with pytest.raises(ValueError, match="zz"):
        parse(broken)


@pytest.mark.parametrize("text", ["", "garbage", ";;;", "=", "s=1"])
def test_other_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no part"):
        parse(text)


def test_a_cursor_names_its_own_entry() -> None:
    assert cursor(7).same_entry(cursor(7))


def test_a_copy_in_the_persistent_journal_is_the_same_entry() -> None:
    copied = cursor(7)._replace(seqnum_id="9a" * 16, seqnum=70)
    assert copied.same_entry(cursor(7))
    assert copied.not_after(cursor(7))
    assert cursor(7).not_after(copied)


def test_the_hash_alone_does_not_distinguish_entries_of_one_number() -> None:
    assert cursor(7, xor_hash="1").same_entry(cursor(7, xor_hash="2", realtime_us=5))


@pytest.mark.parametrize(
    "other",
    [
        cursor(8),
        cursor(7, boot_id=OTHER_BOOT),
        cursor(7, monotonic_us=1, realtime_us=1),
        cursor(7, seqnum_id="9a" * 16, xor_hash="2"),
        cursor(7, seqnum_id="9a" * 16, realtime_us=1),
    ],
    ids=["number", "boot", "monotonic", "content", "realtime"],
)
def test_another_entry_is_not_the_same(other: object) -> None:
    assert not cursor(7).same_entry(other)  # type: ignore[arg-type]


def test_within_a_boot_and_a_sequence_the_number_decides() -> None:
    target = cursor(7)
    assert cursor(6, monotonic_us=10**9, realtime_us=2**60).not_after(target)
    assert not cursor(8, monotonic_us=0, realtime_us=0).not_after(target)


def test_a_number_that_was_used_already_is_not_after_the_target() -> None:
    assert cursor(7, monotonic_us=10**9, xor_hash="2").not_after(cursor(7))


def test_between_boots_the_wall_clock_decides_and_numbers_do_not() -> None:
    target = cursor(7)
    rewound = cursor(3, boot_id=OTHER_BOOT, realtime_us=target.realtime_us + 1)
    older = cursor(9, boot_id=OTHER_BOOT, realtime_us=target.realtime_us)
    assert not rewound.not_after(target)
    assert older.not_after(target)


def test_between_sequences_of_one_boot_the_monotonic_clock_decides() -> None:
    target = cursor(7, xor_hash="1")
    for later_us in (-1, 0, 1):
        other = cursor(1, seqnum_id="9a" * 16, monotonic_us=target.monotonic_us + later_us)
        assert other.not_after(target) is (later_us < 0)
