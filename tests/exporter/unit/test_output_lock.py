"""The output's lock, on real files: what it distinguishes."""

import fcntl
import os
from pathlib import Path

import pytest

from journal_exporter.output.lock import is_in_use, lock_output, unlock_output


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "messages"
    path.write_bytes(b"line\n")
    return path


def test_a_second_exporter_can_lock_only_after_the_first_unlocks(output: Path) -> None:
    with output.open("ab") as first, output.open("ab") as second:
        assert not is_in_use(output, wait_s=0)
        assert lock_output(first.fileno())
        assert is_in_use(output, wait_s=0)
        assert not lock_output(second.fileno())
        unlock_output(first.fileno())
        assert not is_in_use(output, wait_s=0)
        assert lock_output(second.fileno())
    assert not is_in_use(output, wait_s=0)


@pytest.mark.parametrize("kind", [fcntl.LOCK_SH, fcntl.LOCK_EX])
def test_a_reader_under_flock_neither_stops_an_exporter_nor_waits_for_it(
    output: Path, kind: int
) -> None:
    with output.open("rb") as reader, output.open("ab") as output_file:
        fcntl.flock(reader, kind)
        assert not is_in_use(output, wait_s=0)
        assert lock_output(output_file.fileno())
        fcntl.flock(reader, fcntl.LOCK_UN)
        fcntl.flock(reader, kind | fcntl.LOCK_NB)


@pytest.mark.parametrize(("mode", "kind"), [("rb", fcntl.LOCK_SH), ("r+b", fcntl.LOCK_EX)])
def test_a_program_that_locked_the_whole_file_with_fcntl_is_not_an_exporter(
    output: Path, mode: str, kind: int
) -> None:
    child = os.fork()
    if child == 0:  # Such locks belong to the process, and do not conflict with its other locks.
        with output.open(mode) as other:
            fcntl.lockf(other, kind)
            with output.open("ab") as output_file:
                # is_in_use comes last: closing any descriptor of the file releases such locks.
                good = lock_output(output_file.fileno()) and not is_in_use(output, wait_s=0)
                os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_file_that_can_not_be_locked_is_written_nevertheless() -> None:
    read_fd, write_fd = os.pipe()
    try:
        assert lock_output(write_fd)
        unlock_output(write_fd)
    finally:
        os.close(read_fd)
        os.close(write_fd)
    assert not is_in_use(Path("/nowhere/messages"), wait_s=0)


def test_every_name_that_an_exporter_s_file_may_have_is_checked(output: Path) -> None:
    with output.open("ab") as output_file:
        assert lock_output(output_file.fileno())
        archive = output.rename(output.with_name("messages.1"))
        assert not is_in_use(output, wait_s=0)
        assert is_in_use(output, archive, wait_s=0)
