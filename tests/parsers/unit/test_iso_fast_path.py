"""The fast path for times: it reads what the slow path reads, and the usual times take it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_observability.parsers.times.time_format import TimeFormat

CRI = "%Y-%m-%dT%H:%M:%S.%L%z"
FORMATS = (
    CRI,
    "%Y-%m-%dT%H:%M:%S.%L",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S",
    "%F %T,%L %z",
    "%F %T %Z",
    "%FT%T.%LZ",
    "%F_%T.%L%d",
    "%F %T.%L e%z",
    "%FT%T.%L%L",
    "%d/%b/%Y:%H:%M:%S %z",
)
SECOND = 1475712000  # 2016-10-06T00:00:00Z
_TWO = st.one_of(
    st.sampled_from(["00", "01", "06", "09", "10", "12", "13", "23", "24", "31", "32"]),
    st.sampled_from(["59", "60", "61", "7", "+1", " 1", "1x"]),
)
_FRACTIONS = st.one_of(
    st.sampled_from(["", ".", ".5", ",5", ".1234567891", ".1e400", ".5e1", ".5e-3", ".E1", ".+5"]),
    st.integers(0, 10**9 - 1).map(".{:09}".format),
    st.integers(0, 10**6 - 1).map(",{:06}".format),
)
_ZONES = st.one_of(
    st.sampled_from(["Z", "+09:00", "-0330", "+09", " +09:00", " UTC", " e+09:00", "EST", "5Z"]),
    st.sampled_from(["ZZ", "", "z", "+9", "12", "e5", "\0", "Z\0junk", " JSTx", "+99:59"]),
)
_TIMES = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    st.sampled_from(["2016", "2016", "1969", "0000", "9999", "16", "20166", "\uff12016"]),
    *(_TWO, _TWO, st.sampled_from(["T", "T", " ", "_", "t", "  ", "\t"]), _TWO, _TWO, _TWO),
    *(_FRACTIONS, _ZONES),
)
_VALID = st.builds(
    "2016-10-{:02}T{:02}:{:02}:{:02}.{:09}{}".format,
    *(st.integers(0, 35), st.integers(0, 25), st.integers(0, 61), st.integers(0, 62)),
    *(st.integers(0, 10**9 - 1), _ZONES),
)

_ANY = st.one_of(
    st.builds(
        "2016-10-06T00:17:0{}.{}{}".format,
        *(st.integers(0, 9), st.from_regex(r"[0-9eE+]{0,11}", fullmatch=True), _ZONES),
    ),
    st.text(alphabet="0123456789-:T.Z+e", max_size=40),
)


def read_slowly(
    source: str, text: bytes, offset_s: int | None
) -> tuple[int, int, int | None] | None:
    moment = TimeFormat(source, offset_s).read(text)
    return (moment.seconds, moment.nanoseconds, moment.offset_s) if moment.is_exact else None


@given(
    st.lists(st.one_of(_VALID, _TIMES, _ANY), min_size=2, max_size=30),
    st.sampled_from(FORMATS),
    st.sampled_from([None, 32400]),
)
def test_the_fast_path_reads_what_the_slow_path_reads(
    texts: list[str], source: str, offset_s: int | None
) -> None:
    time_format = TimeFormat(source, offset_s)
    # Each twice: before its parts are in the tables, and after.
    for text in [*texts, *texts]:
        data = text.encode()
        quick = time_format.read_fast(data)
        if quick is not None:
            assert quick == read_slowly(source, data, offset_s)
        time_format.read(data)


@pytest.mark.parametrize(
    ("source", "zone", "offset_s"),
    [
        (CRI, ".5Z", 0),
        (CRI, ".5+09:00", 32400),
        ("%Y-%m-%dT%H:%M:%S.%L", ".5Z", None),
        ("%Y-%m-%dT%H:%M:%S%z", "Z", 0),
        ("%Y-%m-%dT%H:%M:%S", ".5 and more", None),
    ],
)
def test_the_fast_path_reads_every_second_of_a_known_date(
    source: str, zone: str, offset_s: int | None
) -> None:
    time_format = TimeFormat(source)
    assert time_format.read_fast(b"2016-10-06T00:00:00" + zone.encode()) is None
    time_format.read(b"2016-10-06T00:00:00" + zone.encode())
    nanoseconds = 500_000_000 if "%L" in source else 0
    for second in range(86400):
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        assert time_format.read_fast(f"2016-10-06T{clock}{zone}".encode()) == (
            SECOND + second - (offset_s or 0),
            nanoseconds,
            offset_s,
        )


@pytest.mark.parametrize(
    "clock", ["24:00:00", "00:60:00", "00:00:61", "0:00:00", "00:00:0", "00-00:00", "+1:00:00"]
)
def test_the_fast_path_leaves_a_clock_out_of_range_to_the_slow_path(clock: str) -> None:
    time_format = TimeFormat(CRI)
    time_format.read(b"2016-10-06T00:00:00.5Z")
    assert time_format.read_fast(f"2016-10-06T{clock}.5Z".encode()) is None


def test_the_fast_path_reads_zones_and_dates_that_alternate() -> None:
    time_format = TimeFormat(CRI)
    texts = [
        f"2016-10-0{day}T00:00:00.5{zone}" for day in (6, 7) for zone in ("Z", "+09:00", "EDT")
    ]
    for text in texts:
        time_format.read(text.encode())
    for text in [*texts, *reversed(texts)]:
        assert time_format.read_fast(text.encode()) == read_slowly(CRI, text.encode(), None)


def test_the_cache_has_a_limit() -> None:
    time_format = TimeFormat("%FT%T.%L")
    for number in range(9000):
        time_format.read(f"{number + 1000}-01-01T00:00:00.5x{number}".encode())
    assert time_format.read_fast(b"9999-01-01T00:00:00.5x0") is not None
    assert time_format.read_fast(b"1000-01-01T00:00:00.5x0") is None
    assert time_format.read_fast(b"9999-01-01T00:00:00.5x8999") is None


def test_the_fast_path_leaves_a_tenth_digit_to_the_slow_path() -> None:
    time_format = TimeFormat(CRI)
    time_format.read(b"2016-10-06T00:00:00.5Z")
    assert time_format.read_fast(b"2016-10-06T00:00:00.123456789Z") is not None
    assert time_format.read_fast(b"2016-10-06T00:00:00.1234567891Z") is None


def test_digits_after_a_fraction_are_not_read_as_a_zone() -> None:
    source = "%F_%T.%L5"
    time_format = TimeFormat(source)
    # Nine digits are the fraction, the tenth is the 5; of two digits none is left for it.
    assert time_format.read(b"2016-10-06_00:00:00.1234567895").is_exact
    assert read_slowly(source, b"2016-10-06_00:00:00.55", None) is None
    assert time_format.read_fast(b"2016-10-06_00:00:00.55") is None
