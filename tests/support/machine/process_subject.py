"""The exporter under test as people run it: ``journal-exporter run --once``, killed with SIGKILL."""

import subprocess
import sys
from pathlib import Path

from journal_exporter.status import collect
from tests.support.chaos.runs import end
from tests.support.machine.kept_output import KeptOutput

__all__ = ["ProcessSubject"]

_DEADLINE_S = 30.0


class ProcessSubject:
    """One exporter with its output and state below ``base``; every run ends at the journal's end.

    Its ``kill_at`` is in milliseconds.
    """

    def __init__(self, base: Path, root: Path, *, max_bytes: int = 64 << 10) -> None:
        base.mkdir(parents=True)
        self.output = KeptOutput(base / "log" / "messages", base / "kept")
        self._state = base / "state"
        self._log = base / "exporter.log"
        self._command = [
            *(sys.executable, "-m", "journal_exporter", "run", "--once"),
            *("--journal-root", str(root), "--start", "head", "--max-bytes", str(max_bytes)),
            *("--output", str(self.output.path), "--state-directory", str(self._state)),
            *("--max-priority", "debug", "--exclude-facility", "none", "--keep-files", "9"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def start(self, _boot_id: str) -> None:
        """Start it; its boot id is the real one."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)

    def run_until_idle(self, kill_at: int = -1) -> bool:
        """Wait until it ends; return False if it was killed after ``kill_at`` milliseconds."""
        assert self._process is not None
        try:
            code = self._process.wait(_DEADLINE_S if kill_at < 0 else kill_at / 1000)
        except subprocess.TimeoutExpired:
            self.kill()
            assert kill_at >= 0, f"the exporter does not reach the journal's end\n{self.log()}"
            return False
        self._process = None
        assert code == 0, f"the exporter ended with {code}\n{self.log()}"
        return True

    def stop(self) -> None:
        """End it, if it runs."""
        self.close()

    def kill(self) -> None:
        """Kill it and its children."""
        assert self._process is not None
        end(self._process)
        self._process = None

    def restart(self, boot_id: str) -> None:
        """Start it again."""
        self.close()
        self.start(boot_id)

    def close(self) -> None:
        """Kill what still runs."""
        if self.is_alive:
            self.kill()

    def lost(self) -> int:
        """Return how many entries it reports as lost."""
        found: int = collect(self._state)["gaps"]["lost_entries"]
        return found

    def says_all_is_read(self) -> None:
        """Return None: it has ended."""

    def lines(self) -> list[bytes]:
        """Return the lines of all files, the oldest first."""
        return self.output.lines()

    def log(self) -> str:
        """Return the end of what it logged."""
        return self._log.read_text(errors="replace")[-3000:]
