"""A file is replaced whole, or stays as it was."""

import stat
from pathlib import Path

import pytest

from node_observability.errors import ToolboxError
from node_observability.outputs import write_text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_exists_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "a\n", newline="\r\n")
    assert (path.read_bytes(), mode(path), link.is_symlink()) == (b"a\r\n", 0o640, True)


def test_only_its_owner_may_read_a_file_with_secrets(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_text(path, "new", secret=True)
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_a_failed_write_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("/dev/full", "No space left on device"), ("/", "Is a directory"), ("/no/file", "No such")],
)
def test_what_cannot_be_written_is_an_error_with_the_name(name: str, reason: str) -> None:
    with pytest.raises(ToolboxError, match=f"^{name}: can't be written: {reason}"):
        write_text(name, "text")
