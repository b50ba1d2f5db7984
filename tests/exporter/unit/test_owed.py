"""Of a runtime file that vanished unread, the entries that no copy was read of are lost."""

from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.file_format import ENTRY, Head
from journal_exporter.journal.owed import Owed, pay
from tests.support.fakes import BOOT, START_US

OTHER_BOOT = "0f" * 16
OWED = Owed(BOOT, 30, 5, 9, 3)


def head(at_us: int, boot_id: str = BOOT) -> Head:
    return ENTRY, 0, 0, at_us, START_US + at_us, at_us, bytes.fromhex(boot_id), 0


def test_each_copy_pays_for_one_entry() -> None:
    assert pay([OWED], [head(10), head(30)]) == (OWED._replace(entries=1),)
    assert pay([OWED], [head(10), head(10), head(30), head(30)]) == ()


def test_later_entries_and_those_of_another_boot_pay_for_nothing() -> None:
    assert pay([OWED], [head(31), head(10, OTHER_BOOT)]) == (OWED,)
    assert pay([], [head(10)]) == ()


def test_copies_pay_for_all_files_of_their_boot() -> None:
    first = OWED._replace(entries=1)
    assert pay([first, OWED], [head(10), head(20)]) == (OWED._replace(entries=2),)


def test_what_is_owed_at_the_end_is_the_loss() -> None:
    assert OWED.gap == Gap(5, 9, 3)
