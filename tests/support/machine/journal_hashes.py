"""The two hash functions of journal files, in plain Python: Jenkins' lookup3 and SipHash-2-4."""

import struct

__all__ = ["jenkins_hash64", "siphash24"]

_MASK32 = (1 << 32) - 1
_MASK64 = (1 << 64) - 1
_WORDS = struct.Struct("<3I")


def _rotated32(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK32


def jenkins_hash64(data: bytes) -> int:
    """Return both halves of ``hashlittle2`` (lookup3.c), with initial values of 0, as systemd joins them."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK32
    whole, rest = divmod(len(data), 12)
    if whole and not rest:
        whole -= 1
    for number in range(whole):
        first, second, third = _WORDS.unpack_from(data, 12 * number)
        a, b, c = _jenkins_mixed(a + first, b + second, c + third)
    if data:
        first, second, third = _WORDS.unpack(data[12 * whole :].ljust(12, b"\0"))
        b, c = _jenkins_final((a + first) & _MASK32, (b + second) & _MASK32, (c + third) & _MASK32)
    return c << 32 | b


def _jenkins_mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits, other_bits, last_bits in ((4, 6, 8), (16, 19, 4)):
        a, c = (a - c) & _MASK32 ^ _rotated32(c & _MASK32, bits), c + b
        b, a = (b - a) & _MASK32 ^ _rotated32(a & _MASK32, other_bits), a + c
        c, b = (c - b) & _MASK32 ^ _rotated32(b & _MASK32, last_bits), b + a
    return a & _MASK32, b & _MASK32, c & _MASK32


def _jenkins_final(a: int, b: int, c: int) -> tuple[int, int]:
    c = ((c ^ b) - _rotated32(b, 14)) & _MASK32
    a = ((a ^ c) - _rotated32(c, 11)) & _MASK32
    b = ((b ^ a) - _rotated32(a, 25)) & _MASK32
    c = ((c ^ b) - _rotated32(b, 16)) & _MASK32
    a = ((a ^ c) - _rotated32(c, 4)) & _MASK32
    b = ((b ^ a) - _rotated32(a, 14)) & _MASK32
    c = ((c ^ b) - _rotated32(b, 24)) & _MASK32
    return b, c


def siphash24(data: bytes, key: bytes) -> int:
    """Return SipHash-2-4 of the data; the key has 16 bytes."""
    low, high = struct.unpack("<2Q", key)
    v = (
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    )
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v = _sip_rounds((v[0], v[1], v[2], v[3] ^ word), 2)
        v = (v[0] ^ word, v[1], v[2], v[3])
    v = _sip_rounds((v[0], v[1], v[2] ^ 0xFF, v[3]), 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = v
    for _ in range(count):
        v0 = (v0 + v1) & _MASK64
        v1 = (v1 << 13 | v1 >> 51) & _MASK64 ^ v0
        v0 = (v0 << 32 | v0 >> 32) & _MASK64
        v2 = (v2 + v3) & _MASK64
        v3 = (v3 << 16 | v3 >> 48) & _MASK64 ^ v2
        v0 = (v0 + v3) & _MASK64
        v3 = (v3 << 21 | v3 >> 43) & _MASK64 ^ v0
        v2 = (v2 + v1) & _MASK64
        v1 = (v1 << 17 | v1 >> 47) & _MASK64 ^ v2
        v2 = (v2 << 32 | v2 >> 32) & _MASK64
    return v0, v1, v2, v3
