"""What was logged, what must be in the files, and the verdict on what is there.

Every message has a number, in SYSLOG_IDENTIFIER. How it is rendered is written down here by hand and not
taken from the exporter's formatter.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tools.sample_journal import export_entry, write_journal

BOOT = "6f1d3a52b8b04c3d9a0c2f2d3b9e1f00"
START_US = 1_794_090_800_000_000
STEP_US = 700
HUGE_BYTES = 100_000
_DIFFERENCES = 5

KINDS = (
    (b"plain text of a usual length, as most messages are: %s" % (b"." * 60), None),
    (b"two\nlines, and a tab\t", b"two#012lines, and a tab#011"),
    (b"", None),
    ("größer, 日本語".encode(), None),
    (b"\xff\xfe invalid \xc3", "\ufffd\ufffd invalid \ufffd".encode()),
    (
        b"nul \0, escape \x1b[1m, next line \xc2\x85",
        b"nul #000, escape #033[1m, next line #302#205",
    ),
    (b"\n", b"#012"),
    (b"the same text every time", None),
)


def _message(number: int, huge: Collection[int]) -> tuple[bytes, bytes]:
    if number in huge:
        text = b"x" * HUGE_BYTES
        return text, text
    raw, rendered = KINDS[number % len(KINDS)]
    return raw, raw if rendered is None else rendered


def entry(number: int, huge: Collection[int] = ()) -> bytes:
    """Return the journal entry with this number, in the export format."""
    return export_entry(
        [
            ("__REALTIME_TIMESTAMP", b"%d" % (START_US + number * STEP_US)),
            ("__MONOTONIC_TIMESTAMP", b"%d" % (1_000_000 + number * STEP_US)),
            ("_BOOT_ID", BOOT.encode()),
            ("_HOSTNAME", b"node"),
            ("PRIORITY", b"6"),
            ("SYSLOG_IDENTIFIER", b"m%06d" % number),
            ("MESSAGE", _message(number, huge)[0]),
        ]
    )


def line(number: int, huge: Collection[int] = ()) -> bytes:
    """Return the line of the entry with this number."""
    second, rest_us = divmod(START_US + number * STEP_US, 1_000_000)
    when = dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return b"%s.%06d+00:00 node m%06d: %s\n" % (
        when.encode(),
        rest_us,
        number,
        _message(number, huge)[1],
    )


@dataclass(frozen=True, slots=True)
class Oracle:
    """A journal, and the lines that it must become."""

    journal: Path
    lines: list[bytes]

    @classmethod
    def written(cls, directory: Path, count: int, huge: Collection[int] = ()) -> Self:
        """Write a journal of numbered messages."""
        write_journal(directory / "system.journal", (entry(n, huge) for n in range(count)))
        return cls(directory, [line(n, huge) for n in range(count)])


def names(output: Path) -> list[Path]:
    """Return archives and file that exist, oldest first."""
    archives = (output.with_name(f"{output.name}.{number}") for number in range(9, 0, -1))
    return [path for path in (*archives, output) if path.exists()]


def lines(output: Path) -> list[bytes]:
    """Return the lines of archives and file, oldest first."""
    data = b"".join(path.read_bytes() for path in names(output))
    return data.splitlines(keepends=True)


def judge(got: list[bytes], wanted: list[bytes]) -> str:
    """Return what is wrong with the lines; an empty text when they are as they must be."""
    if got == wanted:
        return ""
    lost = _missing(wanted, got)
    surplus = _missing(got, wanted)
    first = next(
        (n for n, pair in enumerate(zip(got, wanted, strict=False)) if pair[0] != pair[1]),
        min(len(got), len(wanted)),
    )
    return (
        f"{len(got)} lines for {len(wanted)}; lost {_shown(lost)}; repeated or damaged"
        f" {_shown(surplus)}; first difference at line {first}:"
        f" {_shown(got[first : first + 1])} for {_shown(wanted[first : first + 1])}"
    )


def _missing(those: list[bytes], among: list[bytes]) -> list[bytes]:
    left: dict[bytes, int] = {}
    for text in among:
        left[text] = left.get(text, 0) + 1
    missing = []
    for text in those:
        if left.get(text, 0):
            left[text] -= 1
        else:
            missing.append(text)
    return missing


def _shown(texts: Iterable[bytes]) -> str:
    found = list(texts)
    return f"{len(found)} {[text[:60] for text in found[:_DIFFERENCES]]}"


class Witness:
    """Remembers every file by its inode, and notices if one shrinks, changes or is replaced."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._known: dict[int, tuple[str, bytes]] = {}
        self.may_delete = False
        """Whether archives may go. A link to each then keeps its inode number from being used again."""

    def look(self) -> str:
        """Compare the files with the last call, while none is written; return the forbidden changes."""
        now = {path.stat().st_ino: (path.name, path.read_bytes()) for path in names(self._output)}
        problems = []
        for inode, (name, data) in self._known.items():
            found = now.get(inode)
            if found is None and self.may_delete:
                continue
            if found is None:
                problems.append(f"{name} has gone: it was deleted, or copied instead of renamed")
            elif len(found[1]) < len(data):
                problems.append(f"{name}, now {found[0]}, shrank: {len(data)} to {len(found[1])}")
            elif not found[1].startswith(data):
                problems.append(f"{name}, now {found[0]}, was rewritten")
            elif name != self._output.name and found[1] != data:
                problems.append(f"the archive {name}, now {found[0]}, was appended to")
        for name, data in now.values():
            if name != self._output.name and data[-1:] not in (b"\n", b""):
                problems.append(f"{name} does not end with a line's end: {data[-40:]!r}")
        self._known = now
        if self.may_delete:
            self._keep(now)
        return "; ".join(problems)

    def _keep(self, inodes: Collection[int]) -> None:
        kept = self._output.parent.with_name("kept")
        kept.mkdir(exist_ok=True)
        for path in names(self._output):
            link = kept / str(path.stat().st_ino)
            if path.stat().st_ino in inodes and not link.exists():
                link.hardlink_to(path)
