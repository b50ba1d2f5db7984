"""The journal's files as they are now: found, opened, followed across renames, and let go of.

Guarantees: a file is known by its id, whatever it is called and wherever it lies; one that has unread entries
stays open, so that it is read to its end although somebody deletes it; files that were read to the end and
archived take no descriptor; a file that goes without a descriptor, or whose disk space is wanted back, is
reported as gone, with the place up to which it was read.
"""

import contextlib
import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from journal_exporter.journal.direct_file import ContextOf, DirectFile, read_header
from journal_exporter.journal.file_format import (
    ARCHIVED,
    KNOWN_FLAGS,
    NO_HEADER,
    Head,
    Header,
)
from journal_exporter.journal.position import FilePosition, position_in
from journal_exporter.journal.run import FileReader, Place, Run

_LOG = logging.getLogger(__name__)
_MISSED = 2
"""Looks in a row that must miss a file before it is gone: a rename can hide one from a look."""

_NO_DESCRIPTOR = errno.EMFILE, errno.ENFILE
"""Of this process, or of the whole system."""

OpenOther = Callable[[int, Header, ContextOf], FileReader]


class JournalFile:
    """One journal file. ``ahead``: entries that were read from it and not handed over yet."""

    def __init__(self, key: str, path: Path, header: Header, place: Place) -> None:
        self.key = key
        self.path = path
        self.header = header
        self.place = place
        """The place after what was handed over."""
        self.ahead = Run()
        self.taken = 0
        """How many entries of ``ahead`` were handed over."""
        self.ahead_of = 0
        """How many entries of the file lie before ``ahead``."""
        self.numbers: list[int] = []
        self.times_us: list[int] = []
        """Of ``ahead``, never falling; made where files are merged."""
        self.reader: FileReader | None = None
        self.is_runtime = False
        self.is_verified = not place.entries
        self.is_refused = False
        """Whether no reader can read it."""
        self.explained = 0
        """How many of its unread entries the losses know of, where no reader can read it."""
        self.missed = 0

    @property
    def unread(self) -> int:
        """How many entries were not handed over, by what the header said last."""
        return max(0, self.header.entries - self.place.entries)

    @property
    def is_finished(self) -> bool:
        """Whether nothing will come any more."""
        return not self.unread and self.header.state == ARCHIVED

    @property
    def next_head(self) -> Head | None:
        """The head of the next entry, where it was read ahead."""
        return self.ahead.heads[self.taken] if self.taken < len(self.ahead.heads) else None

    def stand_at(self, place: Place) -> None:
        """Forget what was read ahead, and take everything before this place as handed over."""
        self.place, self.ahead, self.taken = place, Run(), 0
        self.numbers, self.times_us = [], []

    @property
    def position(self) -> FilePosition:
        """The place, and what of the header is needed should the file go."""
        return position_in(self.header, self.place, is_runtime=self.is_runtime)

    def close(self) -> None:
        """Let go of the descriptor; the place stays."""
        if self.reader is not None:
            self.reader.close()
        self.reader = None
        self.stand_at(self.place)

    @contextlib.contextmanager
    def refused_on_error(self) -> Iterator[None]:
        """Do without the file where its reader raises ``OSError``, until it changes."""
        try:
            yield
        except OSError as error:
            self.close()
            if not self.is_refused:
                _LOG.warning("journal file %s can't be read: %s", self.path, error)
            self.is_refused = True


