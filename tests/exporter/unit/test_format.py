"""An entry, and the exact line that it becomes."""

import json
import subprocess
import sys

import pytest

from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import BASIC_FIELDS, Field
from journal_exporter.lines.filters import EntryFilter
from journal_exporter.lines.format import FORMATS, MAX_HEADS, Formatter, printable
from tests.support.fakes import ALL, START_US, batch, context, line
from tests.support.paths import ROOT

STAMP = "2026-11-07T22:33:20.123456+00:00"


def tag(**fields: Field) -> str:
    return line(fields=context(**fields)).removeprefix(f"{STAMP} node-1 ").removesuffix(": hello\n")


def message(raw: Field) -> str:
    return line(raw).removeprefix(f"{STAMP} node-1 ident[42]: ").removesuffix("\n")


def test_the_default_line_is_rsyslogs_own_file_format() -> None:
    assert line() == f"{STAMP} node-1 ident[42]: hello\n"


def test_the_traditional_line_pads_the_day_with_a_space() -> None:
    assert line(form="rfc3164")[3:7] in {"  6 ", "  7 ", "  8 "}
    assert line(form="rfc3164").endswith(" node-1 ident[42]: hello\n")


@pytest.mark.parametrize(
    ("zone", "stamp"),
    [("UTC", "Nov  7 22:33:20"), ("Asia/Tokyo", "Nov  8 07:33:20"), ("XYZ+9", "Nov  7 13:33:20")],
)
def test_the_traditional_line_has_the_zone_of_tz(zone: str, stamp: str) -> None:
    program = "from tests.support.fakes import line; print(line(form='rfc3164'), end='')"
    environment = {"TZ": zone, "PATH": "", "LANG": "C.UTF-8"}
    made = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert made.stdout == f"{stamp} node-1 ident[42]: hello\n"


def test_a_json_line_has_everything() -> None:
    fields = context(unit=b"kubelet.service")
    assert line('größer "1"\n'.encode(), fields, "json") == (
        f'{{"time":"{STAMP}","host":"node-1","identifier":"ident","pid":42,"priority":6,"facility":3,'
        '"unit":"kubelet.service","message":"gr\\u00f6\\u00dfer \\"1\\"\\n"}\n'
    )


def test_a_json_line_leaves_out_what_is_unknown() -> None:
    entry = json.loads(line(None, context(pid=None, priority=None, facility=None), "json"))
    known = {"host": "node-1", "identifier": "ident", "priority": 5, "facility": 1}
    assert entry == {"time": STAMP, **known, "message": ""}


@pytest.mark.parametrize(
    ("time_us", "stamp"),
    [
        (0, "1970-01-01T00:00:00.000000+00:00"),
        (1, "1970-01-01T00:00:00.000001+00:00"),
        (999_999, "1970-01-01T00:00:00.999999+00:00"),
        (1_000_000, "1970-01-01T00:00:01.000000+00:00"),
        (951_782_400_001_000, "2000-02-29T00:00:00.001000+00:00"),
        (4_102_444_799_010_203, "2099-12-31T23:59:59.010203+00:00"),
    ],
)
def test_the_time_has_six_digits_after_the_second(time_us: int, stamp: str) -> None:
    made = Formatter("rfc3339", ALL).lines(batch(times_us=[time_us]))
    assert made == [f"{stamp} node-1 ident[42]: hello\n".encode()]


def test_every_entry_of_a_batch_has_its_own_time() -> None:
    offsets_us = [0, 1, 900_000, 876_544, 876_543, 5_000_000, 0]
    times_us = [START_US + offset for offset in offsets_us]
    whole = Formatter("rfc3339", ALL).blob(batch([b"m"] * 7, times_us=times_us))[0]
    assert [text[17:26] for text in whole.decode().splitlines()] == [
        "20.123456", "20.123457", "21.023456", "21.000000", "20.999999", "25.123456", "20.123456",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "ident[42]"),
        ({"pid": None}, "ident"),
        ({"pid": b""}, "ident"),
        ({"pid": b"x1"}, "ident"),
        ({"pid": "²".encode()}, "ident"),
        ({"pid": None, "syslog_pid": b"7"}, "ident[7]"),
        ({"syslog_pid": b"7"}, "ident[42]"),
        ({"pid": None, "syslog_pid": b"7", "transport": b"kernel"}, "ident"),
        ({"pid": b"", "syslog_pid": b"7"}, "ident"),
        ({"pid": b"9" * 10}, "ident[9999999999]"),
        ({"pid": b"9" * 11}, "ident"),
        ({"identifier": None, "comm": b"sshd"}, "sshd[42]"),
        ({"identifier": b"", "comm": b"sshd"}, "journal[42]"),
        ({"identifier": None}, "journal[42]"),
        ({"identifier": b"", "comm": b""}, "journal[42]"),
        ({"identifier": b"a b:c[d]e"}, "a_b_c_d_e[42]"),
        ({"identifier": b"(systemd)"}, "(systemd)[42]"),
        ({"identifier": b"a/b-c.d\\e^f~!"}, "a/b-c.d\\e^f~![42]"),
        ({"identifier": b"\x00\n\x7f"}, "___[42]"),
        ({"identifier": "ü".encode()}, "__[42]"),
    ],
)
def test_the_tag_never_holds_what_breaks_a_parser(fields: dict[str, Field], expected: str) -> None:
    assert tag(**fields) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"ip-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal"),
        (b"fe80::1", "fe80::1"),
        (None, "localhost"),
        (b"", "localhost"),
        (b"a b\n", "a_b_"),
        ("ü".encode(), "__"),
    ],
)
def test_the_host_is_one_word(host: Field, expected: str) -> None:
    assert line(fields=context(host=host)).split(" ")[1] == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain ~ text", "plain ~ text"),
        (b"", ""),
        (None, ""),
        (b"two\nlines\n", "two#012lines#012"),
        (b"tab\tcr\rnul\0esc\x1bdel\x7f", "tab#011cr#015nul#000esc#033del#177"),
        ("größer, 日本語 😀".encode(), "größer, 日本語 😀"),
        ("c1 \x80\x85\x9f".encode(), "c1 #302#200#302#205#302#237"),
        ("no-break \xa0".encode(), "no-break \xa0"),
        ("\u2027\u2028\u2029\u202a".encode(), "\u2027#342#200#250#342#200#251\u202a"),
        (b"bad \xff\xfe", "bad \ufffd\ufffd"),
        (b"torn \xe2\x82", "torn \ufffd"),
        (b"surrogate \xed\xa0\x80", "surrogate \ufffd\ufffd\ufffd"),
        (b"literal #012", "literal #012"),
        ([b"first", b"second"], "first"),
        ([b"a\n", b"b"], "a#012"),
    ],
)
def test_a_message_becomes_one_printable_line(raw: Field, expected: str) -> None:
    assert message(raw) == expected


