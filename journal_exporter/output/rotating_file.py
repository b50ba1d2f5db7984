"""Appends lines to the output file, and rotates it: put, flush, sync, rotate, delete old archives.

Guarantees: the file never shrinks and is never rewritten. A rotation is a series of renames that can be
resumed after any of them. Files end at a line's end. An error or a kill may interrupt ``flush`` at any
byte; the next ``flush`` writes the rest. The live file is locked, so that no two exporters write it.

The writer decides what goes into the file, when it is rotated, and what happens when it can't be written.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from journal_exporter.errors import OutputError, output_errors
from journal_exporter.output import archives
from journal_exporter.output.durable import make_directory, sync_directory
from journal_exporter.output.file_id import HEAD_BYTES, FileId, file_id
from journal_exporter.output.lock import is_locked, lock_output, unlock_output

_MODE = 0o644


class RotatingFile:
    """The output file and its archives. ``open`` it; every method that writes raises ``OutputError``."""

    def __init__(
        self,
        path: Path,
        *,
        keep_files: int,
        keep_bytes: int,
        max_bytes: int = 0,
        on_archive_deleted: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self.path = path
        self._keep_files = keep_files
        self._keep_bytes = keep_bytes
        self._max_bytes = max_bytes
        self._on_archive_deleted = on_archive_deleted
        self._descriptor: int | None = None
        self._pending = memoryview(b"")
        self._id: FileId | None = None
        self.size_bytes = 0

    def open(self) -> None:
        """Open the live file at its end; create it if it does not exist."""
        self.close()
        with output_errors("opening", self.path):
            self._descriptor = self._open_live()
            self.size_bytes = os.fstat(self._descriptor).st_size

    def _open_live(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        make_directory(self.path.parent)
        descriptor = os.open(self.path, flags, _MODE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileExistsError(errno.EEXIST, "It is not a regular file")
            self._lock(descriptor, status)
            if status.st_size == 0:
                # It is new, or left by a start that got no further: the umask must not hide it. A file of
                # another user may be writable although its mode can't be changed.
                with contextlib.suppress(PermissionError):
                    os.fchmod(descriptor, _MODE)
                sync_directory(self.path.parent)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _lock(self, descriptor: int, status: os.stat_result) -> None:
        own = self._descriptor
        if own is not None and os.path.samestat(os.fstat(own), status):
            # Another process emptied the file, and this process opens it again while it holds the lock.
            unlock_output(own)
        if not lock_output(descriptor) or (status.st_size == 0 and self._is_rotated_by_another()):
            raise BlockingIOError(errno.EAGAIN, "Another exporter writes it")

    def _is_rotated_by_another(self) -> bool:
        """Whether the live file is missing only because another exporter has just renamed its own."""
        newest = archives.archive(self.path, 1)
        try:
            status = newest.stat()
        except FileNotFoundError:
            return False
        own = self._descriptor
        is_own = own is not None and os.path.samestat(os.fstat(own), status)
        return not is_own and is_locked(newest)

    def close(self) -> None:
        """Close the live file without a sync; pending bytes are dropped."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None
        self._pending = memoryview(b"")
        self._id = None

    @property
    def _open(self) -> int:
        if self._descriptor is None:
            self.open()
        assert self._descriptor is not None  # noqa: S101
        return self._descriptor

    @property
    def id(self) -> FileId:
        """The live file's identity."""
        if self._id is None or self._id.head_bytes < min(HEAD_BYTES, self.size_bytes):
            with output_errors("reading", self.path):
                self._id = file_id(self._open, self.size_bytes)
        return self._id

    def put(self, data: bytes) -> None:
        """Set the bytes that the next ``flush`` appends."""
        self._pending = memoryview(data)

    @property
    def pending_bytes(self) -> int:
        """How many of the bytes put are not written yet."""
        return len(self._pending)

    def flush(self) -> None:
        """Append the bytes put, or what an error left of them."""
        descriptor = self._open
        with output_errors("writing", self.path):
            while self._pending:
                written = os.write(descriptor, self._pending)
                self._pending = self._pending[written:]
                self.size_bytes += written

    def sync(self) -> None:
        """Make what was appended durable."""
        with output_errors("syncing", self.path):
            os.fdatasync(self._open)

    def is_replaced(self) -> bool:
        """Whether another process removed, renamed or emptied the live file."""
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise OutputError(f"checking {self.path}", error) from error
        own = os.fstat(self._open)
        renamed = (status.st_dev, status.st_ino) != (own.st_dev, own.st_ino)
        return renamed or own.st_size < self.size_bytes

    def rotate(self) -> None:
        """Rename the live file to archive 1, the archives up by one, and begin a new live file.

        After an error or a crash, call this or ``open`` again: it resumes where it stopped.
        """
        with output_errors("rotating", self.path):
            # If the open file has lost its name, an earlier attempt has renamed the files already.
            if not self.is_replaced():
                self._shift()
            descriptor = self._open_live()
        try:
            size_bytes = os.fstat(descriptor).st_size
            self.delete_surplus()
        except OutputError:
            os.close(descriptor)
            raise
        # Only now: until here the next attempt can see that the open file has lost its name.
        self.close()
        self._descriptor = descriptor
        self.size_bytes = size_bytes

    def _shift(self) -> None:
        self._delete_beyond_count()
        existing = {number for number, _ in self._numbered()}
        if all(number in existing for number in range(1, self._keep_files + 1)):
            self._delete(archives.archive(self.path, self._keep_files), "count")
            existing.discard(self._keep_files)
        for old, new in archives.shift(self.path, existing, self._keep_files):
            old.rename(new)
        sync_directory(self.path.parent)

    def delete_surplus(self) -> None:
        """Delete archives beyond the limits, oldest first; the live file counts with its maximum size."""
        with output_errors("deleting archives of", self.path):
            self._delete_beyond_count()
            kept = [path for _, path in self._numbered()]
            sizes_bytes = [path.stat().st_size for path in kept]
            for _ in range(archives.surplus(sizes_bytes, self._max_bytes, self._keep_bytes)):
                self._delete(kept.pop(), "bytes")

    def _delete_beyond_count(self) -> None:
        """Delete the oldest first, so that a kill in between leaves no hole in the archives."""
        for number, path in reversed(self._numbered()):
            if number > self._keep_files:
                self._delete(path, "count")

    def delete_oldest(self) -> bool:
        """Delete the oldest archive to free space; return whether there was one."""
        with output_errors("deleting archives of", self.path):
            numbered = self._numbered()
            if numbered:
                self._delete(numbered[-1][1], "disk_full")
        return bool(numbered)

    def ends_torn(self) -> bool:
        """Whether the live file's last line lacks its end."""
        if self.size_bytes == 0:
            return False
        with output_errors("reading", self.path):
            return os.pread(self._open, 1, self.size_bytes - 1) != b"\n"

    def count_archives(self) -> int:
        """Return the number of archives."""
        return len(self._numbered())

    def _delete(self, path: Path, reason: str) -> None:
        path.unlink()
        self._on_archive_deleted(reason)

    def _numbered(self) -> list[tuple[int, Path]]:
        paths = enumerate(archives.newest_first(self.path))
        return [(number, path) for number, path in paths if number and path.exists()]
