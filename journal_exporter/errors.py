"""Every error that the exporter raises on purpose.

Anything else that escapes is a bug: it ends the process with a traceback, and the checkpoint makes
the restart safe.
"""

import errno


class JournalExporterError(Exception):
    """Base of all."""


class ConfigError(JournalExporterError):
    """The exporter can't start as it is set up; a restart does not help.

    ``problems`` holds every problem found, one sentence each, which names the value and the fix.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(self.problems))


class JournalError(JournalExporterError):
    """The journal can't be read on; reopening it may help."""


class OutputError(JournalExporterError):
    """The output or the state can't be written now; waiting may help.

    ``reason`` is one of ``REASONS``; it labels the metrics.
    """

    REASONS = ("enospc", "edquot", "eio", "erofs", "in_use", "other")

    def __init__(self, what: str, error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "other").lower()
        if error.errno == errno.EAGAIN:
            # Of a regular file, that is what a lock says.
            name = "in_use"
        self.reason = name if name in self.REASONS else "other"
        super().__init__(f"{what}: {error.strerror}")

    @property
    def is_full(self) -> bool:
        """Whether deleting an archive can help."""
        return self.reason in ("enospc", "edquot")
