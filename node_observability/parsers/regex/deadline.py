"""Ends a regex that runs away: ``(a|aa)+$`` over a few dozen characters takes longer than anyone waits.

Onigmo has no limit either, and such a pattern stops Fluent Bit's whole input: 10 s for 38 characters, which
two more nearly triple. Only ``(a+)+`` it folds into ``a+``, which Python does not. Guarantees an error
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
            f"a Regex takes longer than {seconds:g} s for it, and may stop Fluent Bit for as long; "
            "can what it repeats match one text in several ways, as in (a|aa)+?"
        )

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
