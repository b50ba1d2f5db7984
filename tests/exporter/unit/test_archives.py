"""The names of a rotated file, and rotations that are taken up after any rename."""

import itertools
from pathlib import Path

import pytest

from journal_exporter.output.archives import MAX_KEEP_FILES, archive, newest_first, shift, surplus

OUTPUT = Path("/var/log/messages")
KEEP = 5


def test_archives_are_numbered_with_one_digit() -> None:
    assert archive(OUTPUT, 1) == Path("/var/log/messages.1")
    assert MAX_KEEP_FILES == 9
    assert newest_first(OUTPUT)[-1] == Path("/var/log/messages.9")


def test_a_suffix_of_the_output_is_kept() -> None:
    assert archive(Path("/var/log/messages.log"), 2) == Path("/var/log/messages.log.2")


def test_the_live_file_is_the_newest() -> None:
    assert newest_first(OUTPUT, 2) == [OUTPUT, archive(OUTPUT, 1), archive(OUTPUT, 2)]


def test_a_first_rotation_renames_the_live_file_alone() -> None:
    assert shift(OUTPUT, (), KEEP) == [(OUTPUT, archive(OUTPUT, 1))]


def test_a_rotation_fills_the_lowest_free_number_and_leaves_older_files_alone() -> None:
    assert shift(OUTPUT, {1, 2, 4}, KEEP) == [
        (archive(OUTPUT, 2), archive(OUTPUT, 3)),
        (archive(OUTPUT, 1), archive(OUTPUT, 2)),
        (OUTPUT, archive(OUTPUT, 1)),
    ]


def test_without_a_free_number_there_is_no_rotation() -> None:
    with pytest.raises(ValueError, match="1 to 5 all exist"):
        shift(OUTPUT, range(1, KEEP + 1), KEEP)


def test_an_archive_beyond_the_limit_does_not_matter() -> None:
    assert shift(OUTPUT, {7}, KEEP) == [(OUTPUT, archive(OUTPUT, 1))]


def rename_all(files: dict[Path, str], renames: list[tuple[Path, Path]]) -> None:
    for old, new in renames:
        assert new not in files, f"{old} would replace {new}"
        files[new] = files.pop(old)


@pytest.mark.parametrize(
    "existing",
    [subset for size in range(KEEP) for subset in itertools.combinations(range(1, KEEP + 1), size)],
    ids=str,
)
def test_a_rotation_resumes_after_any_rename(existing: tuple[int, ...]) -> None:
    files = {OUTPUT: "live"} | {archive(OUTPUT, number): f"old {number}" for number in existing}
    order = [files[path] for path in newest_first(OUTPUT) if path in files]
    renames = shift(OUTPUT, existing, KEEP)
    for killed_after in range(len(renames)):
        left = dict(files)
        rename_all(left, renames[:killed_after])
        numbers = [number for number in range(1, KEEP + 1) if archive(OUTPUT, number) in left]
        rename_all(left, shift(OUTPUT, numbers, KEEP))
        assert OUTPUT not in left
        assert [left[path] for path in newest_first(OUTPUT) if path in left] == order


@pytest.mark.parametrize(
    ("sizes", "live", "keep", "gone"),
    [
        ([], 0, 100, 0),
        ([50, 50], 0, 100, 0),
        ([50, 51], 0, 100, 1),
        ([50, 50], 1, 100, 1),
        ([10, 200, 10], 0, 100, 2),
        ([10, 10], 101, 100, 2),
        ([10, 10], 10**9, 0, 0),
    ],
    ids=["none", "fits", "oldest", "live-counts", "younger-than-big", "live-alone", "no-limit"],
)
def test_the_oldest_archives_are_deleted_until_the_rest_fits(
    sizes: list[int], live: int, keep: int, gone: int
) -> None:
    assert surplus(sizes, live, keep) == gone
