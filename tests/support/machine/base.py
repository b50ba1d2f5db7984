"""The interface of a simulated host: everything that can happen to its journal.

A real journald writes the journal, or the tests write it themselves.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from tests.support.machine.seeded_random import SeededRandom

__all__ = ["Machine", "Message"]

Message = tuple[int | None, bytes]
"""A user id, None for the system, and a text."""


class Machine(ABC):
    """A host whose file system begins at ``root``; ``close`` it.

    ``boot_id`` is the kernel's, as 32 hexadecimal digits. ``life`` is a number that changes whenever the
    sequence numbers need not continue: at a start of journald and at a change between /run and /var.
    ``frees_blocks``: when journald deletes a file in /var, its blocks are freed even if it is still open.
    """

    frees_blocks = False

    def __init__(self, root: Path, rng: SeededRandom) -> None:
        self.root = root
        self.rng = rng
        self.boot_id = ""
        self.life = 0

    @abstractmethod
    def close(self) -> None:
        """End journald."""

    @abstractmethod
    def time_s(self) -> float:
        """Return what the realtime clock shows, in seconds since the epoch."""

    @abstractmethod
    def log(self, messages: Sequence[Message]) -> None:
        """Log messages, each as its user. On return they are in the files."""

    @abstractmethod
    def log_at_once(self, messages: Sequence[Message]) -> None:
        """Log messages that all get the same times."""

    @abstractmethod
    def rotate(self) -> None:
        """Archive all files that are being written."""

    @abstractmethod
    def flush(self) -> None:
        """Copy the journal from /run to /var, delete the originals, and write to /var."""

    @abstractmethod
    def relinquish(self) -> None:
        """Write to /run until the next flush."""

    @abstractmethod
    def vacuum(self, keep_files: int) -> None:
        """Delete the oldest archived files and free their blocks, as journald does."""

    @abstractmethod
    def step_clock(self, seconds: float) -> None:
        """Move the realtime clock while journald runs."""

    @abstractmethod
    def restart(self, *, clean: bool) -> None:
        """Stop or kill journald and start it again."""

    @abstractmethod
    def boot(self, seconds: float, *, clean: bool) -> None:
        """Boot again with the clock moved. After a crash, files may still be marked as online."""

    @abstractmethod
    def change_machine_id(self) -> None:
        """Give the machine another id: the next start of journald uses another directory."""
