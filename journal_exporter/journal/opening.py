"""Puts the parts of a journal reader together."""

import contextlib
import operator
import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from journal_exporter.journal.direct_file import DirectFile, read_header
from journal_exporter.journal.fields import BASIC_FIELDS, CONTEXT_FIELDS
from journal_exporter.journal.file_format import KNOWN_FLAGS
from journal_exporter.journal.files import file_key, find_files
from journal_exporter.journal.inotify import DirectoryWatch
from journal_exporter.journal.libsystemd_file import LibsystemdFile
from journal_exporter.journal.next_entries import BATCH_BYTES, BATCH_ENTRIES
from journal_exporter.journal.open_files import OpenFiles
from journal_exporter.journal.reader import JournalReader
from journal_exporter.journal.run import Run

_RESERVED_OPEN, _LEAST_OPEN = 64, 16
"""Descriptors that the journal's files leave to everything else, and take at least."""


def open_journal(
    *,
    directories: Sequence[Path],
    with_units: bool,
    set_aside: frozenset[str] = frozenset(),
    max_deleted_bytes: int = 1 << 30,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> JournalReader:
    """Return a reader of the journal's files in these directories; ``close`` it.

    ``with_units``: contexts always have the units too. ``set_aside``: keys of files that are not touched.
    Of two directories the second is that of the runtime journal.
    """

    def find() -> list[Path]:
        found = find_files(directories)
        return [path for path in found if file_key(path) not in set_aside] if set_aside else found

    files = OpenFiles(
        find,
        operator.itemgetter(*(CONTEXT_FIELDS if with_units else BASIC_FIELDS)),
        runtime=directories[1] if len(directories) > 1 else None,
        open_other=LibsystemdFile,
        max_open=max(_LEAST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED_OPEN),
        max_deleted_bytes=max_deleted_bytes,
    )
    return JournalReader(files, DirectoryWatch(), directories, monotonic_s)


def read_all_entries(path: Path) -> None:
    """Read one file from end to end, to see whether the process survives it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    header = read_header(descriptor)
    if header is None:
        os.close(descriptor)
        return
    kind = DirectFile if header.incompatible_flags & ~KNOWN_FLAGS == 0 else LibsystemdFile
    with contextlib.closing(kind(descriptor, header, operator.itemgetter(*CONTEXT_FIELDS))) as file:
        while file.entries_left:
            file.read(Run(), entries=BATCH_ENTRIES, room_bytes=BATCH_BYTES)
