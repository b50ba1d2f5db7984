"""Combines a machine, an exporter and the oracle, and checks the output after each look."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.support.machine.base import Machine
from tests.support.machine.history import History, problems_of
from tests.support.machine.live_subject import LiveSubject
from tests.support.machine.process_subject import ProcessSubject
from tests.support.machine.subject import Subject

__all__ = ["Scenario"]


class Scenario:
    """A fresh machine and a fresh exporter; a context manager that ends both."""

    def __init__(self, machine: Machine, subject: Subject | ProcessSubject | LiveSubject) -> None:
        self.machine = machine
        self.subject = subject
        self.history = History(machine.root)
        self.compares_lost = True
        """Whether the number of lost entries is checked too."""
        self.is_settled = False
        """Whether the exporter is paused with a checkpoint that covers everything it wrote."""
        self._messages = 0
        self.observe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.subject.close()
        self.machine.close()

    def message(self) -> bytes:
        """Return a message that was not used before."""
        self._messages += 1
        return self.machine.rng.message(self._messages)

    def log(self, uid: int | None, count: int) -> None:
        """Log messages of the system or of a user."""
        self.log_all([uid] * count)

    def log_all(self, uids: Sequence[int | None]) -> None:
        """Log one message as each of these users; None is the system."""
        self.machine.log([(uid, self.message()) for uid in uids])
        self.observe()

    def do(self, step: Callable[[], None]) -> None:
        """Change the journal, and let the oracle read it."""
        step()
        self.observe()

    def vacuum(self, keep_files: int) -> None:
        """Delete the oldest archived files."""
        self.machine.vacuum(keep_files)
        self.observe(freed_on_disk=True, freed_in_run=True)

    def delete(self, path: Path) -> None:
        """Delete a file as ``rm`` does: a process that has it open can still read it."""
        path.unlink()
        self.observe(freed_on_disk=False)

    def boot(self, seconds: float, *, clean: bool = True) -> None:
        """Kill the exporter and boot with the clock moved."""
        self.kill()
        self.machine.boot(seconds, clean=clean)
        self.observe()

    def observe(self, *, freed_on_disk: bool | None = None, freed_in_run: bool = False) -> None:
        """Let the oracle read all files. ``freed``: see `History.observe`."""
        self.history.observe(
            self.machine.life,
            self.subject.lines,
            freed_on_disk=self.machine.frees_blocks if freed_on_disk is None else freed_on_disk,
            freed_in_run=freed_in_run,
        )

    def look(self, kill_at: int = -1) -> bool:
        """Let the exporter read, and check the output; return False if it was killed at ``kill_at``."""
        if not self.subject.is_alive:
            self.is_settled = False
            self.subject.start(self.machine.boot_id)
        if not self.subject.run_until_idle(kill_at):
            self.history.exporter_ended(self.subject.lines)
            return False
        self.is_settled = self.subject.says_all_is_read() is not None
        self.history.looked(self.subject.lines)
        if not self.subject.is_alive:
            self.history.exporter_ended(self.subject.lines)
        self.check()
        return True

    def kill(self) -> None:
        """Kill the exporter if it is alive."""
        if self.subject.is_alive:
            self.subject.kill()
            self.history.exporter_ended(self.subject.lines)

    def stop(self) -> None:
        """Stop the exporter."""
        self.subject.stop()
        self.history.exporter_ended(self.subject.lines)

    def check(self) -> None:
        """Fail unless the output is what it must be."""
        lost = self.subject.lost() if self.compares_lost else None
        found = problems_of(self.history, self.subject.lines(), lost)
        says_all_is_read = self.subject.says_all_is_read()
        if found and says_all_is_read:
            found.append("and it says that it is ready and has read everything")
        if not found and says_all_is_read is False and self.history.is_sound:
            found.append("it has read everything and doesn't say so")
        assert not found, "; ".join(found)

    def start_with_nothing_new(self) -> None:
        """Fail if another start writes a line or reports a loss."""
        before, lost = self.subject.lines(), self.subject.lost()
        self.subject.restart(self.machine.boot_id)
        self.subject.run_until_idle()
        lines = self.subject.lines()
        added = lines[len(before) :]
        assert lines == before, f"a start with nothing new wrote {len(added)} lines: {added[:5]}"
        reported = self.subject.lost() - lost
        assert not reported, f"a start with nothing new reported {reported} lost entries"
