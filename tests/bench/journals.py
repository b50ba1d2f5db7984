"""The reference journals: always the same entries, made once and kept below .cache/bench."""

import shutil
from contextlib import closing
from pathlib import Path

from systemd._reader import _Reader

from tests.bench.report import say
from tests.support.paths import ROOT
from tools.sample_journal import MACHINE_ID, realistic, write_journal

__all__ = ["ENTRIES", "reference", "warm"]

ENTRIES = 500_000
_CACHE = ROOT / ".cache" / "bench"
_REVISION = 1
_START_REALTIME_US = 1_750_000_000_000_000
_STEP_US = 100_000
_SEED = 1
_BOOT_ID = "6f1d8a52c3de4d0d9d4f7f5c5a0b9e11"
_CHUNK_BYTES = 1 << 20


def reference(*, compressed: bool, entries: int = ENTRIES) -> Path:
    """Return a directory like /var/log/journal with so many entries; make it at the first call.

    By default the files have Bottlerocket's format, `compressed` means that of other systems today.
    """
    name = f"{'compressed' if compressed else 'plain'}-{entries}-{_REVISION}"
    directory = _CACHE / name
    if directory.exists():
        return directory
    say(f"making the reference journal {directory}")
    unfinished = directory.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    path = unfinished / MACHINE_ID / "system.journal"
    path.parent.mkdir(parents=True)
    stream = realistic(
        entries,
        start_realtime_us=_START_REALTIME_US,
        step_us=_STEP_US,
        seed=_SEED,
        boot_id=_BOOT_ID,
    )
    write_journal(path, stream, compressed=compressed)
    unfinished.rename(directory)
    return directory


def warm(directory: Path) -> tuple[int, int]:
    """Read all files into the page cache; return their size in bytes, and how many entries.

    These may be a few more than were asked for: systemd-journal-remote repeats one now and then
    when it begins a new file.
    """
    size_bytes = entries = 0
    for path in sorted(directory.rglob("*.journal")):
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                size_bytes += len(chunk)
    with closing(_Reader(flags=0, path=str(directory))) as reader:
        while reader._next():
            entries += 1
    return size_bytes, entries
