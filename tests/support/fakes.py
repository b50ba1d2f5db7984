"""Builders of the small values that tests are made of, and clocks and stops that never wait."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from journal_exporter.journal.batch import Batch
from journal_exporter.journal.cursor import Cursor
from journal_exporter.journal.fields import Context, Field
from journal_exporter.journal.position import FilePosition, Position
from journal_exporter.journal.run import Place
from journal_exporter.lines.filters import EntryFilter
from journal_exporter.lines.format import Formatter

__all__ = [
    "ALL",
    "BOOT",
    "FILE_ID",
    "SEQNUM_ID",
    "START_US",
    "FakeClock",
    "ScriptedStop",
    "batch",
    "context",
    "cursor",
    "line",
    "read_up_to",
]

SEQNUM_ID = "5e" * 16
BOOT = "b0" * 16
FILE_ID = "f1" * 16
START_US = 1_794_090_800_123_456
"""2026-11-07T22:33:20.123456Z"""
ALL = EntryFilter(max_priority=7, exclude_facilities=frozenset())
"""Filters that leave nothing out."""


def context(
    *,
    identifier: Field = b"ident",
    pid: Field = b"42",
    host: Field = b"node-1",
    priority: Field = b"6",
    facility: Field = b"3",
    comm: Field = None,
    syslog_pid: Field = None,
    transport: Field = None,
    unit: Field = None,
    subject_unit: Field = None,
) -> tuple[Field, ...]:
    """Return a whole context of an ordinary daemon's entry, as the reader hands it over."""
    return (
        identifier, pid, host, priority, facility, comm, syslog_pid, transport, unit, subject_unit,
    )  # fmt: skip


def of(fields: tuple[Field, ...]) -> Context:
    """Return a context without lists as what entry_filter and formats take."""
    return Context(*fields)  # type: ignore[arg-type]


def cursor(
    seqnum: int,
    *,
    seqnum_id: str = SEQNUM_ID,
    boot_id: str = BOOT,
    monotonic_us: int | None = None,
    realtime_us: int | None = None,
    xor_hash: str = "abc",
) -> Cursor:
    """Return a cursor; times follow from the number unless they are given."""
    return Cursor(
        seqnum_id,
        seqnum,
        boot_id,
        1000 * seqnum if monotonic_us is None else monotonic_us,
        START_US + 1000 * seqnum if realtime_us is None else realtime_us,
        xor_hash,
    )


def read_up_to(number: int, *, held: int | None = None) -> FilePosition:
    """Return the place after an entry of a file whose numbers begin at 1 and end at ``held``."""
    here = cursor(number)
    place = Place(64 * number, number, number, here.realtime_us, BOOT) if number else Place()
    held = number if held is None else held
    return FilePosition(place, held, held, SEQNUM_ID, "3a" * 16, is_runtime=False)


def batch(
    messages: Sequence[Field] = (b"hello",),
    contexts: Sequence[tuple[Field, ...]] | None = None,
    times_us: Sequence[int] | None = None,
) -> Batch:
    """Return a batch: one entry per message, a microsecond apart."""
    count = len(messages)
    return Batch(
        end=Position(cursor(count).text),
        times_us=[START_US + n for n in range(count)] if times_us is None else list(times_us),
        contexts=[context()] * count if contexts is None else list(contexts),
        messages=list(messages),
        entries=count,
    )


@dataclass
class FakeClock:
    """Both clocks; they stand still until a test moves them."""

    now_s: float = 1000.0
    epoch_s: float = 1_794_090_800.0

    def monotonic_s(self) -> float:
        return self.now_s

    def time_s(self) -> float:
        return self.epoch_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        self.epoch_s += seconds


@dataclass
class ScriptedStop:
    """Notes every wait in ``waits``, moves the clock instead of waiting, is set after so many waits."""

    clock: FakeClock = field(default_factory=FakeClock)
    set_after: int | None = None
    waits: list[float | None] = field(default_factory=list)
    fd: int = -1

    def is_set(self) -> bool:
        return self.set_after is not None and len(self.waits) >= self.set_after

    def wait(self, timeout_s: float | None) -> bool:
        self.waits.append(timeout_s)
        if timeout_s is not None:
            self.clock.advance(timeout_s)
        elif not self.is_set():
            raise AssertionError("a wait without end, and nothing would end it")
        return self.is_set()


def line(
    message: Field = b"hello", fields: tuple[Field, ...] | None = None, form: str = "rfc3339"
) -> str:
    """Return the line that an entry becomes, with its line end."""
    (made,) = Formatter(form, ALL).lines(batch([message], [fields or context()]))
    assert made is not None
    return made.decode()
