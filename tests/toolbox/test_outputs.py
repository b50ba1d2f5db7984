"""A file is replaced whole, or stays as it was."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from node_observability.errors import ToolboxError
from node_observability.outputs import write_text
from tests.support.faults import file_size_limit
from tests.support.paths import ROOT
from tests.support.tools import need


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


@pytest.mark.parametrize(("secret", "expected"), [(False, 0o640), (True, 0o600)])
def test_a_new_file_has_the_mode_that_the_umask_leaves_and_a_secret_its_own(
    tmp_path: Path, *, secret: bool, expected: int
) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file", "new", secret=secret)
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == expected


def test_a_failed_write_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ToolboxError, match=r"file: can't be written: U\+D800 is not a character$"):
        write_text(path, "new \ud800")
    with (
        file_size_limit(100),
        pytest.raises(ToolboxError, match="can't be written: File too large"),
    ):
        write_text(path, "new" * 100)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_disk_before_it_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path, trace = tmp_path / "file", tmp_path / "trace"
    path.write_text("old")
    code = (
        "import sys; from node_observability.outputs import write_text; write_text(*sys.argv[1:])"
    )
    subprocess.run(
        [
            *(need("strace"), "-qq", "-y", "-e", "trace=fsync,rename", "-o", trace),
            *(sys.executable, "-c", code, path, "new"),
        ],
        cwd=ROOT,
        check=True,
    )
    calls = re.findall(r'^(fsync|rename)\((?:\d+<|")([^">]+)', trace.read_text(), re.MULTILINE)
    assert [call for call, _ in calls] == ["fsync", "rename"]
    assert calls[0][1] == calls[1][1] != str(path)
    assert path.read_text() == "new"


def test_a_dash_is_standard_output_and_a_path_named_so_is_a_file(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    print("first")  # noqa: T201 - that is what is tested
    write_text("-", "\u2603\n", newline="\r\n")
    assert capfdbinary.readouterr().out == b"first\n" + "\u2603\r\n".encode()
    assert list(tmp_path.iterdir()) == []
    write_text(Path("-"), "file")
    assert Path("-").read_text() == "file"


def test_a_document_comes_after_what_was_printed_before_it() -> None:
    code = "from node_observability.outputs import write_text; print('a'); write_text('-', 'b'); print('c')"
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=buffered, capture_output=True, check=True
    )
    assert done.stdout == b"a\nbc\n"


@pytest.mark.parametrize("name", ["a" * 255, "\u2603" * 85], ids=["letters", "snowmen"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "new")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/dev/full", "No space left on device"),
        ("/", "Is a directory"),
        ("/no/file", "No such"),
        ("/dev/null/file", "Not a directory"),
        ("/" + "a" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_an_error_with_the_name(name: str, reason: str) -> None:
    with pytest.raises(ToolboxError, match=f"^{name}: can't be written: {reason}"):
        write_text(name, "text")
