"""Faults for unit tests: a journal written by the test, disks that refuse, kills at any step.

Everything here is real but the journal, the clock and the moment of death: files are files.
"""

import resource
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from journal_exporter.errors import OutputError
from journal_exporter.journal.batch import Batch
from journal_exporter.journal.cursor import parse
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import Field
from journal_exporter.journal.position import FilePosition, Position
from journal_exporter.journal.sequence import SequenceTracker
from journal_exporter.lines.filters import EntryFilter
from journal_exporter.lines.format import Formatter
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.output.checkpoint import CheckpointFile, DamagedCheckpointError, State, load
from journal_exporter.output.resume import Resume
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.output.rotation import RotationPolicy
from journal_exporter.output.writer import Writer
from journal_exporter.process.pipeline import Pipeline
from tests.support.fakes import (
    BOOT,
    FILE_ID,
    SEQNUM_ID,
    FakeClock,
    ScriptedStop,
    context,
    cursor,
    read_up_to,
)

_MACHINE = "3a" * 16


class Killed(BaseException):
    """The process dies here: nothing may catch it."""


def refusal(number: int) -> OutputError:
    """Return the error of a disk that refuses, by ``errno``."""
    return OutputError("writing", OSError(number, "refused"))


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Let no file grow beyond it: writes are cut short there, then refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry; an unreadable one has a number and nothing else. ``file`` is where it is."""

    seqnum: int
    message: bytes
    readable: bool = True
    file: str = FILE_ID


def entries(
    messages: Iterable[bytes], first: int = 1, files: Sequence[str] = (FILE_ID,)
) -> list[Entry]:
    """Return numbered entries, in the files by turns."""
    return [
        Entry(number, message, file=files[number % len(files)])
        for number, message in enumerate(messages, first)
    ]


class ScriptedSource:
    """A journal in a list, which the test may extend, vacuum or break while it is read.

    The entries of each file are in the order of their numbers; the list is the order of reading.
    """

    def __init__(self, journal: list[Entry], *, batch_entries: int = 1000) -> None:
        self.journal = journal
        self.inotify_fd: int | None = 7
        self.on_read: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        self._batch_entries = batch_entries
        self._until: Position | None = None
        self._restore(Position(None))

    def _restore(self, position: Position) -> None:
        self._cursor = position.cursor
        self._files = dict(position.files or {})
        self._tracker = SequenceTracker(position.sequences)

    def start(self, where: str) -> Position:
        self.calls.append(f"start {where}")
        self._restore(Position(None))
        if where == "tail":
            for entry in self.journal:
                self._tracker.stand(_MACHINE, SEQNUM_ID, BOOT, entry.seqnum)
                self._move(entry)
        return self.position

    @property
    def position(self) -> Position:
        return Position(self._cursor, dict(self._files), self._tracker.snapshot())

    @property
    def _unread(self) -> list[Entry]:
        until = None if self._until is None else self._until.files or {}
        return [
            entry
            for entry in self.journal
            if entry.seqnum > _number(self._files, entry)
            and (until is None or entry.seqnum <= _number(until, entry))
        ]

    @property
    def unread(self) -> int:
        return len(self._unread)

    @property
    def oldest_unread_us(self) -> int:
        return min((cursor(entry.seqnum).realtime_us for entry in self._unread), default=0)

    def seek(self, position: Position, until: Position | None = None) -> bool:
        self._restore(position)
        self._until = until
        there = {(entry.file, entry.seqnum) for entry in self.journal}
        return all((key, one.place.seqnum) in there for key, one in self._files.items())

    def read(self) -> Batch:
        self.on_read()
        self.calls.append("read")
        batch = Batch(self.position, last_seen=self._last_seen)
        places = {(0, 0): batch.end}
        batch.place_after = lambda elements, gaps: places[elements, gaps]
        counted = 0
        for entry in self._unread[: self._batch_entries]:
            for gap in self._gaps_before(entry):
                counted += 1
                batch.gaps.setdefault(len(batch.times_us), []).append(gap)
                self._tracker.lose(gap, cursor(entry.seqnum).realtime_us)
                places[len(batch.times_us), counted] = self.position
            self._take(entry, batch)
            places[len(batch.times_us), counted] = self.position
        batch.end = self.position
        return batch

    @property
    def _last_seen(self) -> tuple[int, tuple[Field, ...]]:
        return (parse(self._cursor).realtime_us if self._cursor else 0), context()

    def _gaps_before(self, entry: Entry) -> list[Gap]:
        """Return the numbers below the entry's that no entry of the journal has any more."""
        if not entry.readable:
            return []
        trial = SequenceTracker(self._tracker.snapshot())
        key = _add(trial, entry)
        return trial.settle({key: min(one.seqnum for one in self._unread)})

    def _take(self, entry: Entry, batch: Batch) -> None:
        self._move(entry)
        batch.entries += 1
        if not entry.readable:
            batch.unreadable += 1
            return
        _add(self._tracker, entry)
        batch.times_us.append(cursor(entry.seqnum).realtime_us)
        batch.contexts.append(context())
        batch.messages.append(entry.message)

    def _move(self, entry: Entry) -> None:
        self._cursor = cursor(entry.seqnum).text
        held = max(one.seqnum for one in self.journal if one.file == entry.file)
        self._files[entry.file] = read_up_to(entry.seqnum, held=held)

    def process(self) -> None:
        self.calls.append("process")

    def wait(self, timeout_s: float, stop_fd: int) -> None:
        self.calls.append(f"wait {timeout_s} {stop_fd}")

    def close(self) -> None:
        self.calls.append("close")


