"""Writes the output file: put, flush, sync, rotate, retain.

Guarantees: the file never shrinks and is never rewritten; a rotation is a chain of renames that can be
taken up after any of them; files end at a line's end. ``flush`` may be interrupted at any byte: what
is left is kept and written by the next one. The live file is locked, so that no two exporters
write one.

What goes into the file, and what is done when it can't be written, is the pipeline's.
"""

import contextlib
import errno
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from journal_exporter.errors import OutputError
from journal_exporter.output import archives
from journal_exporter.output.lock import is_locked, lock_output, unlock_output

HEAD_BYTES = 512
_MODE = 0o644


class FileId(NamedTuple):
    """Which file it is, whatever it is called now.

    ``head`` is the CRC-32 of the first ``head_bytes`` bytes: inode numbers are used again, and device
    numbers change over a reboot.
    """

    device: int
    inode: int
    head_bytes: int
    head: int


def file_id(descriptor: int, upto_bytes: int) -> FileId:
    """Return the identity of an open file of which ``upto_bytes`` bytes are known."""
    status = os.fstat(descriptor)
    head = os.pread(descriptor, min(HEAD_BYTES, upto_bytes), 0)
    return FileId(status.st_dev, status.st_ino, len(head), zlib.crc32(head))


def matches(descriptor: int, wanted: FileId) -> bool:
    """Whether an open file is the one that was remembered."""
    found = file_id(descriptor, wanted.head_bytes)
    return found.inode == wanted.inode and found[2:] == wanted[2:]


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
        """Open the live file, at its end; make it if there is none."""
        self.close()
        try:
            self._descriptor = self._open_live()
            self.size_bytes = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise OutputError(f"opening {self.path}", error) from error

    def _open_live(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, flags, _MODE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileExistsError(errno.EEXIST, "Something that is no regular file is there")
            self._lock(descriptor, status)
            if status.st_size == 0:
                # New, or left by a start that got no further: the umask must not hide it. Somebody
                # else's may be written without being ours.
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
            # Somebody emptied it, and it is opened anew: what holds the lock is ourselves.
            unlock_output(own)
        if not lock_output(descriptor) or (status.st_size == 0 and self._is_rotated_by_another()):
            raise BlockingIOError(errno.EAGAIN, "Another exporter writes it")

    def _is_rotated_by_another(self) -> bool:
        """Whether the live file is missing only because somebody else has just renamed his."""
        newest = archives.archive(self.path, 1)
        try:
            status = newest.stat()
        except FileNotFoundError:
            return False
        own = self._descriptor
        is_own = own is not None and os.path.samestat(os.fstat(own), status)
        return not is_own and is_locked(newest)

    def close(self) -> None:
        """Close the live file; nothing is synced, what is pending is dropped."""
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
        """The live file's identity, of the bytes before the end."""
        if self._id is None or self._id.head_bytes < min(HEAD_BYTES, self.size_bytes):
            try:
                self._id = file_id(self._open, self.size_bytes)
            except OSError as error:
                raise OutputError(f"reading {self.path}", error) from error
        return self._id

    def put(self, data: bytes) -> None:
        """Take what the next ``flush`` writes at the end."""
        self._pending = memoryview(data)

    @property
    def pending_bytes(self) -> int:
        """How much of what was put is not written."""
        return len(self._pending)

    def flush(self) -> None:
        """Append what was put, or what an error left of it."""
        descriptor = self._open
        try:
            while self._pending:
                written = os.write(descriptor, self._pending)
                self._pending = self._pending[written:]
                self.size_bytes += written
        except OSError as error:
            raise OutputError(f"writing {self.path}", error) from error

    def sync(self) -> None:
        """Make what was appended durable."""
        try:
            os.fdatasync(self._open)
        except OSError as error:
            raise OutputError(f"syncing {self.path}", error) from error

    def is_replaced(self) -> bool:
        """Whether somebody else removed, renamed or emptied the live file."""
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise OutputError(f"looking at {self.path}", error) from error
        own = os.fstat(self._open)
        renamed = (status.st_dev, status.st_ino) != (own.st_dev, own.st_ino)
        return renamed or own.st_size < self.size_bytes

    def rotate(self) -> None:
        """Rename the live file to archive 1, the archives up by one, and begin a new live file.

        After an error, or a crash, call it or ``open`` again: it goes on where it stopped.
        """
        try:
            # Where our file has lost its name, an earlier try has shifted the names already.
            if not self.is_replaced():
                self._shift()
            descriptor = self._open_live()
        except OSError as error:
            raise OutputError(f"rotating {self.path}", error) from error
        try:
            size_bytes = os.fstat(descriptor).st_size
            self.retain()
        except OutputError:
            os.close(descriptor)
            raise
        # Only now: until here the next try still sees that our file has lost its name.
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

    def retain(self) -> None:
        """Delete archives beyond the limits, oldest first; the live file may grow to its maximum."""
        try:
            self._delete_beyond_count()
            kept = [path for _, path in self._numbered()]
            sizes_bytes = [path.stat().st_size for path in kept]
            for _ in range(archives.surplus(sizes_bytes, self._max_bytes, self._keep_bytes)):
                self._delete(kept.pop(), "bytes")
        except OSError as error:
            raise OutputError(f"deleting archives of {self.path}", error) from error

    def _delete_beyond_count(self) -> None:
        """Oldest first, so that a kill in between leaves no hole in what is kept."""
        for number, path in reversed(self._numbered()):
            if number > self._keep_files:
                self._delete(path, "count")

    def delete_oldest(self) -> bool:
        """Make room on a full disk; False when there is no archive left."""
        try:
            numbered = self._numbered()
            if numbered:
                self._delete(numbered[-1][1], "disk_full")
        except OSError as error:
            raise OutputError(f"deleting archives of {self.path}", error) from error
        return bool(numbered)

    def ends_torn(self) -> bool:
        """Whether the live file's last line has no end."""
        if self.size_bytes == 0:
            return False
        try:
            return os.pread(self._open, 1, self.size_bytes - 1) != b"\n"
        except OSError as error:
            raise OutputError(f"reading {self.path}", error) from error

    def count_archives(self) -> int:
        """Return how many archives there are."""
        return len(self._numbered())

    def _delete(self, path: Path, reason: str) -> None:
        path.unlink()
        self._on_archive_deleted(reason)

    def _numbered(self) -> list[tuple[int, Path]]:
        paths = enumerate(archives.newest_first(self.path))
        return [(number, path) for number, path in paths if number and path.exists()]

    def size_of(self, wanted: FileId) -> int | None:
        """Return the size of a file that was remembered; None when it is not among ours any more."""
        found = self._newer_than(wanted)
        try:
            return None if found is None else found[-1].stat().st_size
        except OSError as error:
            raise OutputError(f"looking at {self.path}", error) from error

    def tail(self, wanted: FileId, offset: int, limit_bytes: int) -> bytes:
        """Return what the files hold after ``offset`` of the file ``wanted``, through newer ones.

        At most ``limit_bytes`` are returned, the newest. Ask ``size_of`` first whether it is there.
        """
        *newer, oldest = self._newer_than(wanted) or [self.path]
        pieces = [_read_from(oldest, offset, limit_bytes)]
        pieces += [_read_from(path, 0, limit_bytes) for path in reversed(newer)]
        return b"".join(pieces)[-limit_bytes:]

    def _newer_than(self, wanted: FileId) -> list[Path] | None:
        """Return the files from the live one back to the wanted one, which comes last."""
        paths: list[Path] = []
        for path in archives.newest_first(self.path):
            try:
                with path.open("rb") as file:
                    paths.append(path)
                    if matches(file.fileno(), wanted):
                        return paths
            except FileNotFoundError:
                continue
            except OSError as error:
                raise OutputError(f"reading {path}", error) from error
        return None


def _read_from(path: Path, offset: int, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            file.seek(max(offset, size_bytes - limit_bytes))
            return file.read()
    except OSError as error:
        raise OutputError(f"reading {path}", error) from error


def sync_directory(directory: Path) -> None:
    """Make names durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
