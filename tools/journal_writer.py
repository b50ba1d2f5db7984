"""Write real journal files with systemd-journal-remote.

An entry is in the file, and a waiting reader is woken, less than a millisecond after its last
byte reached the tool, which holds nothing back. `JournalAppender.append` fills a buffer, though:
`flush` hands it over. A file that would exceed 128 MiB is archived next to the one being written.
"""

import contextlib
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Self, cast

__all__ = [
    "BOTTLEROCKET",
    "JournalAppender",
    "JournalRemoteError",
    "encode_field",
    "export_entry",
    "write_journal",
]

BOTTLEROCKET = {"SYSTEMD_JOURNAL_KEYED_HASH": "0", "SYSTEMD_JOURNAL_COMPACT": "0"}
TODAY = {"SYSTEMD_JOURNAL_KEYED_HASH": "1", "SYSTEMD_JOURNAL_COMPACT": "1"}

_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class JournalRemoteError(RuntimeError):
    """systemd-journal-remote is not installed, or failed."""


def encode_field(name: str, value: bytes) -> bytes:
    """Encode one field as the export format and journald's native protocol both want it."""
    if _UNPRINTABLE.search(value) is None and (value.isascii() or _is_utf8(value)):
        return b"%b=%b\n" % (name.encode(), value)
    return b"%b\n%b%b\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def export_entry(fields: Iterable[tuple[str, bytes]]) -> bytes:
    """Encode one entry; the timestamps and the boot id are fields like the others."""
    return b"".join(encode_field(name, value) for name, value in fields) + b"\n"


class JournalAppender:
    """A journal file that grows while readers look at it."""

    def __init__(self, path: Path, *, compressed: bool = False) -> None:
        """Open or create the file; `compressed` means keyed, compact and zstd as of today."""
        search = os.pathsep.join(("/usr/lib/systemd", "/lib/systemd", os.environ.get("PATH", "")))
        program = shutil.which("systemd-journal-remote", path=search)
        if program is None:
            message = "install the package systemd-journal-remote: it writes the journal files"
            raise JournalRemoteError(message)
        compression = "yes" if compressed else "no"
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        # Ctrl-C is for us alone: the writer finishes when its input ends.
        self._process = subprocess.Popen(
            [program, f"--compress={compression}", f"--output={path}", "-"],
            stdin=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=1 << 18,
            start_new_session=True,
            env={
                **os.environ,
                **(TODAY if compressed else BOTTLEROCKET),
                "SYSTEMD_LOG_TARGET": "console",
                "SYSTEMD_LOG_LEVEL": "notice",
            },
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)

    def __enter__(self) -> Self:
        """Return the appender, which has been open since it was made."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the file."""
        self.close()

    @property
    def pid(self) -> int:
        """The process id of the writer."""
        return self._process.pid

    def append(self, entry: bytes) -> None:
        """Take one or more encoded entries, for readers to see after the next `flush`."""
        try:
            self._stdin.write(entry)
        except BrokenPipeError as error:
            raise self._failure() from error

    def flush(self) -> None:
        """Hand over what was appended: readers see it within about a millisecond."""
        try:
            self._stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error

    def close(self) -> None:
        """Write everything and wait for the writer to end; raise an error if it failed."""
        if self._stderr.closed:
            return
        try:
            self._stdin.close()
        except BrokenPipeError as error:
            raise self._failure() from error
        if self._process.wait():
            raise self._failure()
        self._stderr.close()

    def _failure(self) -> JournalRemoteError:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        code = self._process.wait()
        with self._stderr:
            self._stderr.seek(0)
            errors = self._stderr.read().decode(errors="replace").strip()
        return JournalRemoteError(f"systemd-journal-remote ended with {code}: {errors}")


def write_journal(path: Path, stream: Iterable[bytes], *, compressed: bool = False) -> None:
    """Write encoded entries to a journal file, by default in Bottlerocket's plain format."""
    with JournalAppender(path, compressed=compressed) as journal:
        for entry in stream:
            journal.append(entry)
