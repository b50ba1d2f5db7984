"""Which entries become lines."""

import pytest

from journal_exporter.journal.fields import Field
from journal_exporter.lines.filters import (
    FACILITIES,
    PRIORITIES,
    EntryFilter,
    facility_number,
    facility_of,
    priority_number,
    priority_of,
    unit_of,
)
from tests.support.fakes import ALL, context, of


@pytest.mark.parametrize(("number", "name"), list(enumerate(PRIORITIES)), ids=PRIORITIES)
def test_a_priority_has_a_name_and_a_number(number: int, name: str) -> None:
    assert priority_number(name) == priority_number(str(number)) == number


@pytest.mark.parametrize(
    ("name", "number"),
    [("panic", 0), ("error", 3), ("warn", 4), ("WARNING", 4), (" Info ", 6)],
)
def test_priorities_are_accepted_as_users_write_them(name: str, number: int) -> None:
    assert priority_number(name) == number


@pytest.mark.parametrize("name", ["", "8", "-1", "infos", "none", "6.0"])
def test_a_wrong_priority_is_an_error_that_lists_the_right_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"one of emerg, .*debug, or 0-7"):
        priority_number(name)


@pytest.mark.parametrize(("number", "name"), list(enumerate(FACILITIES)), ids=FACILITIES)
def test_a_facility_has_a_name_and_a_number(number: int, name: str) -> None:
    assert facility_number(name) == facility_number(str(number)) == number


def test_the_facilities_have_the_numbers_of_syslog() -> None:
    known = {"kern": 0, "mail": 2, "cron": 9, "authpriv": 10, "local0": 16, "local7": 23}
    assert {name: facility_number(name) for name in known} == known


@pytest.mark.parametrize("name", ["", "24", "-1", "mails", "none"])
def test_a_wrong_facility_is_an_error_that_lists_the_right_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"one of kern, .*local7, or 0-23"):
        facility_number(name)


@pytest.mark.parametrize(
    ("value", "priority"),
    [(b"0", 0), (b"7", 7), (None, 5), (b"", 5), (b"8", 5), (b"66", 5), (b"x", 5), (b"-", 5)],
)
def test_an_entry_without_a_valid_priority_is_a_notice(value: Field, priority: int) -> None:
    assert priority_of(of(context(priority=value))) == priority


@pytest.mark.parametrize(
    ("value", "facility"),
    [(b"0", 0), (b"10", 10), (b"23", 23), (None, 1), (b"", 1), (b"24", 1), (b"010", 1), (b"x", 1)],
)
def test_an_entry_without_a_valid_facility_is_the_users(value: Field, facility: int) -> None:
    assert facility_of(of(context(facility=value))) == facility


def test_a_kernel_entry_without_a_facility_is_the_kernels() -> None:
    assert facility_of(of(context(facility=None, transport=b"kernel"))) == 0
    assert facility_of(of(context(facility=b"24", transport=b"kernel"))) == 1


def test_the_unit_is_the_one_that_logs() -> None:
    assert unit_of(of(context(unit=b"kubelet.service"))) == "kubelet.service"
    assert unit_of(of(context())) == ""


def test_what_systemd_logs_about_a_unit_belongs_to_the_unit() -> None:
    fields = context(pid=b"1", unit=b"init.scope", subject_unit=b"kubelet.service")
    assert unit_of(of(fields)) == "kubelet.service"
    assert unit_of(of(context(pid=b"1", unit=b"init.scope"))) == "init.scope"


def test_what_other_programs_log_about_a_unit_belongs_to_them() -> None:
    fields = context(pid=b"42", unit=b"forger.service", subject_unit=b"kubelet.service")
    assert unit_of(of(fields)) == "forger.service"


def test_a_unit_of_invalid_utf_8_still_has_a_name() -> None:
    assert unit_of(of(context(unit=b"a\xff.service"))) == "a\ufffd.service"


@pytest.mark.parametrize(
    ("priority", "facility", "accepted"),
    [
        (b"6", b"3", True),
        (b"0", b"0", True),
        (b"7", b"3", False),
        (b"3", b"2", False),
        (b"3", b"9", False),
        (b"3", b"10", False),
        (b"3", b"4", True),
        (None, None, True),
    ],
    ids=["info", "emerg", "debug", "mail", "cron", "authpriv", "auth", "unknown"],
)
def test_the_default_is_what_rsyslog_puts_into_messages(
    priority: Field, facility: Field, *, accepted: bool
) -> None:
    entry = of(context(priority=priority, facility=facility))
    assert EntryFilter().accepts(entry) is accepted


def test_the_least_important_priority_is_accepted_itself() -> None:
    entry_filter = EntryFilter(max_priority=3)
    assert entry_filter.accepts(of(context(priority=b"3")))
    assert not entry_filter.accepts(of(context(priority=b"4")))


def test_without_rules_everything_is_accepted() -> None:
    assert ALL.accepts(of(context(priority=b"7", facility=b"10")))


@pytest.mark.parametrize(
    ("unit", "accepted"),
    [
        (b"kubelet.service", True),
        (b"kube-proxy.service", True),
        (b"xkubelet.service", False),
        (b"kubelet.service.d", False),
        (b"KUBELET.service", False),
        (None, False),
    ],
)
def test_only_included_units_are_accepted(unit: Field, *, accepted: bool) -> None:
    entry_filter = EntryFilter(include_units=("containerd.service", "kube*.service"))
    assert entry_filter.accepts(of(context(unit=unit))) is accepted


def test_excluded_units_are_rejected_and_entries_without_a_unit_are_not() -> None:
    entry_filter = EntryFilter(exclude_units=("kube*.service",))
    assert not entry_filter.accepts(of(context(unit=b"kubelet.service")))
    assert entry_filter.accepts(of(context(unit=b"sshd.service")))
    assert entry_filter.accepts(of(context()))


def test_a_unit_must_pass_both_lists() -> None:
    entry_filter = EntryFilter(include_units=("kube*",), exclude_units=("kubelet.service",))
    assert entry_filter.accepts(of(context(unit=b"kube-proxy.service")))
    assert not entry_filter.accepts(of(context(unit=b"kubelet.service")))


def test_an_included_unit_still_needs_its_priority() -> None:
    entry_filter = EntryFilter(include_units=("kube*",))
    assert not entry_filter.accepts(of(context(unit=b"kubelet.service", priority=b"7")))


@pytest.mark.parametrize("glob", ["*", "**"])
def test_an_entry_of_no_unit_matches_no_glob(glob: str) -> None:
    kernel = of(context(identifier=b"kernel", pid=None, facility=b"0", transport=b"kernel"))
    assert not EntryFilter(include_units=(glob,)).accepts(kernel)
    assert EntryFilter(exclude_units=(glob,)).accepts(kernel)
