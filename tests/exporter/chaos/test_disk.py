"""While the disk refuses, nothing is lost or repeated; afterwards the exporter continues.

The errors of single system calls are strace's; the full and the read-only file systems are real.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from journal_exporter.process.state_lock import is_running
from tests.support.chaos.disk import Disk
from tests.support.chaos.oracle import Oracle, Witness, judge, lines
from tests.support.chaos.runs import Case, end, paths
from tests.support.exporter import Exporter, free_port
from tests.support.tools import need

Refusal = tuple[str, str, str]
"""A system call, its error, and which of its calls fail."""
REFUSALS: list[Refusal] = [
    ("write", "ENOSPC", "1..2"),
    ("write", "EIO", "2..3"),
    ("write", "EDQUOT", "1"),
    ("pwrite64", "ENOSPC", "1..2"),
    ("pwrite64", "EIO", "4..6"),
    ("pwrite64", "EROFS", "5"),
    ("fdatasync", "EIO", "1..2"),
    ("fdatasync", "EIO", "5..6"),
    ("fdatasync", "ENOSPC", "4"),
    ("fsync", "EIO", "1..3"),
    ("fsync", "EIO", "4"),
    ("rename", "EIO", "1..2"),
    ("rename", "EROFS", "3..4"),
    ("rename", "EIO", "5"),
    ("fchmod", "EIO", "1"),
    ("fchmod", "EIO", "2"),
]


def test_a_temporary_error_of_any_system_call_costs_only_time(
    small: Oracle, tmp_path: Path
) -> None:
    undisturbed = Case(small.journal, tmp_path / "undisturbed")
    undisturbed.heal()

    def check(refusal: Refusal) -> str:
        call, error, when = refusal
        case = Case(small.journal, tmp_path / "-".join(refusal))
        injection = f"inject={call}:error={error}:when={when}"
        code = case.traced("-e", f"trace={call}", *paths(case, undisturbed), "-e", injection)
        refused = case.trace.read_bytes().count(b"(INJECTED)")
        problem = judge(lines(case.output), small.lines)
        if not problem and case.layout() != undisturbed.layout():
            sizes = {name: len(data) for name, data in case.layout().items()}
            problem = f"the files are not those of an undisturbed run: {sizes}"
        if code or not refused or problem:
            return f"{refusal}: exit code {code}, {refused} errors; {problem}\n{case.log()}"
        return ""

    with ThreadPoolExecutor(8) as pool:
        problems = [problem for problem in pool.map(check, REFUSALS) if problem]
    assert not problems, "\n\n".join(problems)


@pytest.mark.parametrize("last", [False, True], ids=["at the start", "at the last rotation"])
def test_a_directory_that_can_not_be_synced_after_a_new_file_is_retried_and_costs_no_archive(
    small: Oracle, tmp_path: Path, *, last: bool
) -> None:
    """A rotation syncs the directory twice: after the renames, and after the new file is created."""
    case = Case(small.journal, tmp_path / "undisturbed")
    case.heal()
    rotations = len(case.layout()) - 1
    case = Case(small.journal, tmp_path / "refused")
    case.arguments = (*case.arguments, "--keep-files", str(rotations))
    injection = f"inject=fsync:error=EIO:when={1 + 2 * rotations if last else 1}"
    only = ("-P", str(case.output.parent))
    assert case.traced("-e", "trace=fsync", *only, "-e", injection) == 0, case.log()
    calls = case.trace.read_bytes().splitlines()
    assert [b"(INJECTED)" in call for call in calls].count(True) == 1, case.log()
    assert len(calls) >= 2 + 2 * rotations
    assert ("rotating" if last else "opening") in case.log()
    case.expect(small.lines)


def test_a_file_of_the_state_is_durable_before_it_has_its_name_and_its_name_before_more_is_done(
    small: Oracle, tmp_path: Path
) -> None:
    case = Case(small.journal, tmp_path)
    assert case.traced("-y", "-e", "trace=fsync,rename,write") == 0, case.log()
    state = f"{case.state}/".encode()
    calls = re.findall(rb"^\d+ +(\w+)\((?:\d+<|\")([^>\"]+)", case.trace.read_bytes(), re.MULTILINE)
    names = [path for call, path in calls if call == b"rename" and path.startswith(state)]
    assert state + b"checkpoint.new" in names
    for name in names:
        renamed = calls.index((b"rename", name))
        assert calls[renamed - 1 : renamed + 2 : 2] == [(b"fsync", name), (b"fsync", state[:-1])]


def test_directories_that_the_exporter_creates_are_durable_before_their_files(
    small: Oracle, tmp_path: Path
) -> None:
    case = Case(small.journal, tmp_path)
    case.output = tmp_path / "new/log/messages"
    case.state = tmp_path / "new/state"
    assert case.traced("-y", "-e", "trace=mkdir,fsync,openat") == 0, case.log()
    calls = re.findall(rb"^\d+ +(\w+)\(.*?[<\"](/[^>\"]+)", case.trace.read_bytes(), re.MULTILINE)
    for directory in (tmp_path / "new", case.output.parent, case.state):
        created = calls.index((b"mkdir", str(directory).encode()))
        synced = calls.index((b"fsync", str(directory.parent).encode()), created)
        used = [
            path
            for _, path in calls[created + 1 : synced]
            if path.startswith(f"{directory}/".encode())
        ]
        assert not used, directory


def test_a_kill_after_an_error_of_the_checkpoint_loses_and_repeats_nothing(
    small: Oracle, tmp_path: Path
) -> None:
    """The error makes the exporter store the state again; neither slot may be lost on the way."""
    case = Case(small.journal, tmp_path)
    checkpoint = ("-P", str(case.state / "checkpoint"))
    for first in (3, 6):
        case.run(
            (
                *(need("strace"), "-f", "-qq", "-o", str(case.trace), "-e", "trace=pwrite64"),
                *checkpoint,
                *("-e", f"inject=pwrite64:error=EIO:when={first}..{first + 1}"),
            )
        )
    case.heal()
    case.expect(small.lines)


@contextmanager
def exporter(case: Case, disk: Disk) -> Iterator[Exporter]:
    """Run one that follows, with its health to ask for, on the disk."""
    port = free_port()
    case.arguments = ("--max-bytes", "1Mi", "--metrics-address", f"127.0.0.1:{port}")
    asked = Exporter(case.base)
    asked.port = port
    process = case.start(disk.prefix)
    try:
        yield asked
    finally:
        end(process)
        case.wait_for(lambda: not is_running(disk.outside(case.state)), "the exporter to end")


def wait_for_health(case: Case, asked: Exporter, code: int, containing: str) -> None:
    def answers() -> bool:
        status, text = asked.get("/readyz")
        return status == code and containing in text

    case.wait_for(answers, f"{code} with {containing!r} from /readyz")


def test_a_full_disk_holds_the_output_through_kills_until_there_is_room(
    wide: Oracle, tmp_path: Path
) -> None:
    case = Case(wide.journal, tmp_path)
    with Disk(case.output.parent, "32k") as disk:
        output = disk.outside(case.output)
        witness = Witness(output)
        for _ in range(3):
            with exporter(case, disk) as asked:
                wait_for_health(case, asked, 503, "enospc")
                assert asked.get("/livez")[0] == 200
                assert asked.metric("output_blocked", '{reason="enospc"}') == 1
            assert output.stat().st_size == 32768
            assert witness.look() == ""
        with exporter(case, disk) as asked:
            wait_for_health(case, asked, 503, "enospc")
            disk.remount("size=8M")
            wait_for_health(case, asked, 200, "ready")
            case.wait_for(lambda: len(lines(output)) >= len(wide.lines), "all lines")
            assert asked.metric("output_blocked_seconds_total", '{reason="enospc"}') > 0
        assert witness.look() == ""
        assert judge(lines(output), wide.lines) == ""


def test_an_output_that_is_read_only_at_the_start_is_waited_for(
    wide: Oracle, tmp_path: Path
) -> None:
    case = Case(wide.journal, tmp_path)
    with Disk(case.output.parent, "8M") as disk:
        disk.remount("ro")
        with exporter(case, disk) as asked:
            wait_for_health(case, asked, 503, "erofs")
            disk.remount("rw")
            wait_for_health(case, asked, 200, "ready")
            case.wait_for(
                lambda: len(lines(disk.outside(case.output))) >= len(wide.lines), "all lines"
            )
        assert judge(lines(disk.outside(case.output)), wide.lines) == ""


def test_a_full_disk_costs_the_oldest_archives_and_no_other_line(
    wide: Oracle, tmp_path: Path
) -> None:
    case = Case(wide.journal, tmp_path)
    with Disk(case.output.parent, "20k") as disk:
        case.arguments = ("--once", "--max-bytes", "4096")
        with case.start(disk.prefix) as process:
            assert process.wait(60) == 0, case.log()
        got = lines(disk.outside(case.output))
        assert 8192 < sum(map(len, got)) < 20480
        assert judge(got, wide.lines[-len(got) :]) == ""
        assert "deleted the oldest archive" in case.log()


@pytest.mark.parametrize("pages", [1, 2, 3, 5, 16, 18, 24])
def test_a_state_directory_that_is_nearly_full_is_waited_for(
    wide: Oracle, tmp_path: Path, pages: int
) -> None:
    """The first start has so many pages; it is killed while it holds, and started again."""
    case = Case(wide.journal, tmp_path)
    with Disk(case.state, "8M") as disk:
        disk.remount(f"size={4 * pages}k")
        for _ in range(2):
            with exporter(case, disk) as asked:
                case.wait_for(lambda: asked.get("/readyz")[0] in (200, 503), "an answer")
                case.wait_for(lambda: "recovering" not in asked.get("/readyz")[1], "recovery")
        disk.remount("size=8M")
        with exporter(case, disk) as asked:
            wait_for_health(case, asked, 200, "ready")
            case.wait_for(lambda: len(lines(case.output)) >= len(wide.lines), "all lines")
        case.expect(wide.lines)
