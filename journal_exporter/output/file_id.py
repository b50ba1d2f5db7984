"""Recognises the output's files after they were renamed."""

import os
import zlib
from typing import NamedTuple

HEAD_BYTES = 512


class FileId(NamedTuple):
    """Identifies a file across renames and reboots.

    ``head`` is the CRC-32 of the first ``head_bytes`` bytes: inode numbers are reused, and device numbers
    change at a reboot.
    """

    device: int
    inode: int
    head_bytes: int
    head: int


def file_id(descriptor: int, known_bytes: int) -> FileId:
    """Return the identity of an open file, from up to ``known_bytes`` bytes of it."""
    status = os.fstat(descriptor)
    head = os.pread(descriptor, min(HEAD_BYTES, known_bytes), 0)
    return FileId(status.st_dev, status.st_ino, len(head), zlib.crc32(head))


def matches(descriptor: int, wanted: FileId) -> bool:
    """Whether an open file is the one with this identity."""
    found = file_id(descriptor, wanted.head_bytes)
    return found.inode == wanted.inode and found[2:] == wanted[2:]
