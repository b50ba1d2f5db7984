"""Fields of all three codecs are decompressed, and damaged data costs nothing but its field."""

import ctypes
import lzma

import pytest

from journal_exporter.journal.compression import LZ4, MAX_BYTES, XZ, ZSTD, decompress

FIELD = b"MESSAGE=" + b"words " * 2000


def by_zstd(data: bytes) -> bytes:
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_compress.restype = ctypes.c_size_t
    target = ctypes.create_string_buffer(len(data) + 1000)
    size = library.ZSTD_compress(
        target, ctypes.c_size_t(len(target)), data, ctypes.c_size_t(len(data)), 1
    )
    return target.raw[:size]


def by_lz4(data: bytes) -> bytes:
    library = ctypes.CDLL("liblz4.so.1")
    target = ctypes.create_string_buffer(len(data) + 1000)
    size = library.LZ4_compress_default(data, target, len(data), len(target))
    return len(data).to_bytes(8, "little") + target.raw[:size]


COMPRESSED = {
    XZ: lzma.compress(FIELD, check=lzma.CHECK_NONE),
    LZ4: by_lz4(FIELD),
    ZSTD: by_zstd(FIELD),
}


@pytest.mark.parametrize("flag", COMPRESSED, ids=["xz", "lz4", "zstd"])
def test_a_compressed_field_is_read(flag: int) -> None:
    assert decompress(flag, COMPRESSED[flag]) == FIELD


@pytest.mark.parametrize("flag", COMPRESSED, ids=["xz", "lz4", "zstd"])
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 30, -1])
def test_a_field_that_is_cut_short_is_an_error(flag: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        decompress(flag, COMPRESSED[flag][:size])


@pytest.mark.parametrize("flag", COMPRESSED, ids=["xz", "lz4", "zstd"])
def test_any_flipped_byte_is_an_error_or_another_field(flag: int) -> None:
    """Only xz and zstd have checks, which journald does not use."""
    errors = 0
    for place in range(len(COMPRESSED[flag])):
        data = bytearray(COMPRESSED[flag])
        data[place] ^= 0xFF
        try:
            assert isinstance(decompress(flag, bytes(data)), bytes)
        except ValueError:
            errors += 1
    assert errors


@pytest.mark.parametrize("size", [0, MAX_BYTES + 1, 2**63, 2**64 - 1])
def test_a_size_that_no_field_has_needs_no_memory(size: int) -> None:
    with pytest.raises(ValueError, match="impossible size"):
        decompress(LZ4, size.to_bytes(8, "little") + COMPRESSED[LZ4][8:])


@pytest.mark.parametrize("flag", [3, 6, 8, 128])
def test_an_unknown_codec_is_an_error(flag: int) -> None:
    with pytest.raises(ValueError, match=f"unknown compression {flag}"):
        decompress(flag, FIELD)
