"""The clocks of a simulated host. A test can shift them while journald runs."""

import mmap
import struct
import subprocess
import time
from pathlib import Path

from tests.support.tools import need

__all__ = ["MachineClock", "build_shim"]

_SOURCE = Path(__file__).with_name("clock_shim.c")
_STATE = struct.Struct("<4q")
_SECOND_NS = 1_000_000_000
_UPTIME_NS = _SECOND_NS
"""The monotonic clock at the start of a boot."""


def build_shim(directory: Path) -> Path:
    """Compile the library for ``LD_PRELOAD`` into ``directory``; skip the test if there is no gcc."""
    library = directory / "clock_shim.so"
    flags = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror")
    subprocess.run((need("gcc"), *flags, "-o", str(library), str(_SOURCE)), check=True)
    return library


class MachineClock:
    """A realtime and a monotonic clock, shifted against the real ones; ``close`` it."""

    def __init__(self, state: Path, shim: Path) -> None:
        state.write_bytes(bytes(_STATE.size))
        with state.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _STATE.size)
        self._realtime_ns = self._monotonic_ns = 0
        self.environment = {"LD_PRELOAD": str(shim), "CLOCK_SHIM_STATE": str(state)}
        """The environment variables that make a program see these clocks."""
        self.begin_boot()

    def close(self) -> None:
        """Close the shared state. Running programs keep the last shift."""
        self._page.close()

    def begin_boot(self) -> None:
        """Start the monotonic clock again, as a boot does."""
        self._monotonic_ns = _UPTIME_NS - time.monotonic_ns()
        self._store()

    def step(self, seconds: float) -> None:
        """Shift the realtime clock."""
        self._realtime_ns += int(seconds * _SECOND_NS)
        self._store()

    def freeze(self) -> None:
        """Stop both clocks, so that entries get equal times."""
        now_ns = time.time_ns() + self._realtime_ns, time.monotonic_ns() + self._monotonic_ns
        self._store(*now_ns)

    def run(self) -> None:
        """Start frozen clocks again."""
        self._store()

    def time_s(self) -> float:
        """Return what the realtime clock shows, in seconds since the epoch."""
        return (time.time_ns() + self._realtime_ns) / _SECOND_NS

    def _store(self, realtime_frozen_ns: int = 0, monotonic_frozen_ns: int = 0) -> None:
        shifts = self._realtime_ns, self._monotonic_ns
        self._page[:] = _STATE.pack(*shifts, realtime_frozen_ns, monotonic_frozen_ns)
