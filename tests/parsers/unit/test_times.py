"""Times: what Fluent Bit's strptime and its double make of a text."""

import pytest

from node_observability.parsers.times.time_format import (
    Moment,
    TimeFormat,
    TimeOffsetError,
    parse_time_offset,
)

CRI = "%Y-%m-%dT%H:%M:%S.%L%z"
SECOND = 1475713029  # 2016-10-06T00:17:09Z


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (CRI, "2016-10-06T00:17:09.669794202Z", (SECOND, 669794202, 0)),
        (CRI, "2016-10-06T00:17:09.5Z", (SECOND, 500000000, 0)),
        (CRI, "2016-10-06T09:17:09.5+09:00", (SECOND, 500000000, 32400)),
        (CRI, "2016-10-06T09:17:09.5+0900", (SECOND, 500000000, 32400)),
        (CRI, "2016-10-06T09:17:09.5+09", (SECOND, 500000000, 32400)),
        (CRI, "2016-10-05T20:47:09.000000001-03:30", (SECOND, 1, -12600)),
        (CRI, "2016-10-05T20:17:09.5EDT", (SECOND, 500000000, -14400)),
        (CRI, "2016-10-06T00:17:09.5UTC and more", (SECOND, 500000000, 0)),
        (CRI, "2016-10-06T00:17:60.5Z", (SECOND + 51, 500000000, 0)),
        (CRI, "2016-02-31T00:00:00.5Z", (1456876800, 500000000, 0)),
        (CRI, "2016-1-6T0:7:9.5Z", (1452038829, 500000000, 0)),
        (CRI, "2016-10-06T00:17:09.5Z\0junk", (SECOND, 500000000, 0)),
        (CRI, "2016-10-06T00:17:09.5e-1Z", (SECOND, 50000000, 0)),
        ("%Y-%m-%dT%H:%M:%S.%L", "2016-10-06T00:17:09.5+09:00", (SECOND, 500000000, None)),
        ("%Y-%m-%dT%H:%M:%S%z", "2016-10-06T00:17:09Z", (SECOND, 0, 0)),
        ("%d/%b/%Y:%H:%M:%S %z", "06/Oct/2016:02:17:09 +0200", (SECOND, 0, 7200)),
        ("%s.%L", "1475713029.25", (SECOND, 250000000, None)),
        ("%Y %j", "2015 366", (1451606400, 0, None)),
        ("%s", "1475713029", (SECOND, 0, 0)),
        ("%y-%j %T", "16-280 00:17:09", (SECOND, 0, None)),
        ("%C%y-%m-%d %T", "2016-10-06 00:17:09", (SECOND, 0, None)),
        ("%F %r", "2016-10-06 12:17:09 AM", (SECOND, 0, None)),
        ("%F %I:%M:%S%p", "2016-10-06 12:17:09pm", (SECOND + 43200, 0, None)),
        ("%e/%m/%Y", " 6/10/2016", (1475712000, 0, None)),
        ("%e%m%Y", " 6102016", (1475712000, 0, None)),
        ("%y-%m-%d", "68-01-01", (3092601600, 0, None)),
        ("%y-%m-%d", "69-01-01", (-31536000, 0, None)),
        ("%c", "Thu Oct  6 00:17:09 2016", (SECOND, 0, None)),
        ("%A %e %B %Y %k:%M:%S%n%Z", "thursday  6 october 2016 9:17:09 JST", (SECOND, 0, 32400)),
        ("%Y-%m-%dT%H:%M:%S %Z", "2016-10-06T00:17:09 UTCx", (SECOND, 0, 0)),
        (
            "%z %Y-%m-%dT%H:%M:%S.%L",
            "+09:00 2016-10-06T00:17:09.5",
            (SECOND, 500000000, None),
        ),
        (
            "%z %Y-%m-%dT%H:%M:%S.%L %H",
            "+09:00 2016-10-06T00:17:09.5 00",
            (SECOND, 500000000, None),
        ),
    ],
)
def test_a_text_becomes_an_instant_to_the_nanosecond(
    source: str, text: str, expected: tuple[int, int, int | None]
) -> None:
    moment = TimeFormat(source).read(text.encode())
    assert moment.is_exact
    assert (moment.seconds, moment.nanoseconds, moment.offset_s) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2016-10-06T00:17:09Z",
        "2016-10-06T00:17:09,5Z",
        "2016-10-06T00:17:09.5",
        "2016-10-06T00:17:09.5z",
        "2016-10-06T00:17:09.1234567890Z",
        "2016-10-06T00:17:09.Z",
        "2016-13-06T00:17:09.5Z",
        "2016-10-32T00:17:09.5Z",
        "2016-10-06T24:17:09.5Z",
        "2016-10-06T00:17:09.5+9",
        "2016-10-06T00:17:09.5+09:0",
        "2016-10-06T00:17:09.5GM",
        "",
        "garbage",
    ],
)
def test_a_text_that_the_format_does_not_match_is_not_exact(text: str) -> None:
    assert not TimeFormat(CRI).read(text.encode()).is_exact


def test_an_unknown_directive_never_matches() -> None:
    assert not TimeFormat("%Y-%N").read(b"2016-1").is_exact


def test_fields_read_before_a_mismatch_count_but_the_zone_does_not() -> None:
    moment = TimeFormat(CRI).read(b"2016-10-06T00:17:09+09:00")
    assert (moment.is_exact, moment.seconds) == (False, SECOND)


def test_a_fraction_is_a_double_and_is_truncated() -> None:
    assert Moment(True, 0, float("0.001000001"), None).nanoseconds == 1000000


def test_a_format_without_a_year_takes_the_year_of_the_clock() -> None:
    source = TimeFormat("%b %d %H:%M:%S")
    assert source.read(b"Oct  6 00:17:09", now_s=SECOND + 86400).seconds == SECOND
    assert TimeFormat("%H:%M:%S").read(b"00:17:09", now_s=SECOND + 60).seconds == SECOND


def test_a_time_offset_counts_where_the_format_has_no_zone() -> None:
    assert TimeFormat("%F %T", 32400).read(b"2016-10-06 09:17:09").seconds == SECOND
    assert TimeFormat("%F %T%z", 32400).read(b"2016-10-06 00:17:09Z").seconds == SECOND


@pytest.mark.parametrize(("text", "expected"), [("+0900", 32400), ("-03:30", -12600), ("Z", 0)])
def test_a_time_offset_is_read(text: str, expected: int) -> None:
    assert parse_time_offset(text) == expected


@pytest.mark.parametrize("text", ["9", "+9", "+99:00", "JST", "+09:60"])
def test_an_invalid_time_offset_is_refused(text: str) -> None:
    with pytest.raises(TimeOffsetError, match="offset"):
        parse_time_offset(text)
