"""Any bytes in, exactly one line of printable UTF-8 out, the same each time."""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from journal_exporter.journal.batch import Batch
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import BASIC_FIELDS, Field
from journal_exporter.journal.position import Position
from journal_exporter.lines.filters import EntryFilter
from journal_exporter.lines.format import FORMATS, Formatter
from tests.support.fakes import ALL

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
RFC3339 = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) (?P<host>[^ ]+) "
    r"(?P<ident>[^ :\[\]]+)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)\n"
)
RFC3164 = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d) (?P<host>[^ ]+) "
    r"(?P<ident>[^ :\[\]]+)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)\n"
)
LINE_BREAKERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

NASTY = st.sampled_from(
    [b"\n", b"\r\n", b"\0", b"\x7f", b"\xff", b"\xc2\x85", b"\xc2\x9f", b"\xe2\x80\xa8",
     b"\xe2\x80\xa9", b"\xed\xa0\x80", b"\xe2\x82", b"]: ", b"[1]", b" ", b":", b"\\", b'"', b"%s",
     b"#012", "größer 日本語 😀".encode()]
)  # fmt: skip
BYTES = st.lists(
    NASTY | st.binary(max_size=6) | st.text(max_size=6).map(str.encode), max_size=6
).map(b"".join)
PRESENT = BYTES | st.lists(BYTES, min_size=1, max_size=3)
FIELDS = st.none() | BYTES | st.lists(BYTES, min_size=1, max_size=3)
NUMBERS = st.none() | st.integers(0, 99999).map(lambda n: b"%d" % n) | BYTES
WIDE = st.tuples(
    FIELDS, NUMBERS, FIELDS, NUMBERS, NUMBERS, FIELDS, NUMBERS,
    st.sampled_from([None, b"kernel", b"journal"]), FIELDS, FIELDS,
)  # fmt: skip
FULL = st.tuples(st.tuples(*[PRESENT] * len(BASIC_FIELDS)), WIDE).map(
    lambda both: both[0] + both[1][len(BASIC_FIELDS) :]
)
CONTEXTS: st.SearchStrategy[tuple[Field, ...]] = WIDE | WIDE.map(lambda fields: fields[:5])
TIMES = st.integers(0, 4 * 10**15) | st.integers(10**15, 10**15 + 3 * 10**6)
ENTRIES = st.lists(st.tuples(TIMES, CONTEXTS, FIELDS), max_size=8)
FORMATTERS = st.builds(Formatter, st.sampled_from(FORMATS), st.sampled_from([ALL, EntryFilter()]))


Entry = tuple[int, tuple[Field, ...], Field]


def as_batch(entries: list[Entry]) -> Batch:
    return Batch(
        Position(None),
        times_us=[entry[0] for entry in entries],
        contexts=[entry[1] for entry in entries],
        messages=[entry[2] for entry in entries],
        entries=len(entries),
    )


def one(form: str, time_us: int, context: tuple[Field, ...], message: Field) -> str:
    made = Formatter(form, ALL).lines(as_batch([(time_us, context, message)]))
    assert made[0] is not None
    return made[0].decode()


def first(value: Field) -> bytes:
    value = value[0] if isinstance(value, list) else value
    return value or b""


def shown(message: bytes) -> str:
    """Say independently what a message looks like in a line."""
    text = ""
    for character in message.decode(errors="replace"):
        plain = not LINE_BREAKERS.match(character)
        text += character if plain else "".join(f"#{b:03o}" for b in character.encode())
    return text


def cleaned(value: bytes, allowed: Callable[[str], bool]) -> str:
    return "".join(chr(byte) if byte < 128 and allowed(chr(byte)) else "_" for byte in value)


def in_tag(character: str) -> bool:
    return "!" <= character <= "~" and character not in ":[]"


def in_host(character: str) -> bool:
    return character.isalnum() or character in "._:-"


def expected_ident(context: tuple[Field, ...]) -> str:
    named = context[0] if context[0] is not None or len(context) == 5 else context[5]
    return cleaned(first(named) or b"journal", in_tag)


def expected_pid(context: tuple[Field, ...]) -> str | None:
    whole = (*context, *(None,) * 10)
    if whole[1] is None and whole[7] == b"kernel":
        return None
    pid = first(whole[6] if whole[1] is None else whole[1])
    return pid.decode() if re.fullmatch(rb"[0-9]{1,10}", pid) else None


def check_syslog(
    pattern: re.Pattern[str], text: str, context: tuple[Field, ...], message: Field
) -> str:
    match = pattern.fullmatch(text)
    assert match, text
    assert match["host"] == cleaned(first(context[2]) or b"localhost", in_host)
    assert match["ident"] == expected_ident(context)
    assert match["pid"] == expected_pid(context)
    assert match["message"] == shown(first(message))
    return match["time"]


