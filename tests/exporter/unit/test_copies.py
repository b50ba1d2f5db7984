"""Entries that journald copied from the runtime journal are recognised, each once."""

import json

from journal_exporter.journal.copies import MAX_STRETCHES, Copies
from journal_exporter.journal.file_format import Head
from tests.support.fakes import BOOT, cursor

OTHER_BOOT = "b1" * 16
MACHINE = "3a" * 16
OTHER_MACHINE = "3b" * 16


def head(monotonic_us: int, *, boot_id: str = BOOT, xor_hash: str = "abc", number: int = 1) -> Head:
    """Return the head of an entry; the number is what a copy does not have in common."""
    return cursor(
        number, boot_id=boot_id, monotonic_us=monotonic_us, realtime_us=7, xor_hash=xor_hash
    ).head


def read(*heads: Head, file_id: str = "f") -> Copies:
    copies = Copies()
    copies.note(file_id, MACHINE, heads)
    return copies


def test_entries_of_the_stretch_that_was_read_are_copies() -> None:
    copies = read(head(10), head(20), head(30))
    assert [copies.is_copy(MACHINE, head(at, number=70)) for at in (10, 20, 30)] == [True] * 3


def test_entries_before_and_after_it_are_not() -> None:
    copies = read(head(10), head(30))
    assert not copies.is_copy(MACHINE, head(9))
    assert not copies.is_copy(MACHINE, head(31))


def test_entries_of_another_boot_are_not() -> None:
    assert not read(head(10), head(30)).is_copy(MACHINE, head(20, boot_id=OTHER_BOOT))


def test_at_its_last_instant_an_entry_is_known_by_what_identifies_it() -> None:
    copies = read(head(10), head(30, xor_hash="1"), head(30, xor_hash="2"))
    assert not copies.is_copy(MACHINE, head(30, xor_hash="3"))
    assert copies.is_copy(MACHINE, head(30, xor_hash="2"))
    assert copies.is_copy(MACHINE, head(30, xor_hash="1"))


def test_a_wrong_time_at_the_end_makes_no_more_copies_than_entries_were_read() -> None:
    copies = read(head(10), head(20), head(1 << 60))
    persistent = [head(at) for at in (10, 20, 30, 40, 50)]
    assert sum(copies.is_copy(MACHINE, one) for one in persistent) <= 3
    assert not copies.is_copy(MACHINE, head(60))
    assert not copies.concern([head(60)])


def test_equal_entries_are_copies_as_often_as_they_were_read() -> None:
    copies = read(head(30), head(30))
    assert [copies.is_copy(MACHINE, head(30)) for _ in range(3)] == [True, True, False]


def test_reading_on_makes_the_stretch_longer() -> None:
    copies = read(head(10))
    assert not copies.is_copy(MACHINE, head(20))
    copies.note("f", MACHINE, [head(20)])
    assert copies.is_copy(MACHINE, head(20))


def test_boots_of_one_file_are_stretches_of_their_own() -> None:
    copies = read(head(10), head(30), head(5, boot_id=OTHER_BOOT))
    assert copies.is_copy(MACHINE, head(20))
    assert copies.is_copy(MACHINE, head(5, boot_id=OTHER_BOOT))
    assert not copies.is_copy(MACHINE, head(20, boot_id=OTHER_BOOT))


def test_only_entries_up_to_the_end_of_a_stretch_concern_it() -> None:
    copies = read(head(10), head(30))
    assert copies.concern([head(30), head(99)])
    assert not copies.concern([head(31), head(99)])
    assert not copies.concern([head(5, boot_id=OTHER_BOOT)])
    assert not Copies().concern([head(5)])


def test_entries_of_a_boot_between_two_others_concern_it() -> None:
    copies = read(head(10), head(30))
    before, after = head(900, boot_id=OTHER_BOOT), head(600, boot_id="b2" * 16)
    assert copies.concern([before, head(10), head(30), after])
    assert not copies.concern([before, head(31), after])


def test_what_an_earlier_version_read_is_everything_of_the_boot_up_to_its_last_entry() -> None:
    copies = Copies()
    copies.note_all_before(BOOT, head(30))
    assert copies.is_copy(MACHINE, head(1))
    assert copies.is_copy(MACHINE, head(30))
    assert not copies.is_copy(MACHINE, head(30))
    assert not copies.is_copy(MACHINE, head(31))


def test_copies_that_went_unread_are_forgotten_once() -> None:
    copies = read(head(10), head(20), head(30))
    assert copies.is_copy(MACHINE, head(10))
    assert copies.forget(5, 9) == 0, "these entries are older than any that may be copied"
    assert copies.forget(5, 30) == 2
    assert copies.forget(5, 30) == 0


def test_a_snapshot_goes_through_json_and_continues_the_same() -> None:
    first = read(head(10), head(30), head(30))
    first.is_copy(MACHINE, head(30))
    second = Copies(json.loads(json.dumps(first.snapshot())))
    assert second.snapshot() == first.snapshot()
    assert [second.is_copy(MACHINE, head(30)) for _ in range(2)] == [True, False]


def test_the_oldest_stretches_are_forgotten() -> None:
    copies = Copies()
    for number in range(MAX_STRETCHES + 1):
        copies.note(f"{number}", MACHINE, [head(10 + number, boot_id=f"{number:032x}")])
    assert len(copies.snapshot()) == MAX_STRETCHES
    assert not copies.is_copy(MACHINE, head(10, boot_id=f"{0:032x}"))
    assert copies.is_copy(MACHINE, head(11, boot_id=f"{1:032x}"))


def test_entries_of_another_machine_are_not_copies_though_the_boot_is_the_same() -> None:
    """A container's journal has the boot of its host, and a machine id of its own."""
    copies = read(head(10), head(30))
    assert not copies.is_copy(OTHER_MACHINE, head(20))
    assert not copies.is_copy(OTHER_MACHINE, head(30))
    assert not copies.know(OTHER_MACHINE, BOOT)
    assert copies.know(MACHINE, BOOT)


def test_copies_under_a_new_machine_id_are_recognised_by_the_first_of_them() -> None:
    copies = read(head(10), head(20), head(30))
    copies.note("g", MACHINE, [head(40), head(50)])
    copies = Copies(json.loads(json.dumps(copies.snapshot())))
    times = (10, 20, 30, 40, 50)
    assert [copies.is_copy(OTHER_MACHINE, head(at, number=70)) for at in times] == [True] * 5
    assert copies.know(OTHER_MACHINE, BOOT)
    assert not copies.is_copy(OTHER_MACHINE, head(60))


def test_a_wrong_time_does_not_make_copies_of_what_is_logged_later() -> None:
    copies = read(head(10), head(1 << 50), head(30))
    assert [copies.is_copy(MACHINE, head(at)) for at in (10, 30)] == [True] * 2
    assert not any(copies.is_copy(MACHINE, head(at)) for at in (31, 40, 99))


def test_entries_that_were_read_and_not_noted_explain_copies_that_went_unread() -> None:
    copies = read(head(10), head(30))
    copies.note_more("f", 98)
    assert copies.forget(200, 30) == 100
