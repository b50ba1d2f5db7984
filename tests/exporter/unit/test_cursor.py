"""Cursors of libsystemd are taken apart, put together and compared with entries."""

import pytest

from journal_exporter.journal.cursor import Cursor, parse
from journal_exporter.journal.file_format import Head
from tests.support.fakes import BOOT, cursor

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


def test_a_cursor_has_the_head_of_its_entry() -> None:
    here = cursor(7)
    assert Cursor.of(here.seqnum_id, here.head) == here
    assert here.head[3:] == (7, here.realtime_us, here.monotonic_us, bytes.fromhex(BOOT), 0xABC)


def head(*, monotonic_us: int, realtime_us: int, boot_id: str = BOOT) -> Head:
    """Return the head of an entry of another numbering."""
    return cursor(
        1, seqnum_id="9a" * 16, boot_id=boot_id, monotonic_us=monotonic_us, realtime_us=realtime_us
    ).head


def test_within_a_boot_the_monotonic_clock_decides() -> None:
    mark = cursor(7)
    assert mark.covers(head(monotonic_us=mark.monotonic_us - 1, realtime_us=2**60))
    assert mark.covers(head(monotonic_us=mark.monotonic_us, realtime_us=2**60))
    assert not mark.covers(head(monotonic_us=mark.monotonic_us + 1, realtime_us=0))


def test_between_boots_the_wall_clock_decides() -> None:
    mark = cursor(7)
    later = head(boot_id=OTHER_BOOT, monotonic_us=1, realtime_us=mark.realtime_us + 1)
    older = head(boot_id=OTHER_BOOT, monotonic_us=2**60, realtime_us=mark.realtime_us)
    assert not mark.covers(later)
    assert mark.covers(older)