@given(FORMATTERS, ENTRIES)
def test_the_blob_is_the_lines(formatter: Formatter, entries: list[Entry]) -> None:
    batch = as_batch(entries)
    lines = formatter.lines(batch)
    assert len(lines) == len(entries)
    written = [line for line in lines if line is not None]
    assert formatter.blob(batch) == (b"".join(written), len(written))


@given(st.sampled_from(FORMATS), TIMES, CONTEXTS, FIELDS)
def test_any_entry_is_exactly_one_printable_line(
    form: str, time_us: int, context: tuple[Field, ...], message: Field
) -> None:
    text = one(form, time_us, context, message)
    assert text.endswith("\n")
    assert not LINE_BREAKERS.search(text[:-1])
    assert text.splitlines() == [text[:-1]]


@given(FORMATTERS, ENTRIES, ENTRIES)
def test_the_same_entry_gives_the_same_bytes_whatever_came_before(
    formatter: Formatter, earlier: list[Entry], entries: list[Entry]
) -> None:
    alone = [formatter.lines(as_batch([entry]))[0] for entry in entries]
    formatter.blob(as_batch(earlier))
    assert formatter.lines(as_batch(earlier + entries))[len(earlier) :] == alone
    assert formatter.blob(as_batch(entries))[0] == b"".join(filter(None, alone))


@given(TIMES, CONTEXTS, FIELDS)
def test_a_parser_gets_back_what_an_rfc3339_line_was_made_of(
    time_us: int, context: tuple[Field, ...], message: Field
) -> None:
    stamp = check_syslog(RFC3339, one("rfc3339", time_us, context, message), context, message)
    expected = EPOCH + dt.timedelta(microseconds=time_us)
    assert stamp == expected.isoformat(timespec="microseconds")


@given(TIMES, CONTEXTS, FIELDS)
def test_a_parser_gets_back_what_an_rfc3164_line_was_made_of(
    time_us: int, context: tuple[Field, ...], message: Field
) -> None:
    stamp = check_syslog(RFC3164, one("rfc3164", time_us, context, message), context, message)
    local = (EPOCH + dt.timedelta(seconds=time_us // 10**6)).astimezone()
    assert stamp == f"{local:%b} {local.day:>2} {local:%H:%M:%S}"


@given(TIMES, CONTEXTS, FIELDS)
def test_a_parser_gets_back_what_a_json_line_was_made_of(
    time_us: int, context: tuple[Field, ...], message: Field
) -> None:
    entry = json.loads(one("json", time_us, context, message))
    expected = EPOCH + dt.timedelta(microseconds=time_us)
    assert entry["time"] == expected.isoformat(timespec="microseconds")
    assert entry["host"] == cleaned(first(context[2]) or b"localhost", in_host)
    assert entry["identifier"] == expected_ident(context)
    pid = expected_pid(context)
    assert entry.get("pid") == (None if pid is None else int(pid))
    assert 0 <= entry["priority"] <= 7
    assert 0 <= entry["facility"] <= 23
    assert entry["message"] == first(message).decode(errors="replace")
    assert next(iter(entry)) == "time"
    assert list(entry)[-1] == "message"


@given(st.sampled_from(["rfc3339", "rfc3164"]), TIMES, FULL, FIELDS)
def test_an_entry_with_all_basic_fields_gives_the_line_of_the_whole_entry(
    form: str, time_us: int, whole: tuple[Field, ...], message: Field
) -> None:
    """The reader hands over the narrow fields where all are there, else all."""
    narrow = whole[: len(BASIC_FIELDS)]
    assert one(form, time_us, narrow, message) == one(form, time_us, whole, message)


@given(
    st.sampled_from(FORMATS),
    TIMES,
    CONTEXTS,
    st.integers(1, 2**63),
    st.integers(0, 2**40),
    st.integers(1, 2**41),
)
def test_a_gap_is_one_line_like_any_other(
    form: str, time_us: int, context: tuple[Field, ...], start: int, more: int, lost: int
) -> None:
    gap = Gap(start, start + more, lost)
    text = Formatter(form, ALL).gap_line(gap, time_us, context).decode()
    assert text.splitlines() == [text[:-1]]
    message = f"{lost} journal entries lost (seqnum {start}..{start + more})"
    marker = (b"journal-exporter", None, context[2], b"4", b"5")
    assert text == one(form, time_us, marker, message.encode())


@given(ENTRIES)
def test_formatting_changes_nothing_of_the_batch(entries: list[Entry]) -> None:
    batch = as_batch(entries)
    before = dataclasses.asdict(batch)
    formatter = Formatter("rfc3339", ALL)
    formatter.blob(batch)
    formatter.lines(batch)
    assert dataclasses.asdict(batch) == before
