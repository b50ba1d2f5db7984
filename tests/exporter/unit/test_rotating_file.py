"""The output on a real file system: what it keeps, what it deletes, what it never does."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from journal_exporter.errors import ConfigError, OutputError
from journal_exporter.output import read_back
from journal_exporter.output.archives import archive
from journal_exporter.output.file_id import HEAD_BYTES, matches
from journal_exporter.output.rotating_file import RotatingFile
from journal_exporter.process.paths import check_output
from tests.support.faults import file_size_limit


@contextmanager
def opened(
    path: Path, *, keep_files: int = 9, keep_bytes: int = 0, deleted: list[str] | None = None
) -> Iterator[RotatingFile]:
    reasons = [] if deleted is None else deleted
    output = RotatingFile(
        path, keep_files=keep_files, keep_bytes=keep_bytes, on_archive_deleted=reasons.append
    )
    output.open()
    try:
        yield output
    finally:
        output.close()


def write(output: RotatingFile, data: bytes) -> None:
    output.put(data)
    output.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "messages"


def test_a_new_output_is_readable_by_all_whatever_the_umask_and_its_directory_is_made(
    path: Path,
) -> None:
    before = os.umask(0o077)
    try:
        with opened(path) as output:
            assert output.size_bytes == 0
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_existing_output_is_continued(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"somebody's line\n")
    with opened(path) as output:
        write(output, b"ours\n")
        assert output.size_bytes == path.stat().st_size
    assert path.read_bytes() == b"somebody's line\nours\n"


def test_a_symbolic_link_is_not_followed(path: Path) -> None:
    path.parent.mkdir()
    target = path.with_name("target")
    path.symlink_to(target)
    with pytest.raises(OutputError), opened(path):
        pass
    assert not target.exists()


def test_a_write_that_is_cut_short_continues_where_it_was(path: Path) -> None:
    with opened(path) as output:
        output.put(b"0123456789\n")
        with file_size_limit(4), pytest.raises(OutputError) as caught:
            output.flush()
        assert caught.value.reason == "other"
        assert path.read_bytes() == b"0123"
        assert output.size_bytes == 4
        assert output.ends_torn()
        output.flush()
        assert not output.ends_torn()
    assert path.read_bytes() == b"0123456789\n"


def test_the_identity_stays_over_a_rename_and_follows_the_head(path: Path) -> None:
    with opened(path) as output:
        empty = output.id
        write(output, b"x" * 100)
        short = output.id
        write(output, b"y" * 2 * HEAD_BYTES)
        whole = output.id
        assert (empty.head_bytes, short.head_bytes, whole.head_bytes) == (0, 100, HEAD_BYTES)
        output.rotate()
        with archive(path, 1).open("rb") as file:
            assert matches(file.fileno(), short)
            assert matches(file.fileno(), whole)


def test_another_file_with_the_same_inode_is_not_taken_for_the_one_that_was_remembered(
    path: Path,
) -> None:
    with opened(path) as output:
        write(output, b"one thing\n")
        known = output.id
        path.write_bytes(b"other one\n")
        with path.open("rb") as file:
            assert not matches(file.fileno(), known)
        assert read_back.size_of(path, known) is None


def test_a_new_device_number_after_a_boot_is_the_same_file(path: Path) -> None:
    with opened(path) as output:
        write(output, b"line\n")
        assert read_back.size_of(path, output.id._replace(device=4711)) == 5


def test_rotations_shift_the_archives_and_delete_by_count(path: Path) -> None:
    deleted: list[str] = []
    with opened(path, keep_files=3, deleted=deleted) as output:
        for number in range(6):
            write(output, b"%d\n" % number)
            output.rotate()
        assert output.count_archives() == 3
    assert [archive(path, n).read_bytes() for n in (3, 2, 1)] == [b"3\n", b"4\n", b"5\n"]
    assert path.read_bytes() == b""
    assert deleted == ["count"] * 3


def test_a_rotation_renames_and_never_copies(path: Path) -> None:
    with opened(path) as output:
        write(output, b"line\n")
        before = path.stat()
        output.rotate()
        after = archive(path, 1).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.stat().st_ino != before.st_ino


@pytest.mark.parametrize("renamed", range(4))
def test_a_rotation_that_stopped_after_any_rename_resumes(path: Path, renamed: int) -> None:
    with opened(path) as output:
        for number in range(4):
            write(output, b"%d\n" % number)
            if number < 3:
                output.rotate()
    for number in list(range(3, -1, -1))[:renamed]:
        (archive(path, number) if number else path).rename(archive(path, number + 1))
    with opened(path) as output:
        write(output, b"4\n")
        output.rotate()
        write(output, b"5\n")
    names = [*(archive(path, n) for n in range(9, 0, -1)), path]
    data = b"".join(name.read_bytes() for name in names if name.exists())
    assert data == b"0\n1\n2\n3\n4\n5\n"


def test_archives_beyond_the_total_size_go_oldest_first(path: Path) -> None:
    deleted: list[str] = []
    with opened(path, keep_bytes=250, deleted=deleted) as output:
        for number in range(5):
            write(output, b"%d" % number * 99 + b"\n")
            output.rotate()
    assert archive(path, 1).read_bytes()[:1] == b"4"
    assert archive(path, 2).read_bytes()[:1] == b"3"
    assert not archive(path, 3).exists()
    assert deleted == ["bytes"] * 3


def test_archives_that_a_smaller_limit_leaves_behind_are_deleted(path: Path) -> None:
    with opened(path) as output:
        for number in range(5):
            write(output, b"%d\n" % number)
            output.rotate()
    with opened(path, keep_files=2) as output:
        output.rotate()
        assert output.count_archives() == 2


def test_the_oldest_archive_is_deleted_for_space_until_none_is_left(path: Path) -> None:
    deleted: list[str] = []
    with opened(path, deleted=deleted) as output:
        for number in range(2):
            write(output, b"%d\n" % number)
            output.rotate()
        assert output.delete_oldest()
        assert archive(path, 1).read_bytes() == b"1\n"
        assert output.delete_oldest()
        assert not output.delete_oldest()
    assert deleted == ["disk_full"] * 2


def test_a_rotation_that_is_tried_again_after_its_new_file_was_made_is_one_rotation(
    path: Path,
) -> None:
    class Refusing(RotatingFile):
        refusals = 1

        def delete_surplus(self) -> None:
            # The last step of a rotation, and the only one that a subclass can refuse.
            if self.refusals:
                self.refusals -= 1
                raise OutputError("syncing", OSError(errno.EIO, "refused"))
            super().delete_surplus()

    with closing(Refusing(path, keep_files=2, keep_bytes=0)) as output:
        output.open()
        for number in range(2):
            write(output, b"%d\n" % number)
            output.refusals = 0
            output.rotate()
        write(output, b"2\n")
        output.refusals = 1
        with pytest.raises(OutputError):
            output.rotate()
        output.rotate()
    assert archive(path, 2).read_bytes() == b"1\n"
    assert archive(path, 1).read_bytes() == b"2\n"


def test_an_output_that_another_process_removed_renamed_or_emptied_is_noticed(path: Path) -> None:
    with opened(path) as output:
        write(output, b"line\n")
        assert not output.is_replaced()
        os.truncate(path, 4)
        assert output.is_replaced()
        output.open()
        assert not output.is_replaced()
        path.rename(path.with_name("elsewhere"))
        assert output.is_replaced()
        path.write_bytes(b"")
        assert output.is_replaced()
        output.open()
        assert not output.is_replaced()


def test_the_tail_goes_through_the_archives_and_is_cut_at_the_front(path: Path) -> None:
    with opened(path) as output:
        write(output, b"first\n")
        known = output.id
        write(output, b"second\n")
        output.rotate()
        write(output, b"third\n")
        output.rotate()
        write(output, b"fourth\n")
        assert read_back.size_of(path, known) == len(b"first\nsecond\n")
        assert read_back.read_after(path, known, 6, 1000) == b"second\nthird\nfourth\n"
        assert read_back.read_after(path, known, 6, 10) == b"ird\nfourth\n"[-10:]


def test_a_file_that_was_remembered_and_deleted_is_not_found(path: Path) -> None:
    with opened(path) as output:
        write(output, b"line\n")
        known = output.id
        output.rotate()
        archive(path, 1).unlink()
        assert read_back.size_of(path, known) is None


def test_only_a_regular_file_can_be_the_output(tmp_path: Path) -> None:
    check_output(tmp_path / "new")
    (tmp_path / "file").touch()
    check_output(tmp_path / "file")
    with pytest.raises(ConfigError, match="is a directory; choose a file in it"):
        check_output(tmp_path)
    with pytest.raises(ConfigError, match="is not a regular file"):
        check_output(Path("/dev/null"))
    with pytest.raises(ConfigError, match="which is not a directory"):
        check_output(tmp_path / "file" / "below")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match="is a symbolic link"):
        check_output(tmp_path / "loop")
    with pytest.raises(ConfigError, match=r"is below .*/loop, which is not a directory"):
        check_output(tmp_path / "loop" / "messages")


def test_the_names_of_the_archives_must_fit_into_the_file_system(tmp_path: Path) -> None:
    limit_bytes = os.pathconf(tmp_path, "PC_NAME_MAX")
    check_output(tmp_path / "deep" / ("a" * (limit_bytes - 2)))
    with pytest.raises(ConfigError, match=f"too long for its archives: {limit_bytes + 1} of "):
        check_output(tmp_path / "deep" / ("a" * (limit_bytes - 1)))


def test_no_two_exporters_write_one_file_and_the_second_may_when_the_first_has_ended(
    path: Path,
) -> None:
    second = RotatingFile(path, keep_files=3, keep_bytes=0)
    with opened(path) as first:
        with pytest.raises(OutputError, match="Another exporter writes it"):
            second.open()
        first.rotate()
        with pytest.raises(OutputError, match="Another exporter writes it"):
            second.open()
    second.open()
    second.close()


def test_a_file_that_another_process_emptied_can_still_be_rotated(path: Path) -> None:
    with opened(path) as output:
        write(output, b"one\n")
        os.truncate(path, 0)
        output.rotate()
        write(output, b"two\n")
    assert path.read_bytes() == b"two\n"


def test_another_exporter_can_not_take_the_name_that_a_rotation_frees(path: Path) -> None:
    second = RotatingFile(path, keep_files=3, keep_bytes=0)
    with opened(path) as first:
        write(first, b"one\n")
        path.rename(archive(path, 1))
        with pytest.raises(OutputError, match="Another exporter writes it"):
            second.open()
        first.rotate()
        write(first, b"two\n")
        assert (path.read_bytes(), archive(path, 1).read_bytes()) == (b"two\n", b"one\n")
    second.open()
    second.close()
