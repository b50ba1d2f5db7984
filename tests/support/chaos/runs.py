"""Runs of the exporter as a real process, some of them under strace with an injection."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from journal_exporter.process.state_lock import is_running
from tests.support.chaos import oracle
from tests.support.paths import ROOT
from tests.support.tools import need
from tests.support.waiting import wait_for

T = TypeVar("T")
DEADLINE_S = 40.0
_POLL_S = 0.005
CHANGING = (
    "write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,fallocate,ftruncate,truncate,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync,sync_file_range,msync,"
    "fchmod,mkdir,mkdirat"
)
"""Every system call that can change a file or make a change last."""
_CALL = re.compile(rb"^(\d+) +(?:<\.\.\. )?(\w+)\(", re.MULTILINE)
_KILLED = b"+++ killed by SIGKILL +++"


@dataclass
class Case:
    """One output with its state, below ``base``."""

    journal: Path
    base: Path
    arguments: tuple[str, ...] = ("--once", "--max-bytes", "4096", "--log-level", "error")
    witness: oracle.Witness = field(init=False)

    def __post_init__(self) -> None:
        self.base.mkdir(parents=True, exist_ok=True)
        self.output = self.base / "log" / "messages"
        self.state = self.base / "state"
        self.errors = self.base / "exporter.log"
        self.trace = self.base / "trace"
        self.witness = oracle.Witness(self.output)

    @property
    def command(self) -> list[str]:
        """The exporter's command line: everything becomes a line, nothing is waited for."""
        return [
            *(sys.executable, "-m", "journal_exporter", "run"),
            *("--journal-directory", str(self.journal), "--start", "head"),
            *("--output", str(self.output), "--state-directory", str(self.state)),
            *("--metrics-address", "", "--keep-files", "9"),
            *("--rotation-settle-s", "0", "--rotation-interval-s", "0"),
            *("--max-priority", "debug", "--exclude-facility", "none"),
            *self.arguments,
        ]

    def start(self, prefix: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        """Start the exporter."""
        with self.errors.open("ab") as errors:
            return subprocess.Popen([*prefix, *self.command], stderr=errors, cwd=ROOT)

    def run(self, prefix: Sequence[str] = ()) -> int:
        """Run the exporter to its end and look at the files; return its exit code."""
        with self.start(prefix) as process:
            try:
                code = process.wait(DEADLINE_S)
            finally:
                end(process)
        self.look()
        return code

    def traced(self, *options: str) -> int:
        """Run it under strace, in ``trace`` what it did; everything has ended on return."""
        code = self.run((need("strace"), "-f", "-qq", "-o", str(self.trace), *options))
        # A file that shrinks and grows again before the next look is what a look can't see.
        assert b"truncate(" not in self.trace.read_bytes(), self.log()
        return code

    def look(self) -> None:
        """Fail when a file shrank, changed or went since the last look."""
        problem = self.witness.look()
        assert not problem, f"{problem}\n{self.log()}"

    def heal(self) -> None:
        """Start it once more, undisturbed; it must end well."""
        assert self.run() == 0, self.log()

    def expect(self, wanted: list[bytes]) -> None:
        """Fail unless the files, oldest to newest, are exactly these lines."""
        problem = oracle.judge(oracle.lines(self.output), wanted)
        assert not problem, f"{problem}\n{self.log()}"

    def layout(self) -> dict[str, bytes]:
        """Return every file with its content."""
        return {path.name: path.read_bytes() for path in oracle.names(self.output)}

    def wait_for(self, happened: Callable[[], object], what: str) -> None:
        """Return when it has happened; fail with the log when it does not."""
        wait_for(happened, what, DEADLINE_S, every_s=_POLL_S, evidence=self.log)

    def wait_for_end(self) -> None:
        """Return when no exporter holds the state any more."""
        self.wait_for(lambda: not is_running(self.state), "the exporter to end")

    def log(self) -> str:
        """Return the end of what it logged and, where it was traced, what it did."""
        texts = [self.errors.read_text()[-2000:]] if self.errors.exists() else []
        if self.trace.exists():
            texts.append(self.trace.read_bytes()[-3000:].decode(errors="replace"))
        return "\n---\n".join([f"{self.base}:", *texts])


def paths(case: Case, like: Case) -> list[str]:
    """Return strace's options for the files of a case; ``like`` has run, so its files have names."""
    output = [case.output, *(case.output.with_name(f"messages.{n}") for n in range(1, 10))]
    names = {path.name for path in like.state.iterdir()}
    names |= {Path(name).with_suffix(".new").name for name in names}
    files = [*output, case.output.parent, *(case.state / name for name in sorted(names))]
    return [text for path in files for text in ("-P", str(path))]


def calls(trace: Path) -> Counter[str]:
    """Return how often each system call was made by the process that made most of them."""
    most: Counter[str] = Counter()
    for counter in _calls_by_process(trace):
        most |= counter
    return most


def calls_of_supervisor(trace: Path) -> Counter[str]:
    """Return how often the process that made the first call, the supervisor, made each system call."""
    return _calls_by_process(trace)[0]


def _calls_by_process(trace: Path) -> list[Counter[str]]:
    """Return how often each process made each system call, in the order of their first calls."""
    counted: dict[bytes, Counter[str]] = {}
    for pid, name in _CALL.findall(trace.read_bytes()):
        counted.setdefault(pid, Counter())[name.decode()] += 1
    return list(counted.values())


def kills(trace: Path) -> int:
    """Return how many processes were killed."""
    return trace.read_bytes().count(_KILLED)


def kill_all(case: Case, call: str, number: int) -> int:
    """Kill the worker before its call of that number, and the supervisor with it; count the kills.

    strace counts calls for each process. The supervisor is killed as it is about to fork another worker.
    """
    case.traced(
        *("-e", f"trace={CHANGING},clone", "-e", "inject=clone:signal=SIGKILL:when=2"),
        *("-e", f"inject={call}:signal=SIGKILL:when={number}"),
    )
    trace = case.trace.read_bytes()
    return sum(not death.startswith(b"clone(") for death in _deaths(trace))


def _deaths(trace: bytes) -> list[bytes]:
    """Return the last call of each process that was killed."""
    last: dict[bytes, bytes] = {}
    deaths = []
    for text in trace.splitlines():
        pid, _, what = text.partition(b" ")
        if what.strip() == _KILLED:
            deaths.append(last.get(pid, b""))
        last[pid] = what.strip()
    return deaths


def kill_worker(case: Case, call: str, number: int) -> None:
    """Kill only the worker before its call of that number; return when the exporter has ended.

    The supervisor is held up for a moment where it would fork the next worker: time for a look at the files,
    and to take strace off so that the next worker is left alone.
    """
    case.trace.unlink(missing_ok=True)
    prefix = (
        *(need("strace"), "-f", "-qq", "-o", str(case.trace)),
        *("-e", f"trace={CHANGING},clone", "-e", "inject=clone:delay_enter=400000:when=2"),
        *("-e", f"inject={call}:signal=SIGKILL:when={number}"),
    )
    with case.start(prefix) as tracer:
        try:
            case.wait_for(
                lambda: case.trace.exists() and kills(case.trace) > 0, "a kill in the trace"
            )
            supervisor = os.pidfd_open(children(tracer.pid)[0])
            case.look()
            tracer.kill()  # The processes that it held continue, untraced.
        except BaseException:
            end(tracer)
            raise
    try:
        case.wait_for(lambda: has_ended(supervisor), "the supervisor to end")
    finally:
        if not has_ended(supervisor):
            signal.pidfd_send_signal(supervisor, signal.SIGKILL)
        os.close(supervisor)
    case.look()


def kill_at_open(case: Case, number: int, like: Case) -> None:
    """Kill what opens one of the files for that time, then everything else, as soon as it is seen."""
    case.trace.unlink(missing_ok=True)
    prefix = (
        *(
            need("strace"),
            "-f",
            "-qq",
            "-o",
            str(case.trace),
            "-e",
            "trace=openat",
            *paths(case, like),
        ),
        *("-e", f"inject=openat:signal=SIGKILL:when={number}"),
    )
    with case.start(prefix) as tracer:
        try:
            case.wait_for(
                lambda: case.trace.exists() and kills(case.trace) > 0, "a kill in the trace"
            )
        finally:
            end(tracer)
    case.wait_for_end()
    case.look()


def has_ended(pidfd: int) -> bool:
    """Whether a process that need not be our child has ended."""
    try:
        signal.pidfd_send_signal(pidfd, 0)
    except ProcessLookupError:
        return True
    return False


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children; none when it has gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, its children and theirs, if they still run."""
    if process.poll() is None:
        below = children(process.pid)
        below += [pid for child in below for pid in children(child)]
        process.kill()
        for pid in below:
            kill(pid)
    process.wait()


def kill(pid: int) -> bool:
    """Kill a process; return whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def side_by_side(work: Callable[[T], None], points: Sequence[T]) -> None:
    """Do it for every point, as many at a time as there are processors; raise what the first raises."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for future in [pool.submit(work, point) for point in points]:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
