"""Checkpoints that the previous version wrote are understood: nothing is lost, nothing is repeated."""

import json
import os
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journal_exporter.journal.cursor import parse
from tests.support.exporter import Exporter

Make = Callable[..., Exporter]
DATA = Path(__file__).parent / "checkpoints_1"
MESSAGES = {
    "one-file": 150,
    "users": 300,
    "flushed": 200,
    "runtime-beside-persistent": 200,
}
SLOTS = 4


def edited(checkpoint: bytes, edit: Callable[[dict[str, Any]], None]) -> bytes:
    """Return a checkpoint with each state changed."""
    size = len(checkpoint) // SLOTS
    slots = []
    for number in range(SLOTS):
        head, _, rest = checkpoint[number * size : (number + 1) * size].partition(b"\n")
        magic, body_bytes, _crc = head.rsplit(b" ", 2)
        state = json.loads(rest[: int(body_bytes)])
        edit(state)
        body = json.dumps(state).encode()
        slots.append(b"%s %d %08x\n%s\n" % (magic, len(body), zlib.crc32(body), body))
    return b"".join(slot.ljust(size, b"\0") for slot in slots)


def moved_here(checkpoint: bytes, exporter: Exporter, boot_id: str) -> bytes:
    """Return a checkpoint with paths, boot and inode as they are here."""

    def move(state: dict[str, Any]) -> None:
        state["output"], state["boot_id"] = str(exporter.output), boot_id
        for progress in (state["durable"], state["written"]):
            progress["file"][1] = exporter.output.stat().st_ino

    return edited(checkpoint, move)


def unpacked(name: str, base: Path, exporter: Exporter, *, same_boot: bool = False) -> None:
    """Put a journal below ``base/host``, and output and state where the exporter has them."""
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        archive.extractall(base, filter="data")
    exporter.output.parent.parent.mkdir(exist_ok=True)
    (base / "log").rename(exporter.output.parent)
    (base / "state").rename(exporter.state)
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    path = exporter.state / "checkpoint"
    path.write_bytes(moved_here(path.read_bytes(), exporter, boot_id if same_boot else "b0" * 16))


def check_continued(later: Exporter, base: Path, messages: int) -> None:
    """Run twice; expect each line once."""
    assert later.run() == 0, later.log()
    assert sorted(later.numbers()) == list(range(messages)), later.log()
    assert Counter(later.lines()) == read_afresh(base)
    status = later.status()
    assert status["gaps"]["lost_entries"] == 0
    assert status["lag"]["entries"] == 0
    lines = later.lines()
    assert later.run() == 0, later.log()
    assert later.lines() == lines


def read_afresh(base: Path) -> Counter[bytes]:
    """Return the lines that a first run over the whole journal writes."""
    fresh = Exporter(
        base / "fresh", "--journal-root", str(base / "host"), "--once", "--start", "head"
    )
    assert fresh.run() == 0, fresh.log()
    return Counter(fresh.lines())


@pytest.mark.parametrize("same_boot", [False, True], ids=["another-boot", "same-boot"])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_checkpoint_of_the_previous_version_is_continued_without_loss_or_repetition(
    name: str, tmp_path: Path, exporter: Make, *, same_boot: bool
) -> None:
    later = exporter("--once")
    unpacked(name, tmp_path, later, same_boot=same_boot)
    assert len(later.numbers()) < MESSAGES[name]
    check_continued(later, tmp_path, MESSAGES[name])
    # From here on the checkpoint has a place for each file.
    assert (later.state / "checkpoint").read_bytes().startswith(b"journal-exporter checkpoint 2 ")


@pytest.mark.parametrize("same_boot", [False, True], ids=["another-boot", "same-boot"])
@pytest.mark.parametrize("written_bytes", [0, 1, 3000, 3001, 10_000])
def test_an_append_of_the_previous_version_that_a_kill_tore_is_finished(
    tmp_path: Path, exporter: Make, written_bytes: int, *, same_boot: bool
) -> None:
    later = exporter("--once")
    unpacked("killed", tmp_path, later, same_boot=same_boot)
    os.truncate(later.output, min(written_bytes, later.output.stat().st_size))
    check_continued(later, tmp_path, 100)


def test_a_quiet_journal_is_not_behind_after_the_previous_version(
    tmp_path: Path, exporter: Make
) -> None:
    """Everything was read by the previous version, and nothing new is written."""
    tail = exporter()
    unpacked("killed", tmp_path, tail, same_boot=True)
    tail.start()
    tail.wait_for(lambda: tail.get("/readyz") == (200, "ready\n"), "readiness")
    assert tail.metric("lag_entries") == 0


def test_a_quiet_journal_keeps_its_place_through_starts_after_the_previous_version(
    tmp_path: Path, exporter: Make
) -> None:
    """No new entry stores a place: the first start must store one that later starts understand."""
    later = exporter("--once")
    unpacked("killed", tmp_path, later, same_boot=True)
    checkpoint = later.state / "checkpoint"
    old = checkpoint.read_bytes()
    assert later.run() == 0, later.log()
    newest = later.status()["checkpoint"]["cursor"]

    def read_to_the_end(state: dict[str, Any]) -> None:
        """Change a state to what the previous version would have stored now."""
        numbering = (state["intent"] or state["written"])["position"]["numbering"]
        for one in numbering["ids"]:
            one[1] = parse(newest).seqnum
        place = {"cursor": newest, "numbering": numbering}
        done = {**state["written"], "position": place, "offset": later.output.stat().st_size}
        state.update(intent=None, written=done, durable=done)

    checkpoint.write_bytes(edited(old, read_to_the_end))
    lines = later.lines()
    for _start in range(3):
        assert later.run() == 0, later.log()
        assert later.lines() == lines
        assert later.status()["lag"]["entries"] == 0
