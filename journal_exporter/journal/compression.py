"""Decompresses the fields of journal files: zstd and lz4 by the libraries that libsystemd uses, xz by Python.

Python has had zstd since 3.14 only, and a wheel would bring a second copy of the library. Guarantees: no
buffer is larger than journald's own limit of a field, whatever the data says; damaged data is a
``ValueError``.
"""

import ctypes
import functools
import lzma
from collections.abc import Callable, Mapping
from typing import Final

MAX_BYTES: Final = 768 << 20
"""journald's own limit of a field, DATA_SIZE_MAX."""
XZ, LZ4, ZSTD = 1, 2, 4
"""Flags of a compressed object."""
_UNKNOWN = 2**64 - 2
"""ZSTD_CONTENTSIZE_UNKNOWN is 2^64-1, ZSTD_CONTENTSIZE_ERROR one less; real sizes stay below."""
_LZ4_SIZE_BYTES = 8
"""journald writes the size before the block (little endian), as LZ4 blocks do not have it."""
Decompress = Callable[[bytes], bytes]


def decompress(flag: int, data: bytes) -> bytes:
    """Return the data of a compressed object.

    Raises:
        ValueError: it is damaged, or its library is not installed.
    """
    try:
        make = _MAKERS[flag]
    except KeyError:
        raise ValueError(f"unknown compression {flag}") from None
    return make()(data)


def _xz() -> Decompress:
    def run(data: bytes) -> bytes:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        try:
            found = decompressor.decompress(data, MAX_BYTES)
        except lzma.LZMAError as error:
            raise ValueError(str(error)) from error
        if not decompressor.eof:
            raise ValueError("incomplete xz data")
        return found

    return run


@functools.cache
def _lz4() -> Decompress:
    function = _library("liblz4.so.1").LZ4_decompress_safe
    function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int)

    def run(data: bytes) -> bytes:
        size_bytes = int.from_bytes(data[:_LZ4_SIZE_BYTES], "little")
        if not 0 < size_bytes <= MAX_BYTES:
            raise ValueError("lz4 data with an impossible size")
        target = ctypes.create_string_buffer(size_bytes)
        block = data[_LZ4_SIZE_BYTES:]
        if function(block, target, len(block), size_bytes) != size_bytes:
            raise ValueError("damaged lz4 data")
        return target.raw

    return run


@functools.cache
def _zstd() -> Decompress:
    library = _library("libzstd.so.1")
    size_of = library.ZSTD_getFrameContentSize
    size_of.restype, size_of.argtypes = ctypes.c_ulonglong, (ctypes.c_char_p, ctypes.c_size_t)
    function = library.ZSTD_decompress
    function.restype = ctypes.c_size_t
    function.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

    def run(data: bytes) -> bytes:
        size_bytes = size_of(data, len(data))
        if size_bytes >= _UNKNOWN or size_bytes > MAX_BYTES:
            raise ValueError("zstd frame without its size")
        target = ctypes.create_string_buffer(size_bytes)
        if function(target, size_bytes, data, len(data)) != size_bytes:
            raise ValueError("damaged zstd frame")
        return target.raw

    return run


def _library(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name)
    except OSError:
        raise ValueError(f"{name} is not installed") from None


_MAKERS: Mapping[int, Callable[[], Decompress]] = {XZ: _xz, LZ4: _lz4, ZSTD: _zstd}
