"""Sizes and durations as users write them."""

import pytest

from journal_exporter.quantities import duration_s, human_bytes, size_bytes, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("52428800", 52428800), ("50Mi", 52428800), ("50MiB", 52428800),
     ("50mi", 52428800), (" 50 Mi ", 52428800), ("1.5Ki", 1536), ("1k", 1000), ("1K", 1000),
     ("1kB", 1000), ("2M", 2_000_000), ("3G", 3_000_000_000), ("1T", 10**12), ("1Gi", 2**30),
     ("1Ti", 2**40)],
)  # fmt: skip
def test_a_size_takes_the_suffixes_of_kubernetes(text: str, size: int) -> None:
    assert size_bytes(text) == size
    assert isinstance(size_bytes(text), int)


@pytest.mark.parametrize(
    "text",
    ["", " ", "Mi", "50 Mi B", "-1", "+1", "1e3", "50Xi", "50Pi", "1,5Mi", ".5Mi", "1.Mi", "0x10",
     "B", "50 50", "50Mii", "nan", "inf"],
)  # fmt: skip
def test_any_other_size_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a size; write bytes or a suffix, .* 50Mi"):
        size_bytes(text)


@pytest.mark.parametrize("text", ["0.5", "1.5B", "1.0001Ki", "0.0001k"])
def test_part_of_a_byte_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        size_bytes(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("90", 90.0), ("1.5s", 1.5), ("250ms", 0.25), ("10min", 600.0), ("10m", 600.0),
     ("24h", 86400.0), ("2d", 172800.0), ("2 H", 7200.0), ("1 MIN", 60.0)],
)  # fmt: skip
def test_a_duration_takes_the_suffixes_of_systemd(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1w", "1h30", "1h 30min", "1e3", "soon", "Mi"])
def test_any_other_duration_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration; write seconds .* 24h"):
        duration_s(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (52428800, "50.0 MiB"),
     (2**30, "1.0 GiB"), (2**40, "1.0 TiB"), (2**50, "1024.0 TiB")],
)  # fmt: skip
def test_sizes_are_shown_in_the_unit_that_fits(size: int, text: str) -> None:
    assert human_bytes(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (1, "1"), (1023, "1023"), (1024, "1Ki"), (1536, "1536"), (52428800, "50Mi"),
     (1 << 30, "1Gi"), (1025 << 20, "1025Mi"), (3 << 40, "3Ti")],
)  # fmt: skip
def test_a_size_is_written_with_the_largest_suffix_that_leaves_it_whole(
    size: int, text: str
) -> None:
    assert size_text(size) == text
    assert size_bytes(text) == size
