"""The errors that the exporter raises on purpose.

Any other error that escapes is a bug. It ends the process with a traceback, and the checkpoint makes the
restart safe.
"""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path


class JournalExporterError(Exception):
    """Base class of all errors."""


class ConfigError(JournalExporterError):
    """The exporter can't start with this configuration; a restart does not help.

    ``problems`` has one sentence per problem, which names the value and the fix.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(self.problems))


class OutputError(JournalExporterError):
    """The output or the state can't be written now; waiting may help.

    ``reason`` is one of ``REASONS``, the values of a metric's label.
    """

    REASONS = ("enospc", "edquot", "eio", "erofs", "in_use", "other")

    def __init__(self, what: str, error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "other").lower()
        if error.errno == errno.EAGAIN:
            # For a regular file, it means that another process holds the lock.
            name = "in_use"
        self.reason = name if name in self.REASONS else "other"
        super().__init__(f"{what}: {error.strerror}")

    @property
    def is_full(self) -> bool:
        """Whether deleting an archive can help."""
        return self.reason in ("enospc", "edquot")


class BlockedError(JournalExporterError):
    """The output or the state could not be written for longer than a run that ends may wait."""


@contextlib.contextmanager
def output_errors(doing: str, path: Path) -> Iterator[None]:
    """Raise ``OutputError`` for any ``OSError`` in the block."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{doing} {path}", error) from error
