"""A name server for pods: it knows a few fixed names, and answers NXDOMAIN for all others (RFC 1035)."""

import socket
import struct
import threading
from collections.abc import Mapping

__all__ = ["NameServer", "answer"]

_HEADER = struct.Struct(">HHHHHH")
_A = 1
_ANSWERED, _NO_SUCH_NAME = 0x8580, 0x8583
_POINTER_TO_QUESTION = b"\xc0\x0c"


def answer(query: bytes, names: Mapping[str, str]) -> bytes:
    """Return the reply to a query of one question; ``names`` are without the cluster's domain."""
    number = _HEADER.unpack_from(query)[0]
    labels, at = [], _HEADER.size
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    question = query[_HEADER.size : at + 5]
    kind = struct.unpack_from(">H", query, at + 1)[0]
    address = names.get(".".join(labels).removesuffix(".cluster.local"))
    found = address is not None and kind == _A
    header = _HEADER.pack(number, _NO_SUCH_NAME if address is None else _ANSWERED, 1, found, 0, 0)
    if not found or address is None:
        return header + question
    record = struct.pack(">HHIH", _A, 1, 30, 4) + socket.inet_aton(address)
    return header + question + _POINTER_TO_QUESTION + record


class NameServer:
    """A name server on UDP port 53 of an address."""

    def __init__(self, address: str, names: Mapping[str, str]) -> None:
        self._address = address
        self._names = dict(names)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def start(self) -> None:
        """Start it."""
        self._socket.bind((self._address, 53))
        self._socket.settimeout(0.2)
        self._thread.start()

    def stop(self) -> None:
        """Stop it."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                query, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self._socket.sendto(answer(query, self._names), sender)