def test_a_message_of_100_kb_is_one_line() -> None:
    assert message(b"x" * 100_000) == "x" * 100_000


def test_a_clean_message_is_not_copied() -> None:
    raw = b"nothing to do"
    assert printable(raw) is raw


def test_of_a_field_that_is_there_twice_the_first_counts() -> None:
    assert tag(identifier=[b"one", b"two"], pid=[b"1", b"2"]) == "one[1]"


def test_an_excluded_entry_becomes_no_line() -> None:
    mixed = batch([b"a", b"b", b"c"], [context(), context(priority=b"7"), context()])
    formatter = Formatter("rfc3339", EntryFilter())
    lines = formatter.lines(mixed)
    assert lines[1] is None
    assert formatter.blob(mixed) == (b"".join(filter(None, lines)), 2)


def test_an_empty_batch_becomes_no_bytes() -> None:
    assert Formatter("rfc3339", ALL).blob(batch([])) == (b"", 0)
    assert Formatter("rfc3339", ALL).lines(batch([])) == []


def test_one_unclean_message_does_not_change_the_others() -> None:
    data, count = Formatter("rfc3339", ALL).blob(batch([b"a", b"b\n", b"\xff"]))
    texts = [text.split(": ")[1] for text in data.decode().split("\n")[:-1]]
    assert (texts, count) == (["a", "b#012", "\ufffd"], 3)


def test_more_processes_than_are_cached_have_their_own_lines() -> None:
    pids = [str(number).encode() for number in range(MAX_HEADS + 10)]
    many = batch([b"m"] * len(pids), [context(pid=pid) for pid in pids])
    formatter = Formatter("rfc3339", ALL)
    for _ in range(2):
        found = formatter.blob(many)[0].splitlines()
        assert [text.split()[2] for text in found] == [b"ident[%s]:" % pid for pid in pids]


JSON_GAP = (
    f'{{"time":"{STAMP}","host":"node-1","identifier":"journal-exporter","priority":4,"facility":5,'
    '"message":"3 journal entries lost (seqnum 5..7)"}\n'
)
GAP = f"{STAMP} node-1 journal-exporter: 3 journal entries lost (seqnum 5..7)\n"


@pytest.mark.parametrize(("form", "expected"), [("rfc3339", GAP), ("json", JSON_GAP)])
def test_a_gap_is_a_line_with_time_and_host_of_the_entry_after_it(form: str, expected: str) -> None:
    fields = context(identifier=b"other", unit=b"other.service")
    made = Formatter(form, ALL).gap_line(Gap(5, 7, 3), START_US, fields)
    assert made.decode() == expected


def test_a_gap_before_an_entry_of_few_fields_is_a_line_too() -> None:
    made = Formatter("rfc3164", ALL).gap_line(
        Gap(1, 1, 1), START_US, (None, None, [b"h", b"i"], None, None)
    )
    assert made.endswith(b" h journal-exporter: 1 journal entries lost (seqnum 1..1)\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_gap_is_marked_even_where_no_entry_is_accepted(form: str) -> None:
    strict = EntryFilter(max_priority=0, include_units=("none.service",))
    assert b"lost" in Formatter(form, strict).gap_line(Gap(5, 7, 3), START_US, context())


@pytest.mark.parametrize("form", FORMATS)
def test_a_context_of_the_basic_fields_gives_the_line_of_a_whole_one(form: str) -> None:
    fields = context()
    assert line(fields=fields[: len(BASIC_FIELDS)], form=form) == line(fields=fields, form=form)


def test_an_empty_identifier_gives_one_line_however_it_was_read() -> None:
    """The reader hands over five fields where all five are there, else ten."""
    fields = context(identifier=b"", comm=b"python3")
    assert line(fields=fields[: len(BASIC_FIELDS)]) == line(fields=fields)


def test_a_pid_of_5000_digits_does_not_stop_json() -> None:
    fields = context(pid=None, syslog_pid=b"9" * 5000)
    assert "pid" not in json.loads(line(fields=fields, form="json"))