def _add(tracker: SequenceTracker, entry: Entry) -> int:
    """Note an entry as read; return the epoch of its number."""
    key = tracker.epoch_of(_MACHINE, SEQNUM_ID, BOOT, entry.seqnum)
    tracker.add(key, [entry.seqnum])
    return key


def _number(files: Mapping[str, FilePosition], entry: Entry) -> int:
    """Return the number of the last entry that was read of an entry's file."""
    return files[entry.file].place.seqnum if entry.file in files else 0


@dataclass
class FaultPlan:
    """What happens at which step: every call that changes a file is a step, counted from 0."""

    kill_at: int | None = None
    torn_bytes: int = 0
    """How much of an append is written by the time of the kill."""
    refuse: dict[int, int] = field(default_factory=dict)
    """The errno for each step that is refused."""
    steps: list[str] = field(default_factory=list)

    def step(self, name: str, tear: Callable[[int], None] = lambda _bytes: None) -> None:
        number = len(self.steps)
        self.steps.append(name)
        if number == self.kill_at:
            tear(self.torn_bytes)
            raise Killed(name)
        if number in self.refuse:
            tear(self.torn_bytes)
            raise refusal(self.refuse[number])


class FaultyFile(RotatingFile):
    """An output whose every step is in the plan."""

    plan: FaultPlan

    def open(self) -> None:
        self.plan.step("open")
        super().open()

    def flush(self) -> None:
        self.plan.step("flush", self._tear)
        super().flush()

    def _tear(self, torn_bytes: int) -> None:
        left = bytes(self._pending)
        self.put(left[:torn_bytes])
        super().flush()
        self.put(left[torn_bytes:])

    def sync(self) -> None:
        self.plan.step("sync")
        super().sync()

    def rotate(self) -> None:
        self.plan.step("rotate")
        super().rotate()
        self.plan.step("rotated")


class FaultyCheckpoint(CheckpointFile):
    """A checkpoint whose every step is in the plan."""

    plan: FaultPlan

    def store(self, state: State) -> None:
        self.plan.step("store")
        super().store(state)

    def sync(self) -> None:
        self.plan.step("sync checkpoint")
        super().sync()

    def set_aside(self) -> Path:
        self.plan.step("set aside")
        return super().set_aside()


class Rig:
    """The exporter's worker without its process: ``run`` is one life of it, over the same files."""

    def __init__(
        self,
        base: Path,
        journal: list[Entry],
        *,
        max_bytes: int = 1 << 20,
        keep_files: int = 9,
        batch_entries: int = 1000,
    ) -> None:
        base.mkdir(parents=True, exist_ok=True)
        self.output_path = base / "log" / "messages"
        self.state = base
        self.journal = journal
        self.clock = FakeClock()
        self.metrics = SharedMetrics()
        self.boot_id = "boot-1"
        self.start = "head"
        self.max_bytes = max_bytes
        self.keep_files = keep_files
        self.batch_entries = batch_entries
        self.recover_with: Formatter | None = None
        self.once = True
        self.unread = False
        """What the look at the files says: whether the reader has missed something."""

    def formatter(self) -> Formatter:
        everything = EntryFilter(max_priority=7, exclude_facilities=frozenset())
        return Formatter("rfc3339", everything)

    def source(self) -> ScriptedSource:
        return ScriptedSource(self.journal, batch_entries=self.batch_entries)

    def run(self, plan: FaultPlan | None = None, stop: ScriptedStop | None = None) -> FaultPlan:
        """Live until the journal's end, or until the plan kills it."""
        plan = plan or FaultPlan()
        stop = stop or ScriptedStop(self.clock)
        output = FaultyFile(self.output_path, keep_files=self.keep_files, keep_bytes=0)
        checkpoint = FaultyCheckpoint(self.state)
        output.plan = checkpoint.plan = plan
        writer = Writer(
            output=output,
            checkpoint=checkpoint,
            rotation=RotationPolicy(max_bytes=self.max_bytes, min_interval_s=0.0),
            metrics=self.metrics,
            clock=self.clock,
            stop=stop,
        )
        try:
            state, is_damaged = load(self.state), False
        except DamagedCheckpointError:
            state, is_damaged = None, True
        try:
            Resume(
                boot_id=self.boot_id,
                render_hash="hash",
                start=self.start,
                source=self.source(),
                writer=writer,
                formatter=self.recover_with or self.formatter(),
                metrics=self.metrics,
                clock=self.clock,
            ).run(state, is_damaged=is_damaged)
            Pipeline(
                open_source=self.source,
                formatter=self.formatter(),
                writer=writer,
                scan=lambda _position, _now_s: self.unread,
                metrics=self.metrics,
                clock=self.clock,
                stop=stop,
                once=self.once,
            ).run()
        except Killed:
            pass
        finally:
            output.close()
            checkpoint.close()
        return plan

    def files(self) -> dict[str, bytes]:
        """Return every file, oldest first."""
        names = [self.output_path.with_name(f"messages.{n}") for n in range(9, 0, -1)]
        return {p.name: p.read_bytes() for p in (*names, self.output_path) if p.exists()}

    def data(self) -> bytes:
        return b"".join(self.files().values())

    def wanted(self, without: Collection[int] = ()) -> bytes:
        """Return the lines of the whole journal as an undisturbed run writes them."""
        source = ScriptedSource([e for e in self.journal if e.seqnum not in without])
        return b"".join(line or b"" for line in self.formatter().lines(source.read()))
