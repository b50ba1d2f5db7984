"""Unix datagram sockets as systemd uses them: for journald's native protocol and for readiness."""

import array
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

__all__ = ["bound", "connected", "is_ready", "send_entry"]

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def connected(
    directory: Path, name: str, timeout: float, kind: int = socket.SOCK_DGRAM
) -> socket.socket:
    """Return a socket for sending; `timeout` is for a receiver that does not keep up."""
    sender = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
    sender.settimeout(timeout)
    _at(directory, name, sender.connect)
    return sender


def bound(directory: Path, name: str) -> socket.socket:
    """Return a socket for receiving without waiting."""
    (directory / name).unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    receiver.setblocking(False)
    _at(directory, name, receiver.bind)
    return receiver


def is_ready(notifications: socket.socket) -> bool:
    """Return whether a service has announced that it is ready."""
    try:
        return b"READY=1" in notifications.recv(4096).splitlines()
    except BlockingIOError:
        return False


def send_entry(journal: socket.socket, entry: bytes, uid: int | None = None) -> None:
    """Send one entry, in a sealed memory file if it is too large for a datagram; root may name a user."""
    credentials = [] if uid is None else [_credentials(uid)]
    try:
        journal.sendmsg([entry], credentials)
    except OSError as error:
        if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
            raise
    else:
        return
    descriptor = os.memfd_create("entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", buffering=0) as memory:
        memory.write(entry)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory.fileno()]))
        journal.sendmsg([b""], [*credentials, rights])


def _credentials(uid: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("3i", os.getpid(), uid, uid)


def _at(directory: Path, name: str, call: Callable[[str], object]) -> None:
    """Bind or connect a socket whose path may be longer than the 108 bytes of an address."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call(f"/proc/self/fd/{descriptor}/{name}")
    finally:
        os.close(descriptor)
