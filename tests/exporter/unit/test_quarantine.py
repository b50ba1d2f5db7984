"""Files that kill their readers are distinguished from files that merely can't be read."""

import os
import signal
from pathlib import Path

from journal_exporter.journal.quarantine import deadly_files

GOOD, DEADLY, BAD = Path("good"), Path("deadly"), Path("bad")


def probe(path: Path) -> None:
    if path == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    if path == BAD:
        raise OSError("can't be read")


def test_only_a_file_that_kills_its_reader_is_deadly() -> None:
    assert deadly_files([GOOD, DEADLY, BAD], probe) == {DEADLY}


def test_without_a_deadly_file_nothing_is_set_aside() -> None:
    assert deadly_files([GOOD, BAD], probe) == frozenset()
