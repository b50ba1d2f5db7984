"""Keeps all archives of an exporter's output, even those that retention deletes."""

import contextlib
import os
from pathlib import Path

__all__ = ["KeptOutput"]

_ARCHIVES = 9


class KeptOutput:
    """The output at ``path``. Archives get a second name in ``directory``, on the same file system."""

    def __init__(self, path: Path, directory: Path) -> None:
        self.path = path
        self._directory = directory
        directory.mkdir(parents=True)

    def keep_archives(self) -> None:
        """Give each new archive its second name."""
        with os.scandir(self._directory) as entries:
            known = {entry.inode() for entry in entries}
        names = (f"{self.path.name}.{number}" for number in range(_ARCHIVES, 0, -1))
        for path in map(self.path.with_name, names):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino not in known:
                    os.link(path, self._next())

    def take_away(self) -> None:
        """Rename the live file, as another program may do."""
        self.keep_archives()
        if self.path.exists():
            self.path.rename(self._next())

    def lines(self) -> list[bytes]:
        """Return the lines of all files, oldest first, without an unfinished last line."""
        self.keep_archives()
        paths = [*sorted(self._directory.iterdir()), self.path]
        data = b"".join(path.read_bytes() for path in paths if path.exists())
        return data.split(b"\n")[:-1]

    def _next(self) -> Path:
        return self._directory / f"{len(list(self._directory.iterdir())):06d}"
