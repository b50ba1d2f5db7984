"""Time, and the request to stop; both are injected, so that no test waits."""

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Protocol

_POLL_S = 0.05


class Clock(Protocol):
    """The monotonic clock and the wall clock."""

    def monotonic_s(self) -> float:
        """Return seconds on the monotonic clock."""

    def time_s(self) -> float:
        """Return seconds since the epoch."""


class SystemClock:
    """The machine's clocks."""

    def monotonic_s(self) -> float:
        """Return seconds on the monotonic clock, which all processes of a machine share."""
        return time.monotonic()

    def time_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()


class Stop(Protocol):
    """A request to stop."""

    @property
    def fd(self) -> int:
        """A descriptor to poll on; it is readable once stop is requested."""

    def is_set(self) -> bool:
        """Whether stop is requested."""

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for stop up to ``timeout_s``, or forever if it is None; return ``is_set()``."""


class PipeStop:
    """A stop that is set when the other end of its pipe is closed, or the process that holds it is gone."""

    def __init__(self, read_fd: int) -> None:
        self.fd = read_fd
        self._poll = select.poll()
        self._poll.register(read_fd, select.POLLIN)

    @classmethod
    def pipe(cls) -> tuple["PipeStop", int]:
        """Return a stop, and the descriptor that sets it when it is closed."""
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        return cls(read_fd), write_fd

    def is_set(self) -> bool:
        """Whether stop is requested."""
        return bool(self._poll.poll(0))

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for stop up to ``timeout_s``, or forever if it is None; return ``is_set()``."""
        return bool(self._poll.poll(None if timeout_s is None else timeout_s * 1000))


def wait_while(condition: Callable[[], bool], wait_s: float) -> bool:
    """Poll up to ``wait_s`` until the condition is false; return whether it still is true.

    Stops early when a blocked signal has requested the end.
    """
    until_s = time.monotonic() + wait_s
    while condition():
        if time.monotonic() >= until_s or signal.sigpending():
            return True
        time.sleep(_POLL_S)
    return False
