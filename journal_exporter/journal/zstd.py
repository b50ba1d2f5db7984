"""Decompresses journald's zstd fields with the libzstd that libsystemd uses.

Python has zstd only since 3.14, and a wheel would bring a second copy of the library.
"""

import ctypes
import functools
from collections.abc import Callable

MAX_BYTES = 768 << 20
"""journald's limit for a field, DATA_SIZE_MAX."""
_UNKNOWN = 2**64 - 2
"""ZSTD_CONTENTSIZE_UNKNOWN is 2^64-1, ZSTD_CONTENTSIZE_ERROR one less; real sizes stay below."""


@functools.cache
def decompressor() -> Callable[[bytes], bytes] | None:
    """Return a function that decompresses one frame; None where libzstd is not installed.

    The function raises ``ValueError`` for bytes that are not a frame, and for a frame without its size,
    which journald always writes.
    """
    try:
        library = ctypes.CDLL("libzstd.so.1")
    except OSError:
        return None
    size_of = library.ZSTD_getFrameContentSize
    size_of.restype, size_of.argtypes = ctypes.c_ulonglong, (ctypes.c_char_p, ctypes.c_size_t)
    decompress = library.ZSTD_decompress
    decompress.restype = ctypes.c_size_t
    decompress.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

    def run(frame: bytes) -> bytes:
        size_bytes = size_of(frame, len(frame))
        if size_bytes >= _UNKNOWN or size_bytes > MAX_BYTES:
            raise ValueError("not a zstd frame with its size")
        target = ctypes.create_string_buffer(size_bytes)
        if decompress(target, size_bytes, frame, len(frame)) != size_bytes:
            raise ValueError("damaged zstd frame")
        return target.raw

    return run
