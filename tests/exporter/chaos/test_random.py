"""``kill -9`` at moments of chance, of worker, supervisor or both, while the journal grows.

Rotations continue meanwhile. After each round the exporter catches up undisturbed, and the test takes the
oldest archives away, so that retention never has anything to delete.
"""

import os
import random
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from journal_exporter.output.checkpoint import NAME
from tests.support.chaos import oracle
from tests.support.chaos.runs import Case, children, end, kill
from tools.sample_journal import JournalAppender

KILLS_A_ROUND = 12
ROUNDS, ROUNDS_LONG = 7, 150
MAX_WAIT_S = 0.12
SLOT_BYTES = 16384
PROMPT, LATER = 0.6, 0.3
"""How often a hit comes when something is being written, and how often a little later."""
WORKING = 0.9
"""How often a hit waits until there is a worker."""
MAX_BYTES = 8192
ARGUMENTS = ("--max-bytes", str(MAX_BYTES), "--log-level", "warning")
KEPT = 2
"""Archives that stay when the older ones are taken away: recovery may need the newest."""


@dataclass
class Chaos:
    """One output under fire, and the journal that is written meanwhile."""

    case: Case
    journal: JournalAppender
    rng: random.Random
    written: list[bytes] = field(default_factory=list)
    taken: int = 0
    """Lines that are not in the files any more."""
    kills: int = 0

    def log_some(self) -> None:
        """Append entries to the journal, sometimes in several pieces."""
        for _ in range(self.rng.choice((1, 1, 3))):
            for _ in range(self.rng.randrange(1, 25)):
                self.journal.append(oracle.entry(len(self.written)))
                self.written.append(oracle.line(len(self.written)))
            self.journal.flush()

    def hit(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait for a random moment and kill something; return whether the supervisor was hit."""
        if self.rng.random() < WORKING:
            self.case.wait_for(lambda: children(process.pid), "a worker")
        if self.rng.random() < PROMPT:
            self.await_a_write()
        else:
            time.sleep(self.rng.uniform(0, MAX_WAIT_S))
        victim = self.rng.choice(("worker", "worker", "worker", "supervisor", "both"))
        below = children(process.pid)
        if victim != "worker":
            process.kill()
            self.kills += 1
        if victim != "supervisor":
            self.kills += sum(kill(pid) for pid in below)
        return victim != "worker"

    def await_a_write(self) -> None:
        """Return the very moment that the checkpoint or the output is seen to change."""
        before = self.progress()
        until_s = time.monotonic() + MAX_WAIT_S
        while self.progress() == before and time.monotonic() < until_s:
            pass
        if self.rng.random() < LATER:
            time.sleep(self.rng.uniform(0, 0.002))

    def progress(self) -> tuple[bytes, int, int]:
        """Return what changes with every state that is stored, every append and every rotation."""
        try:
            with (self.case.state / NAME).open("rb", buffering=0) as file:
                heads = os.pread(file.fileno(), 64, 0) + os.pread(file.fileno(), 64, SLOT_BYTES)
            status = self.case.output.stat()
        except FileNotFoundError:
            return b"", 0, 0
        return heads, status.st_ino, status.st_size

    def play(self) -> None:
        """Kill for one round, catch up, and take the oldest archives away."""
        self.case.arguments = ARGUMENTS
        process = self.case.start()
        try:
            for _ in range(KILLS_A_ROUND):
                self.log_some()
                if self.hit(process):
                    process.wait()
                    process = self.case.start()
        finally:
            end(process)
        self.case.wait_for_end()
        self.case.look()
        self.case.arguments = (*ARGUMENTS, "--once")
        self.case.heal()
        self.case.expect(self.written[self.taken :])
        for path in oracle.names(self.case.output)[: -1 - KEPT]:
            self.taken += path.read_bytes().count(b"\n")
            path.unlink()


def chaos(tmp_path: Path, rng: random.Random, rounds: int) -> int:
    """Run it; return how many processes were killed."""
    path = tmp_path / "journal" / "system.journal"
    path.parent.mkdir()
    case = Case(path.parent, tmp_path)
    case.witness.may_delete = True
    with JournalAppender(path) as journal:
        storm = Chaos(case, journal, rng)
        storm.log_some()
        case.wait_for(lambda: path.exists() and path.stat().st_size > 0, "the journal")
        for _ in range(rounds):
            storm.play()
    return storm.kills


def test_kills_at_any_moment_while_the_journal_grows_and_files_rotate_lose_and_repeat_nothing(
    tmp_path: Path, rng: random.Random, *, long: bool
) -> None:
    rounds = ROUNDS_LONG if long else ROUNDS
    killed = chaos(tmp_path, rng, rounds)
    print(f"{killed} processes killed")  # noqa: T201 - for pytest -s
    assert killed >= rounds * KILLS_A_ROUND // 2
