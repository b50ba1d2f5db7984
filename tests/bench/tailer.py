"""Watches a file grow and prints how old its messages are: python -m tests.bench.tailer FILE.

It is a process of its own, as the sender would hold it up. On SIGTERM it prints nanoseconds, one
number a message.
"""

import re
import signal
import sys
import time
from pathlib import Path

__all__ = ["main", "stamped"]

_POLL_S = 0.001
_STAMP = re.compile(rb"sent=(\d+) .*\n")
_CHUNK_BYTES = 1 << 20


def stamped() -> bytes:
    """Return a message that carries the time of its sending."""
    return b"sent=%d and now something to read" % time.time_ns()


def main() -> int:
    """Poll every millisecond until a signal comes."""
    path = Path(sys.argv[1])
    signals = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    ages_ns: list[int] = []
    while not path.exists():
        time.sleep(_POLL_S)
    with path.open("rb", buffering=0) as file:
        rest = b""
        while signal.sigtimedwait(signals, _POLL_S) is None:
            data = file.read(_CHUNK_BYTES)
            if not data:
                continue
            now_ns = time.time_ns()
            whole, newline, rest = (rest + data).rpartition(b"\n")
            ages_ns.extend(now_ns - int(sent) for sent in _STAMP.findall(whole + newline))
    sys.stdout.write("".join(f"{age_ns}\n" for age_ns in ages_ns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
