"""Time and stop, as every loop takes them: injected, so that no test waits."""

import os
import select
import time
from typing import Protocol


class Clock(Protocol):
    """The two clocks."""

    def monotonic_s(self) -> float:
        """Return seconds on the monotonic clock."""
        ...

    def time_s(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic_s(self) -> float:
        """Return seconds on the monotonic clock, which all processes of a machine share."""
        return time.monotonic()

    def time_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()


class Stop(Protocol):
    """A request to end."""

    @property
    def fd(self) -> int:
        """A descriptor that is readable once stop is asked for, to poll on."""
        ...

    def is_set(self) -> bool:
        """Whether to end."""
        ...

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for it, at most so long; return ``is_set()``."""
        ...


class PipeStop:
    """Set once the other end of its pipe is closed: by its holder, or because the holder is gone."""

    def __init__(self, read_fd: int) -> None:
        self.fd = read_fd
        self._poll = select.poll()
        self._poll.register(read_fd, select.POLLIN)

    @classmethod
    def pipe(cls) -> tuple["PipeStop", int]:
        """Return a stop and the descriptor that must stay open for it not to be set."""
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        return cls(read_fd), write_fd

    def is_set(self) -> bool:
        """Whether to end."""
        return bool(self._poll.poll(0))

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for it, at most so long or for ever; return whether it is set."""
        return bool(self._poll.poll(None if timeout_s is None else timeout_s * 1000))