class OpenFiles:
    """All files of the journal, by id; ``close`` it."""

    def __init__(
        self,
        find: Callable[[], Iterable[Path]],
        context_of: ContextOf,
        *,
        runtime: Path | None = None,
        open_other: OpenOther,
        max_open: int,
        max_deleted_bytes: int,
        open_path: Callable[[Path, int], int] = os.open,
    ) -> None:
        self._find = find
        self._open_path = open_path
        self._context_of = context_of
        self._runtime = runtime
        self._open_other = open_other
        self._max_open = max_open
        self._max_deleted_bytes = max_deleted_bytes
        self._seen_at: dict[tuple[int, ...], str] = {}
        """Ids by device, inode, size and time of change: which closed file lies at a path."""
        self._open_at: dict[tuple[int, int], str] = {}
        """Ids of open files by device and inode; no other file can have theirs."""
        self.unopened = 0
        """Files that the last look could not open for want of descriptors."""
        self._is_unsure = False
        """Whether the last look found a file that it could not read: it may be any that is closed."""
        self.files: dict[str, JournalFile] = {}
        self.gone: list[JournalFile] = []
        """Files that went, until their unread entries are counted."""

    def close(self) -> None:
        """Close every file."""
        for file in self.files.values():
            file.close()

    def restore(self, positions: Mapping[str, FilePosition]) -> None:
        """Stand where these positions say; files that are not among them are unread."""
        self.close()
        self._seen_at.clear()
        self._open_at.clear()
        self.gone.clear()
        self.files = {}
        for key, one in positions.items():
            header = NO_HEADER._replace(
                state=ARCHIVED, file_id=key, machine_id=one.machine_id, seqnum_id=one.seqnum_id,
                entries=one.entries, tail_seqnum=one.tail_seqnum, boot_id=one.boot_id,
                tail_monotonic_us=one.tail_monotonic_us, head_seqnum=one.head_seqnum,
            )  # fmt: skip
            file = self.files[key] = JournalFile(key, Path(), header, one.place)
            file.is_runtime = one.is_runtime

    def look(self) -> None:
        """Look at every directory and every header: files come, go, are renamed, and grow."""
        self.unopened, self._is_unsure = 0, False
        self._open_at = {
            inode: key
            for inode, key in self._open_at.items()
            if key in self.files and self.files[key].reader is not None
        }
        stamps = dict(self._seen_at)
        known, seen = -1, set[str]()
        while known < len(self.files):
            # A rename can hide a file from a listing: where one was new, an older one may have been hidden.
            known = len(self.files)
            # Runtime files first: where descriptors are few, what is copied from them must be known.
            paths = sorted(self._find(), key=self._is_persistent)
            seen = {self._at(path) for path in paths}
        for stamp in stamps:
            if self._seen_at[stamp] not in seen:
                del self._seen_at[stamp]
        for file in self._persistent_first():
            self._follow(file, seen=file.key in seen)
        self._limit_deleted()

    def refresh(self) -> None:
        """Read the headers of open files again."""
        for file in self._persistent_first():
            if file.reader is not None:
                file.reader.refresh()
                file.header = file.reader.header

    def _persistent_first(self) -> list[JournalFile]:
        """Return all files, runtime files last: what was copied from them is then known to be in them."""
        return sorted(self.files.values(), key=lambda file: file.is_runtime)

    def _at(self, path: Path) -> str:
        """Return the id of the file at a path, and take it up if it is new; empty if it is not readable."""
        try:
            status = path.stat()
        except OSError as error:
            self._is_unsure |= error.errno != errno.ENOENT
            return ""
        inode = status.st_dev, status.st_ino
        key = self._open_at.get(inode, "")
        if key and self.files[key].reader is not None:
            self.files[key].path = path
            return key
        stamp = (*inode, status.st_size, status.st_mtime_ns)
        key = self._seen_at.get(stamp, "")
        if key in self.files and (self.files[key].is_finished or self.files[key].is_refused):
            self.files[key].path = path
            self._count_again(self.files[key])
            return key
        try:
            descriptor = self._open(path)
        except OSError as error:
            self.unopened += error.errno in _NO_DESCRIPTOR
            self._is_unsure |= error.errno != errno.ENOENT
            return ""
        header = read_header(descriptor)
        if header is None:
            self._is_unsure |= not _is_readable(descriptor)
            os.close(descriptor)
            return ""
        # A rotation may have given the name to another file since it was looked up.
        status = os.fstat(descriptor)
        inode = status.st_dev, status.st_ino
        self._seen_at[(*inode, status.st_size, status.st_mtime_ns)] = header.file_id
        if self._take_up(path, header, descriptor):
            self._open_at[inode] = header.file_id
        return header.file_id

    def _count_again(self, file: JournalFile) -> None:
        """Read the header of a file that no reader can read, and to which journald may add entries.

        It writes into a mapped file, so that neither size nor time need to change.
        """
        if not file.is_refused or file.header.state == ARCHIVED:
            return
        with contextlib.suppress(OSError):
            descriptor = self._open(file.path)
            header = read_header(descriptor)
            os.close(descriptor)
            if header is not None and header.file_id == file.key:
                file.header = header

    def _is_persistent(self, path: Path) -> bool:
        return self._runtime is None or not path.is_relative_to(self._runtime)

    def _take_up(self, path: Path, header: Header, descriptor: int) -> bool:
        """Follow the file; return whether by this descriptor, which is closed otherwise."""
        key = header.file_id
        file = self.files.get(key)
        if file is None:
            file = self.files[key] = JournalFile(key, path, header, Place())
        if file.reader is not None:
            # Of two copies the one that has more is followed: the other is somebody's backup.
            file.reader.refresh()
            if header.entries <= file.reader.header.entries:
                os.close(descriptor)
                return False
            file.close()
        file.path, file.header = path, header
        file.is_runtime = not self._is_persistent(path)
        if file.is_finished:
            os.close(descriptor)
            return False
        self._attach(file, descriptor)
        return file.reader is not None

    def _attach(self, file: JournalFile, descriptor: int) -> None:
        is_known = not file.header.incompatible_flags & ~KNOWN_FLAGS
        with file.refused_on_error():
            try:
                kind = DirectFile if is_known else self._open_other
                file.reader = kind(descriptor, file.header, self._context_of)
            except OSError:
                os.close(descriptor)
                raise
            file.is_verified = file.reader.seek(file.place)
            file.header = file.reader.header
            file.stand_at(file.place)
            file.is_refused = False

    def _open(self, path: Path) -> int:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        count = sum(file.reader is not None for file in self.files.values())
        if count >= self._max_open and not self._spare():
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        try:
            return self._open_path(path, flags)
        except OSError as error:
            if error.errno not in _NO_DESCRIPTOR or not self._spare():
                raise
            return self._open_path(path, flags)

    def _spare(self) -> bool:
        """Close the file that needs its descriptor least; return whether there was one."""
        idle = [
            file
            for file in self.files.values()
            if file.reader is not None and not file.unread and not file.reader.is_deleted
        ]
        if idle:
            min(idle, key=lambda file: file.header.tail_realtime_us).close()
        return bool(idle)

    def _follow(self, file: JournalFile, *, seen: bool) -> None:
        if file.reader is not None:
            file.reader.refresh()
            file.header = file.reader.header
            if file.is_finished:
                file.close()
        if seen:
            file.missed = 0
        elif not (self._is_unsure and file.reader is None):
            file.missed += 1
        if seen or (file.reader is not None and file.unread):
            return
        if file.missed >= _MISSED or (file.reader is not None and file.reader.is_deleted):
            self._forget(file)

    def _forget(self, file: JournalFile) -> None:
        file.close()
        del self.files[file.key]
        self.gone.append(file)

    def _limit_deleted(self) -> None:
        """Give up the oldest deleted files beyond the limit: their space is lost to everybody."""
        deleted = [
            file
            for file in self.files.values()
            if file.reader is not None and file.reader.is_deleted
        ]
        deleted.sort(key=lambda file: file.header.tail_realtime_us)
        total_bytes = sum(file.header.end for file in deleted)
        for file in deleted:
            if total_bytes <= self._max_deleted_bytes:
                break
            total_bytes -= file.header.end
            _LOG.warning(
                "giving up the deleted journal file %s: its disk space is wanted", file.path
            )
            self._forget(file)


def _is_readable(descriptor: int) -> bool:
    """Whether a file can be read; a directory that can't be listed stands for its files."""
    try:
        os.pread(descriptor, 1, 0)
    except OSError:
        return False
    return True


def next_us(file: JournalFile) -> int:
    """Return when a file's next entry was written, or a time before."""
    if (head := file.next_head) is not None:
        return head[4]
    return file.place.realtime_us or file.header.head_realtime_us
