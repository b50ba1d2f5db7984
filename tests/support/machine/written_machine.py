"""A simulated host without journald: the tests write the journal files themselves.

A sequence takes milliseconds, the clocks are simulated, and the files can have every format. Names and
numbers follow systemd 252. With ``one_sequence`` all files of a machine share one sequence number id, as
with newer versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.machine.base import Machine, Message
from tests.support.machine.file_writer import ARCHIVED, OFFLINE, ONLINE, JournalFile, Stamp
from tests.support.machine.seeded_random import SeededRandom

__all__ = ["WrittenMachine"]

_START_US = 1_790_000_000_000_000
_BOOT_US = 5_000_000
"""The monotonic clock when journald starts."""
_SYSTEM = "system"
_VAR, _RUN = "var/log/journal", "run/log/journal"


@dataclass
class _Written:
    """A file, and its entries, which a flush copies."""

    file: JournalFile
    entries: list[tuple[list[bytes], Stamp]] = field(default_factory=list)


class WrittenMachine(Machine):
    """The machine; it has booted. ``in_run``: every boot begins in /run, up to the `flush`.

    ``numbers_on``: after a crash the numbers of all files continue; by default of some.
    """

    def __init__(
        self,
        root: Path,
        rng: SeededRandom,
        *,
        compact: bool,
        keyed: bool,
        one_sequence: bool = False,
        split: bool = True,
        in_run: bool = False,
        numbers_on: bool | None = None,
    ) -> None:
        super().__init__(root, rng)
        self._compact, self._keyed = compact, keyed
        self._one_sequence = one_sequence
        self._split = split
        self._begins_in_run = in_run
        self._numbers_on = numbers_on
        self._machine_id = self._next_machine_id = rng.id()
        self._sequence_id = rng.id()
        self._counter = 0
        self._active: dict[Path, _Written] = {}
        self._archived: list[_Written] = []
        self._now_us = _START_US
        self._uptime_us = 0
        self._top = _VAR
        self._begin_boot()

    def close(self) -> None:
        for written in self._active.values():
            written.file.close()
        self._active.clear()

    def time_s(self) -> float:
        return self._now_us / 1e6

    def log(self, messages: Sequence[Message]) -> None:
        for uid, message in messages:
            self._pass(self.rng.randrange(1, 20_000))
            self._write(uid, message)

    def log_at_once(self, messages: Sequence[Message]) -> None:
        self._pass(1)
        for uid, message in messages:
            self._write(uid, message)

    def rotate(self) -> None:
        for written in [w for path, w in self._active.items() if not path.exists()]:
            self._put_away(written, "deleted")
        for written in self._current():
            if written.file.entries:
                written.file.set_state(ARCHIVED)
                path = written.file.path
                number = f"{written.file.head_seqnum:016x}-{written.file.head_realtime_us:016x}"
                self._put_away(written, f"{written.file.seqnum_id.hex()}-{number}.journal")
                if self.rng.happens(0.7):
                    self._open(path, written.file)

    def flush(self) -> None:
        if self._top == _VAR:
            return
        directory = self._directory
        files = (*self._archived, *self._active.values())
        there = [w for w in files if w.file.path.parent == directory and w.file.path.exists()]
        entries = sorted(
            (entry for written in there for entry in written.entries),
            key=lambda entry: (entry[1].seqnum, entry[1].realtime_us),
        )
        self._top = _VAR
        for fields, stamp in entries:
            target = self._file(_SYSTEM)
            number = target.file.tail_seqnum + 1
            moved = Stamp(number, stamp.realtime_us, stamp.monotonic_us, stamp.boot_id)
            target.file.append(fields, moved)
        self._forget_runtime(directory)
        self.life += 1

    def relinquish(self) -> None:
        if self._top == _VAR:
            self._rest()
            self._top = _RUN
            self.life += 1

    def vacuum(self, keep_files: int) -> None:
        surplus = len(self._archived) + len(self._active) - keep_files
        oldest_first = sorted(self._archived, key=lambda w: w.file.head_realtime_us)
        for written in oldest_first[: max(0, surplus)]:
            self._archived.remove(written)
            if written.file.path.exists():
                with written.file.path.open("r+b") as file:
                    written.file.path.unlink()
                    file.truncate(0)

    def step_clock(self, seconds: float) -> None:
        self._now_us += int(seconds * 1e6)
        if seconds < 0:
            self.rotate()

    def restart(self, *, clean: bool) -> None:
        if clean:
            self._rest()
        else:
            self._set_aside()
        self._begin_life()

    def boot(self, seconds: float, *, clean: bool) -> None:
        if clean:
            self._rest()
        else:
            self._set_aside()
        self._forget_runtime(self.root / _RUN)
        self._now_us += int(seconds * 1e6)
        self._begin_boot()

    def change_machine_id(self) -> None:
        self._next_machine_id = self.rng.id()

    @property
    def _directory(self) -> Path:
        return self.root / self._top / self._machine_id.hex()

    def _current(self) -> list[_Written]:
        """Return the active files in the current directory."""
        return [w for path, w in self._active.items() if path.parent == self._directory]

    def _begin_boot(self) -> None:
        self.boot_id = self.rng.id().hex()
        self._uptime_us = _BOOT_US
        if self._begins_in_run:
            self._top = _RUN
        self._begin_life()

    def _begin_life(self) -> None:
        self.life += 1
        self._counter = 0
        if self._machine_id != self._next_machine_id:
            self._machine_id = self._next_machine_id
            self._sequence_id = self.rng.id()
        self.log([(None, b"Journal started %d" % self.life)])

    def _pass(self, microseconds: int) -> None:
        self._now_us += microseconds
        self._uptime_us += microseconds

    def _write(self, uid: int | None, message: bytes) -> None:
        name = _SYSTEM if uid is None or not self._split or self._top == _RUN else f"user-{uid}"
        written = self._file(name)
        number = 1 + max(self._counter, written.file.tail_seqnum)
        self._counter = number
        fields = [
            b"MESSAGE=" + message,
            b"PRIORITY=6",
            b"SYSLOG_IDENTIFIER=app",
            b"_HOSTNAME=node",
            b"_PID=%d" % (1000 + (uid or 0)),
            b"_UID=%d" % (uid or 0),
            b"_TRANSPORT=journal",
            b"_BOOT_ID=" + self.boot_id.encode(),
            b"_MACHINE_ID=" + self._machine_id.hex().encode(),
        ]
        stamp = Stamp(number, self._now_us, self._uptime_us, bytes.fromhex(self.boot_id))
        written.file.set_state(ONLINE)
        written.file.append(fields, stamp)
        written.entries.append((fields, stamp))

    def _file(self, name: str) -> _Written:
        """Return the active file of this name; create it if needed."""
        path = self._directory / f"{name}.journal"
        return self._active.get(path) or self._open(path)

    def _open(self, path: Path, before: JournalFile | None = None) -> _Written:
        """Create a file that continues the numbers of the one before."""
        sequence_id = self._sequence_id if self._one_sequence else b""
        file = JournalFile(
            path,
            file_id=self.rng.id(),
            machine_id=self._machine_id,
            seqnum_id=before.seqnum_id if before else sequence_id,
            tail_seqnum=before.tail_seqnum if before else 0,
            compact=self._compact,
            keyed=self._keyed,
        )
        written = self._active[path] = _Written(file)
        return written

    def _rest(self) -> None:
        for written in self._current():
            written.file.set_state(OFFLINE)

    def _set_aside(self) -> None:
        """Rename files to ``.journal~``, as journald does after a crash."""
        for written in self._current():
            if self._numbers_on is not None or self.rng.happens(0.5):
                path = written.file.path
                number = f"{self._now_us:016x}-{self.rng.getrandbits(64):016x}"
                self._put_away(written, f"{number}.journal~")
                numbers_on = self._numbers_on
                if self.rng.happens(0.5) if numbers_on is None else numbers_on:
                    # As journald does if it can read the file that it replaces.
                    self._open(path, written.file)

    def _put_away(self, written: _Written, suffix: str) -> None:
        path = written.file.path
        del self._active[path]
        if path.exists():
            self._archived.append(written)
            written.file.rename(path.with_name(f"{path.stem}@{suffix}"))
        written.file.close(truncated=self.rng.happens(0.5))

    def _forget_runtime(self, directory: Path) -> None:
        """Delete the files in or below a directory of /run."""
        for path, written in list(self._active.items()):
            if path.is_relative_to(directory):
                written.file.close()
                path.unlink(missing_ok=True)
                del self._active[path]
        for written in [w for w in self._archived if w.file.path.is_relative_to(directory)]:
            written.file.path.unlink(missing_ok=True)
            self._archived.remove(written)
