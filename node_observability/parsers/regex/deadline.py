"""Interrupts a regular expression that backtracks for seconds, such as ``(a|aa)+$`` over 38 characters.

Onigmo has no limit either: such a pattern stops all of Fluent Bit's input, for 10 s at 38 characters, and
for almost three times as long with two more. (It folds ``(a+)+`` into ``a+``, which Python does not.)
Guarantees an error after ``LIMIT_S`` of processor time in the main thread, the only one in which Python
runs signal handlers. In other threads there is no limit.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["LIMIT_S", "TooSlowError", "deadline"]

# A case takes microseconds.
LIMIT_S = 5.0


class TooSlowError(Exception):
    """The block took longer than its limit."""


@contextmanager
def deadline(limit_s: float = LIMIT_S) -> Iterator[None]:
    """Interrupt the block after ``limit_s`` seconds of processor time.

    Raises:
        TooSlowError: the block took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError(
            f"matching its Regex takes more than {limit_s:g} s, and may stop Fluent Bit for as long; "
            "rewrite repetitions that can match one text in several ways, such as (a|aa)+"
        )

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
