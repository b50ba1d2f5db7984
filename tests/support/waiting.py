"""The one way in which tests wait for what another process or thread does."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

__all__ = ["WaitError", "wait_for"]


class WaitError(AssertionError):
    """What a test waited for did not happen; the text ends with the evidence."""


def wait_for(
    happened: Callable[[], object],
    what: str,
    timeout_s: float = 30.0,
    *,
    every_s: float = 0.05,
    evidence: Callable[[], str] = str,
    process: "subprocess.Popen[Any] | None" = None,
) -> float:
    """Return the seconds until ``happened()`` was true, asked again after each ``every_s``.

    Raises:
        WaitError: it was still false after ``timeout_s``, or when ``process`` had ended.
    """
    begun_s = time.monotonic()
    while not happened():
        if process is not None and process.poll() is not None:
            raise WaitError(f"ended with {process.returncode} before {what}\n{evidence()}")
        if time.monotonic() - begun_s > timeout_s:
            raise WaitError(f"waited {timeout_s:g} s in vain for {what}\n{evidence()}")
        time.sleep(every_s)
    return time.monotonic() - begun_s
