"""Ends a regex that runs away: ``(a+)+$`` over a few dozen characters takes longer than anyone waits.

Onigmo has no limit either: such a pattern stops Fluent Bit's whole input for as long. Guarantees an error
after ``LIMIT_S`` of processor time in the main thread, where Python runs handlers of signals; elsewhere
there is no limit.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["LIMIT_S", "TooSlowError", "limited"]

# A case takes microseconds.
LIMIT_S = 5.0


class TooSlowError(Exception):
    """It took longer than the limit."""


@contextmanager
def limited(seconds: float = LIMIT_S) -> Iterator[None]:
    """Let the block run for so many seconds of processor time.

    Raises:
        TooSlowError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError(
            f"a Regex takes longer than {seconds:g} s for it, and stops Fluent Bit for as long; "
            "does a repeated group hold a repetition, as in (a+)+?"
        )

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
