"""What a command names is read whole, or refused in one form: name, reason, fix."""

import argparse
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_observability import cli
from node_observability.errors import UsageError
from node_observability.exit_codes import ERROR
from node_observability.inputs.files import MAX_BYTES, check_readable, read_bytes, read_text


def refusal(name: str | Path, max_bytes: int = MAX_BYTES) -> str:
    with pytest.raises(UsageError) as refused:
        read_text(name, max_bytes)
    return str(refused.value)


def test_line_ends_become_newlines_and_a_byte_order_mark_goes_unless_it_is_wanted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(path) == "a\nb\nc\n"
    assert read_text(path, keep_mark=True) == "\ufeffa\nb\nc\n"
    assert read_bytes(path) == path.read_bytes()


def test_a_dash_is_standard_input_unless_it_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_text("-", stdin=io.BytesIO(b"given")) == "given"
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("a file")
    assert read_text(Path("-")) == "a file"
    with pytest.raises(UsageError, match=r"^standard input: is not UTF-8 \(byte 4\)$"):
        read_text("-", stdin=io.BytesIO(b"a: \xff"))


def test_pipes_devices_and_directories_are_refused_before_they_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        assert refusal(path).startswith(f"{path}: is a pipe or a device, not a file; ")
    assert refusal(tmp_path) == f"{tmp_path}: can't be read: Is a directory"
    assert refusal("a\0b").endswith("can't be read: the name contains a NUL")


def test_what_the_shell_opened_is_read() -> None:
    for directory in ("/dev/fd", "/proc/self/fd"):
        reading, writing = os.pipe()
        os.write(writing, b"a\r\nb\n")
        os.close(writing)
        try:
            check_readable(Path(f"{directory}/{reading}"))
            assert read_text(Path(f"{directory}/{reading}")) == "a\nb\n"
        finally:
            os.close(reading)


def test_a_file_that_is_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.conf"
    path.touch()
    # More than fits into memory: no more than the bound may be read.
    os.truncate(path, 1 << 42)
    assert refusal(path) == f"{path}: is larger than 64 MiB; is this the right file?"
    os.truncate(path, MAX_BYTES + 1)
    assert "is larger than 64 MiB" in refusal(path)
    os.truncate(path, 64 * 1024 + 1)
    assert "is larger than 64 KiB" in refusal(path, 64 * 1024)
    os.truncate(path, 64 * 1024)
    assert len(read_text(path, max_bytes=64 * 1024)) == 64 * 1024


class Endless(io.RawIOBase):
    """An input without end; reading all of it is an error."""

    def read(self, size: int = -1, /) -> bytes:
        assert size >= 0
        return b"\0" * size


def test_standard_input_without_end_is_read_up_to_the_bound_and_refused() -> None:
    with pytest.raises(UsageError, match=r"^standard input: is larger than 64 KiB"):
        read_bytes("-", 64 * 1024, stdin=Endless())  # type: ignore[arg-type] # RawIOBase is not BinaryIO


def test_the_fix_that_a_caller_knows_ends_the_error() -> None:
    with pytest.raises(UsageError, match=r"^no: can't be read: No such file or directory; do x$"):
        read_text("no", fix="do x")


def _file_flags(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _file_flags(command)
        elif action.metavar in ("FILE", "SOURCE", "CASES"):
            yield action


@pytest.mark.parametrize(
    ("command", "count"),
    [("coverage", 2), ("nodegroup", 4), ("parsers", 8), ("zabbix", 23)],
)
def test_no_command_takes_an_empty_name_which_an_unset_variable_of_the_shell_is(
    command: str, count: int
) -> None:
    flags = list(_file_flags(cli.parser(command)))
    assert len(flags) == count
    for flag in flags:
        assert callable(flag.type)
        with pytest.raises(
            argparse.ArgumentTypeError, match=r"the name is empty; give the name of a file"
        ):
            flag.type("")
        assert str(flag.type("a")) == "a"


@pytest.mark.parametrize(
    "line", ["coverage --nodes", "parsers test --junit", "zabbix render --output"]
)
def test_an_empty_name_is_an_error_instead_of_a_missing_flag(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*line.split(), ""])
    assert ended.value.code == ERROR
    printed = capsys.readouterr()
    assert printed.out == ""
    flag = line.rsplit(maxsplit=1)[-1]
    assert printed.err.splitlines()[-1].endswith(
        f"argument {flag}: the name is empty; give the name of a file"
    )
