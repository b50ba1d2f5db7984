"""Every file of the journal is found, and its state is known from its header."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from journal_exporter.journal.files import (
    STATES,
    JournalFile,
    find_files,
    inspect_file,
    journal_directories,
    missing_codecs,
)
from tests.support.journal_headers import write_header
from tests.support.tools import need
from tools.sample_journal import realistic, write_journal

MACHINE = "ec2b0771e0c0be5a3b1e0d8f2f1f5a11"


def inspected(path: Path) -> JournalFile:
    file = inspect_file(path)
    assert file is not None
    return file


def state(path: Path) -> str:
    assert inspected(path).state in STATES
    return inspected(path).state


def test_a_root_has_two_directories() -> None:
    assert journal_directories(root=Path("/host"), directory=None) == [
        Path("/host/var/log/journal"),
        Path("/host/run/log/journal"),
    ]


def test_without_a_root_the_machines_own_journal_is_read() -> None:
    assert journal_directories(root=None, directory=None)[0] == Path("/var/log/journal")


def test_a_directory_that_is_named_is_the_only_one() -> None:
    assert journal_directories(root=None, directory=Path("/j")) == [Path("/j")]


def test_files_are_found_where_libsystemd_reads_them(tmp_path: Path) -> None:
    names = [
        "system.journal",
        "user-1000@0005.journal~",
        f"{MACHINE}/system.journal",
        f"{MACHINE}/system@00a1.journal",
        f"{uuid.UUID(MACHINE)}/system.journal",
    ]
    for name in names:
        write_header(tmp_path / name)
    others = [".hidden.journal", "journal", "x.journal.zst", "other/system.journal",
              f"{MACHINE}.evil/system.journal", f"{MACHINE}/{MACHINE}/system.journal",
              f"{MACHINE}/fss"]  # fmt: skip
    for name in others:
        write_header(tmp_path / name)
    assert sorted(find_files([tmp_path])) == sorted(tmp_path / name for name in names)


@pytest.mark.parametrize("name", ["", MACHINE])
def test_a_directory_that_can_not_be_listed_is_corrupt(tmp_path: Path, name: str) -> None:
    write_header(tmp_path / "journal/system.journal")
    loop = tmp_path / "journal" / name if name else tmp_path / "loop"
    loop.symlink_to(loop)
    found = find_files([tmp_path / "journal", tmp_path / "loop"])
    assert sorted(found) == sorted([loop, tmp_path / "journal/system.journal"])
    assert state(loop) == "corrupt"


def test_every_directory_is_searched_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    expected = [write_header(one / "a.journal"), write_header(two / "b.journal")]
    assert find_files([one, tmp_path / "none", two, expected[0]]) == expected


def test_a_header_has_numbers_and_times(tmp_path: Path) -> None:
    path = write_header(
        tmp_path / "a.journal",
        seqnum_id="1f" * 16, head_seqnum=7, tail_seqnum=11, tail_realtime_us=123,
    )  # fmt: skip
    file = inspected(path)
    assert file.path == path
    assert file.inode == path.stat().st_ino
    assert file.size_bytes == path.stat().st_blocks * 512
    header = file.header
    assert (file.state, header.seqnum_id) == ("readable", "1f" * 16)
    assert (header.head_seqnum, header.tail_seqnum, header.tail_realtime_us) == (7, 11, 123)


@pytest.mark.parametrize("compressed", [False, True], ids=["bottlerocket", "todays"])
def test_the_header_of_a_real_journal_is_read(tmp_path: Path, *, compressed: bool) -> None:
    need("systemd-journal-remote")
    start_us, count = 1_763_600_000_000_000, 50
    stream = realistic(count, start_realtime_us=start_us, step_us=1000, seed=1, boot_id="6f" * 16)
    write_journal(tmp_path / "system.journal", stream, compressed=compressed)
    file = inspected(tmp_path / "system.journal")
    assert (file.state, file.header.head_seqnum, file.header.tail_seqnum) == ("readable", 1, count)
    assert file.header.head_realtime_us == start_us
    assert file.header.tail_realtime_us == start_us + (count - 1) * 1000
    assert len(bytes.fromhex(file.header.seqnum_id)) == 16


@pytest.mark.parametrize("flag", [1, 2, 4, 8, 16, 31], ids=str)
def test_every_known_format_flag_is_readable(tmp_path: Path, flag: int) -> None:
    assert state(write_header(tmp_path / "a.journal", flags=flag)) == "readable"


@pytest.mark.parametrize("flag", [32, 1 << 31, 32 | 4], ids=str)
def test_an_unknown_format_flag_is_unsupported(tmp_path: Path, flag: int) -> None:
    assert state(write_header(tmp_path / "a.journal", flags=flag)) == "unsupported"


@pytest.mark.parametrize("length", [0, 1, 200, 207])
def test_a_file_shorter_than_a_header_is_corrupt(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(write_header(path).read_bytes()[:length])
    assert state(path) == "corrupt"


def test_a_file_shorter_than_its_header_says_is_corrupt(tmp_path: Path) -> None:
    assert state(write_header(tmp_path / "a.journal", missing_bytes=0)) == "readable"
    assert state(write_header(tmp_path / "b.journal", missing_bytes=1)) == "corrupt"


def test_a_file_that_is_not_a_journal_is_corrupt(tmp_path: Path) -> None:
    assert state(write_header(tmp_path / "a.journal", signature=b"GARBAGE!")) == "corrupt"


def test_a_corrupt_file_still_has_an_inode_and_a_size(tmp_path: Path) -> None:
    path = write_header(tmp_path / "a.journal", signature=b"GARBAGE!")
    file = inspected(path)
    assert (file.inode, file.size_bytes) == (path.stat().st_ino, path.stat().st_blocks * 512)


def test_a_directory_with_a_journals_name_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.journal").mkdir()
    assert state(tmp_path / "a.journal") == "corrupt"


def test_a_file_that_is_gone_is_none(tmp_path: Path) -> None:
    assert inspect_file(tmp_path / "gone.journal") is None


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Be a user who may not read everything."""
    was = os.geteuid()
    os.seteuid(was or 65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_file_that_may_not_be_read_is_denied(tmp_path: Path) -> None:
    path = write_header(tmp_path / "a.journal")
    path.chmod(0)
    with unprivileged():
        assert state(path) == "denied"


def test_a_codec_that_is_not_installed_is_named() -> None:
    def all_but_lz4(library: str) -> bool:
        return library != "liblz4.so.1"

    assert missing_codecs(1 | 2 | 8, all_but_lz4) == ["liblz4.so.1"]
    assert missing_codecs(1 | 4 | 8 | 16, all_but_lz4) == []


def test_the_codecs_that_this_machines_libsystemd_is_linked_to_are_found() -> None:
    assert missing_codecs(1 | 2 | 8) == []
