"""Random sequences of steps: what happens to the journal, and what happens to the exporter."""

from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from tests.support.machine import damage
from tests.support.machine.parsed_files import below
from tests.support.machine.scenario import Scenario
from tests.support.machine.seeded_random import SeededRandom

__all__ = ["RandomSequence", "SequenceError"]

_YEARS_S = 15 * 365 * 86400.0
_SHIFTS_S = (-86400.0, -3600.0, -300.0, -5.0, -0.01, 0.0, 5.0, 600.0, _YEARS_S)
_FIRST_UID = 1000
_USERS = (3, 20, 20, 20, 60, 300)
"""The number of users; most of them log only when all do."""
_MAX_KILL_AT = 60
Step = Callable[[], str]


class SequenceError(AssertionError):
    """A sequence ended with a problem; the text has its steps."""


class RandomSequence:
    """One sequence over a machine and an exporter, both fresh.

    ``damages``: files may be damaged, too. ``losses``: entries may vanish before the exporter reads them.
    """

    def __init__(self, scenario: Scenario, *, damages: bool = True, losses: bool = True) -> None:
        self._scenario = scenario
        self._machine = scenario.machine
        self._rng = scenario.machine.rng
        users = self._rng.choice(_USERS)
        self._all_uids = range(_FIRST_UID, _FIRST_UID + users)
        count = min(users, self._rng.choice((0, 1, 1, 2, 3, 15)))
        self._uids = self._rng.sample(self._all_uids, k=count)
        self._steps: list[str] = []
        self._losses = losses
        left_out = set[Step]()
        if not damages:
            left_out |= {self._overwrite, self._flip, self._cut}
        if not losses:
            left_out |= {self._vacuum, self._delete, self._delete_unread}
        self._table = [choice for choice in self._weighted_steps() if choice[1] not in left_out]

    def run(self, steps: int) -> None:
        """Do this number of steps, then look, and start once more with nothing new.

        Raises:
            SequenceError: the exporter did something wrong, or failed.
        """
        try:
            for _ in range(steps):
                step = self._rng.weighted(self._table)
                self._steps.append(step.__name__)
                self._steps[-1] = step()
            self._steps.append(self._look())
            self._scenario.start_with_nothing_new()
        except (AssertionError, RuntimeError, SubprocessError) as error:
            raise SequenceError(f"{error}\nsteps:\n{self.text()}") from error

    def text(self) -> str:
        """Return the steps, one per line."""
        return "\n".join(f"{number:3} {step}" for number, step in enumerate(self._steps, 1))

    def _weighted_steps(self) -> list[tuple[float, Step]]:
        return [
            (20, self._log),
            (8, self._log_in_turn),
            (4, self._log_repeated),
            (3, self._log_at_once),
            (1, self._log_crowd),
            (6, self._rotate),
            (3, self._flush),
            (2, self._relinquish),
            (3, self._vacuum),
            (4, self._boot),
            (3, self._step_clock),
            (3, self._restart_journald),
            (1.5, self._change_machine_id),
            (2, self._delete),
            (4, self._delete_unread),
            (8, self._overwrite),
            (4, self._flip),
            (3, self._cut),
            (20, self._look),
            (7, self._look_and_die),
            (2, self._kill),
            (3, self._stop),
            (2, self._take_output_away),
        ]

    # What the machine does.

    def _uid(self) -> int | None:
        return self._rng.choice((None, *self._uids))

    def _log(self) -> str:
        done = []
        for _ in range(self._rng.randint(1, 3)):
            uid, count = self._uid(), self._rng.randint(1, 20)
            self._scenario.log(uid, count)
            done.append(f"{count} as {uid}")
        return f"log {', '.join(done)}"

    def _log_in_turn(self) -> str:
        count = self._rng.randint(10, 40)
        self._scenario.log_all([self._uid() for _ in range(count)])
        return f"log {count} messages of all users in turn"

    def _log_repeated(self) -> str:
        uid, count, message = self._uid(), self._rng.randint(2, 5), self._scenario.message()
        self._scenario.do(lambda: self._machine.log([(uid, message)] * count))
        return f"log one message {count} times as {uid}"

    def _log_at_once(self) -> str:
        uid, count = self._uid(), self._rng.randint(2, 4)
        messages = [(uid, self._scenario.message())] * count + [(uid, self._scenario.message())]
        self._scenario.do(lambda: self._machine.log_at_once(messages))
        return f"log {count} equal messages and another one at one instant as {uid}"

    def _log_crowd(self) -> str:
        count = self._rng.randint(0, len(self._all_uids))
        self._scenario.log_all(self._rng.sample(self._all_uids, k=count))
        return f"log one message as each of {count} users"

    def _rotate(self) -> str:
        self._scenario.do(self._machine.rotate)
        return "rotate"

    def _flush(self) -> str:
        self._scenario.do(self._machine.flush)
        return "flush"

    def _relinquish(self) -> str:
        self._scenario.do(self._machine.relinquish)
        return "relinquish"

    def _vacuum(self) -> str:
        keep = self._rng.randint(1, 6)
        self._scenario.vacuum(keep)
        return f"vacuum to {keep} files"

    def _boot(self) -> str:
        seconds, clean = self._rng.choice(_SHIFTS_S), self._rng.happens(0.5)
        if not self._losses:
            # A boot deletes what is in /run.
            self._scenario.look()
        self._scenario.boot(seconds, clean=clean)
        return f"boot {'cleanly' if clean else 'after a crash'}, clock {seconds:+g} s"

    def _step_clock(self) -> str:
        seconds = self._rng.choice(_SHIFTS_S)
        self._scenario.do(lambda: self._machine.step_clock(seconds))
        return f"step the clock by {seconds:+g} s"

    def _restart_journald(self) -> str:
        clean = self._rng.happens(0.5)
        self._scenario.do(lambda: self._machine.restart(clean=clean))
        return f"{'restart' if clean else 'kill and start'} journald"

    def _change_machine_id(self) -> str:
        self._scenario.do(self._machine.change_machine_id)
        return "change the machine id"

    def _delete(self) -> str:
        paths = below(self._machine.root)
        if not paths:
            return "delete nothing"
        path = self._rng.choice(paths)
        self._scenario.delete(path)
        if not _is_archived(path):
            # Otherwise journald continues to write to the deleted file.
            self._scenario.do(self._machine.rotate)
        return f"delete {path.name}"

    def _delete_unread(self) -> str:
        """Log and delete archives before they are read; log more, so that the numbers prove the loss."""
        self._log_in_turn()
        self._scenario.do(self._machine.rotate)
        unread = [path for path in self._archives() if self._scenario.history.is_unread(path)]
        gone = self._rng.sample(unread, k=min(len(unread), self._rng.randint(1, 3)))
        for path in gone:
            self._scenario.delete(path)
        self._log_in_turn()
        return f"log, rotate, delete {[path.name for path in gone]} unread, and log"

    def _overwrite(self) -> str:
        return self._damage(damage.overwrite)

    def _flip(self) -> str:
        return self._damage(damage.flip)

    def _cut(self) -> str:
        return self._damage(damage.cut)

    def _damage(self, how: Callable[[Path, SeededRandom], str]) -> str:
        """Damage an archive in /var that is still sound.

        Files in /run are left alone: a flush of damaged files is journald's own test.
        """
        history = self._scenario.history
        self._log_in_turn()
        self._scenario.do(self._machine.rotate)
        disk = self._machine.root / "var"
        paths = [path for path in self._archives() if path.is_relative_to(disk)]
        sound = [path for path in paths if not history.is_damaged(path)]
        unread = [path for path in sound if history.is_unread(path)]
        if not sound:
            return "log, rotate and damage nothing"
        path = self._rng.choice(unread or sound)
        done = how(path, self._rng)
        history.damaged(path, self._scenario.subject.lines)
        return f"log, rotate, {done}"

    def _archives(self) -> list[Path]:
        return [path for path in below(self._machine.root) if _is_archived(path)]

    # What happens to the exporter.

    def _look(self) -> str:
        self._scenario.look()
        return "look"

    def _look_and_die(self) -> str:
        point = self._rng.randint(1, _MAX_KILL_AT)
        if self._scenario.look(kill_at=point):
            return f"look, with less than {point} points"
        return f"look and die at point {point}"

    def _kill(self) -> str:
        self._scenario.kill()
        return "kill the exporter"

    def _stop(self) -> str:
        if not self._scenario.subject.is_alive:
            return "no exporter to stop"
        self._scenario.stop()
        return "stop the exporter"

    def _take_output_away(self) -> str:
        if not self._scenario.subject.is_alive or not self._scenario.is_settled:
            return "no output to take away"
        self._scenario.subject.output.take_away()
        return "take the output away"


def _is_archived(path: Path) -> bool:
    return "@" in path.name
