"""The exporter under test as it runs on a node: it follows the journal while the steps happen."""

from collections.abc import Callable
from pathlib import Path

from tests.support.exporter import Exporter
from tests.support.machine.kept_output import KeptOutput

__all__ = ["LiveSubject"]


class LiveSubject:
    """One exporter with its output and state below ``base``.

    ``entries`` returns the number of entries that the output must have: the exporter is idle when they are
    there. Where other subjects are killed at a point of their work, this one is killed and started at once.
    """

    def __init__(self, base: Path, root: Path, entries: Callable[[], int]) -> None:
        self._entries = entries
        self._exporter = Exporter(
            base,
            *("--journal-root", str(root), "--start", "head"),
            *("--max-bytes", "64Ki", "--keep-files", "9"),
        )
        self.output = KeptOutput(self._exporter.output, base / "kept")
        self.is_alive = False

    def start(self, _boot_id: str) -> None:
        """Start it; its boot id is the real one."""
        self._exporter.start()
        self.is_alive = True

    def run_until_idle(self, kill_at: int = -1) -> bool:
        """Wait until everything is written; with ``kill_at``, kill and start it instead and return False."""
        if kill_at >= 0:
            self._exporter.kill()
            self._exporter.start()
            return False
        self._exporter.wait_for(lambda: len(self.lines()) >= self._entries(), "all lines")
        return True

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self._exporter.worker()  # During its start, a signal would just end it.
        self.is_alive = False
        self._exporter.stop()

    def kill(self) -> None:
        """Kill all its processes."""
        self._exporter.kill()
        self.is_alive = False

    def restart(self, boot_id: str) -> None:
        """Stop it and start it again; it is ready on return."""
        self.stop()
        self.start(boot_id)
        self._exporter.wait_for(lambda: self._exporter.get("/readyz")[0] == 200, "readiness")

    def close(self) -> None:
        """Kill what still runs."""
        self._exporter.end()

    def lost(self) -> int:
        """Return how many entries it reports as lost."""
        found: int = self._exporter.status()["gaps"]["lost_entries"]
        return found

    def says_all_is_read(self) -> None:
        """Return None: its metrics may be five seconds old."""

    def lines(self) -> list[bytes]:
        """Return the lines of all files, the oldest first."""
        return self.output.lines()

    def log(self) -> str:
        """Return the end of what it logged."""
        return self._exporter.log()[-3000:]
