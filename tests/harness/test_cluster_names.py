"""The name server of the tests' cluster, by the bytes of RFC 1035."""

import struct

import pytest

from tests.cluster.names import answer

NAMES = {"kubernetes.default.svc": "198.19.0.1"}
A, AAAA = 1, 28


def query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    )


@pytest.mark.parametrize("name", ["kubernetes.default.svc", "Kubernetes.default.svc.cluster.local"])
def test_a_known_name_is_answered_with_its_address(name: str) -> None:
    asked = query(name, A)
    reply = answer(asked, NAMES)
    assert reply[:12] == struct.pack(">HHHHHH", 7, 0x8580, 1, 1, 0, 0)
    assert reply[12 : len(asked)].lower() == asked[12:].lower()
    assert reply[len(asked) :] == b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 30, 4) + bytes(
        [198, 19, 0, 1]
    )


def test_a_known_name_has_no_address_of_another_kind() -> None:
    reply = answer(query("kubernetes.default.svc", AAAA), NAMES)
    assert reply[:12] == struct.pack(">HHHHHH", 7, 0x8580, 1, 0, 0, 0)


def test_an_unknown_name_does_not_exist() -> None:
    reply = answer(query("kubernetes.default.svc.shop.svc.cluster.local", A), NAMES)
    assert reply[:12] == struct.pack(">HHHHHH", 7, 0x8583, 1, 0, 0, 0)
