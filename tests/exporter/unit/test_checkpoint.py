"""The slots of the checkpoint: a whole state is always found, and a failed write is never taken for one."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from journal_exporter.errors import ConfigError, OutputError
from journal_exporter.journal.copies import Copies
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.position import Position
from journal_exporter.journal.sequence import RECENT_GAPS, SequenceTracker
from journal_exporter.output.checkpoint import (
    NAME,
    CheckpointFile,
    DamagedCheckpointError,
    Intent,
    Progress,
    State,
    load,
)
from journal_exporter.output.file_id import FileId
from tests.support.fakes import BOOT, FILE_ID, SEQNUM_ID, START_US, cursor, read_up_to
from tests.support.faults import file_size_limit
from tests.support.paths import ROOT
from tests.support.tools import need

SLOT_BYTES = 32768
"""Of a state with a few files."""
FILE = FileId(1, 2, 3, 4)


def position(number: int, files: int = 1) -> Position:
    """Return the place after an entry of the first file, and at the start of others."""
    others = {f"{n:032x}": read_up_to(0, held=9) for n in range(1, files)}
    return Position(cursor(number).text, {FILE_ID: read_up_to(number), **others})


def state(offset: int = 100, files: int = 1) -> State:
    progress = Progress(position(offset, files), FILE, offset)
    return State("out", "boot", "hash", durable=progress, written=progress, journal=[])


def full(files: int = 1) -> State:
    """Return a state in which every field has a value, and every place is another one."""
    sequence = SequenceTracker()
    sequence.add(sequence.epoch_of("3a" * 16, SEQNUM_ID, BOOT, 1), [1, 5])
    for number in range(RECENT_GAPS + 1):
        sequence.count(Gap(number, 2**63, 2**62), 2**53)
    copies = Copies()
    copies.note(FILE_ID, "3a" * 16, [cursor(7).head])
    newest = dataclasses.replace(
        position(7, files), sequences=sequence.snapshot(), copies=tuple(copies.snapshot())
    )
    return State(
        output="/" + "o" * 255,
        boot_id="boot",
        render_hash="hash",
        durable=Progress(position(2**30, files), FILE, 2**62),
        # Of the files of the durable place one has grown, one is new, and the others are gone.
        written=Progress(position(2**31, 1), FILE, 2**62 + 1),
        intent=Intent(newest, 2**62 + 2, "3 journal entries lost\n"),
        journal=["/var/log/journal", "/run/log/journal"],
        file_since_s=1.5,
    )


def store(directory: Path, *states: State, synced: bool = True) -> None:
    with closing(CheckpointFile(directory)) as checkpoint:
        for each in states:
            checkpoint.store(each)
        if synced:
            checkpoint.sync()


def loaded(directory: Path) -> State:
    found = load(directory)
    assert found is not None
    return found


def same(found: State | None, wanted: State) -> bool:
    return found is not None and dataclasses.replace(found, generation=0) == wanted


def test_without_a_checkpoint_there_is_none_to_load(tmp_path: Path) -> None:
    assert load(tmp_path) is None


@pytest.mark.parametrize("count", range(1, 6))
def test_the_newest_state_is_found_after_any_number_of_them(tmp_path: Path, count: int) -> None:
    store(tmp_path, *(state(n) for n in range(count)))
    assert loaded(tmp_path).written.offset == count - 1


@pytest.mark.parametrize("files", [1, 2, 40])
def test_every_field_comes_back(tmp_path: Path, files: int) -> None:
    store(tmp_path, full(files))
    assert same(load(tmp_path), full(files))


def test_the_newest_place_is_that_of_an_append_that_was_announced() -> None:
    intent = full().intent
    assert intent is not None
    assert full().newest == intent.position
    assert state(3).newest == position(3)


def test_places_are_stored_as_differences_to_the_durable_one() -> None:
    data = json.loads(state(5, files=40).to_json())
    assert len(data["durable"]["position"]["files"]) == 40
    assert data["written"]["position"]["files"] == {}


@pytest.mark.parametrize("files", [1000, 3000])
def test_a_state_larger_than_its_slot_gets_larger_slots(tmp_path: Path, files: int) -> None:
    store(tmp_path, state(1), state(2, files))
    assert same(load(tmp_path), state(2, files))
    size_bytes = (tmp_path / NAME).stat().st_size
    assert size_bytes > 4 * len(state(2, files).to_json())
    store(tmp_path, dataclasses.replace(state(3, files), generation=2))
    store(tmp_path, dataclasses.replace(state(4), generation=3))
    assert same(load(tmp_path), state(4))
    assert (tmp_path / NAME).stat().st_size == size_bytes


def test_larger_slots_that_a_full_disk_refuses_leave_the_state_before(tmp_path: Path) -> None:
    store(tmp_path, state(1))
    checkpoint = CheckpointFile(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 * SLOT_BYTES, before[1]))
    try:
        with pytest.raises(OutputError):
            checkpoint.store(state(2, files=1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert same(load(tmp_path), state(1))
    checkpoint.store(state(2, files=1000))
    checkpoint.close()
    assert same(load(tmp_path), state(2, files=1000))


@pytest.mark.parametrize("slot", range(4))
def test_any_one_slot_of_a_checkpoint_of_the_previous_version_is_understood(
    tmp_path: Path, slot: int
) -> None:
    numbering = {
        "ids": [[SEQNUM_ID, 7, BOOT, 7000, 1, 1, 7]],
        "read": 7,
        "lost": 3,
        "gaps": 1,
        "recent": [[2, 4, START_US]],
    }
    place = {"cursor": cursor(7).text, "numbering": numbering}
    progress = {"position": place, "file": [1, 2, 3, 4], "offset": 100}
    body = json.dumps(
        {
            "output": "out",
            "boot_id": "boot",
            "render_hash": "hash",
            "durable": progress,
            "written": progress,
            "intent": {"position": place, "end_offset": 200},
            "journal": ["/a"],
            "file_since_s": 1.5,
            "generation": 9,
        }
    ).encode()
    written = b"journal-exporter checkpoint 1 %d %08x\n%s\n" % (len(body), zlib.crc32(body), body)
    slots = [bytes(16384)] * 4
    slots[slot] = written.ljust(16384, b"\0")
    (tmp_path / NAME).write_bytes(b"".join(slots))
    position_1 = Position(cursor(7).text, None, numbering)
    progress_1 = Progress(position_1, FILE, 100)
    expected = State(
        output="out",
        boot_id="boot",
        render_hash="hash",
        durable=progress_1,
        written=progress_1,
        intent=Intent(position_1, 200),
        journal=["/a"],
        file_since_s=1.5,
        generation=9,
    )
    assert load(tmp_path) == expected
    # The slots of that version are too small for many files, and are replaced by larger ones.
    store(tmp_path, dataclasses.replace(state(8, files=200), generation=9))
    newest = load(tmp_path)
    assert same(newest, state(8, files=200))
    assert newest is not None
    assert newest.generation == 10


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 200])
def test_a_slot_that_is_torn_leaves_the_state_before(tmp_path: Path, cut: int) -> None:
    store(tmp_path, state(1), state(2), synced=False)
    path = tmp_path / NAME
    data = bytearray(path.read_bytes())
    newest = max((0, SLOT_BYTES), key=lambda at: b'"generation":2' in data[at : at + SLOT_BYTES])
    data[newest + cut : newest + cut + 200] = b"\0" * 200
    path.write_bytes(data)
    assert same(load(tmp_path), state(1))


def test_a_state_with_one_wrong_digit_is_not_taken(tmp_path: Path) -> None:
    store(tmp_path, state(100), state(100), synced=False)
    path = tmp_path / NAME
    data = path.read_bytes()
    assert b'"offset":100' in data
    path.write_bytes(data.replace(b'"offset":100', b'"offset":900'))
    with pytest.raises(DamagedCheckpointError):
        load(tmp_path)


def slots(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[at : at + SLOT_BYTES] for at in range(0, len(data), SLOT_BYTES)]


def damage_changed_slots(path: Path, before: list[bytes]) -> int:
    """Destroy every slot that was written since ``before``; return how many there are."""
    changed = [new != old for new, old in zip(slots(path), before, strict=True)]
    kept = zip(changed, before, strict=True)
    path.write_bytes(b"".join(bytes(SLOT_BYTES) if torn else old for torn, old in kept))
    return sum(changed)


def test_a_kill_while_any_state_is_stored_leaves_the_state_before(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with closing(CheckpointFile(tmp_path)) as checkpoint:
        checkpoint.store(state(0))
        for number in range(1, 6):
            before = slots(path)
            checkpoint.store(state(number))
            whole = path.read_bytes()
            assert damage_changed_slots(path, before) == 1
            assert same(load(tmp_path), state(number - 1))
            path.write_bytes(whole)


def test_a_power_cut_during_any_sync_leaves_the_state_of_the_sync_before(tmp_path: Path) -> None:
    """None of the slots written since then has to be on the disk."""
    path = tmp_path / NAME
    with closing(CheckpointFile(tmp_path)) as checkpoint:
        checkpoint.store(state(0))
        checkpoint.sync()
        for number in range(1, 6):
            before = slots(path)
            for each in (state(10 * number), state(10 * number + 1), state(number)):
                checkpoint.store(each)
            checkpoint.sync()
            whole = path.read_bytes()
            assert damage_changed_slots(path, before) == 3
            assert same(load(tmp_path), state(number - 1))
            path.write_bytes(whole)


@pytest.mark.parametrize("syncs", [1, 2, 3])
def test_a_power_cut_that_damages_both_running_slots_leaves_the_synced_one(
    tmp_path: Path, syncs: int
) -> None:
    with closing(CheckpointFile(tmp_path)) as checkpoint:
        for number in range(syncs):
            checkpoint.store(state(number))
            checkpoint.sync()
        checkpoint.store(state(10))
        checkpoint.store(state(11))
    path = tmp_path / NAME
    path.write_bytes(b"\0" * 2 * SLOT_BYTES + path.read_bytes()[2 * SLOT_BYTES :])
    assert same(load(tmp_path), state(syncs - 1))


def test_a_later_run_continues_the_generations(tmp_path: Path) -> None:
    store(tmp_path, *(state(n) for n in range(4)))
    generation = loaded(tmp_path).generation
    store(tmp_path, dataclasses.replace(state(9), generation=generation))
    assert loaded(tmp_path).written.offset == 9
    assert loaded(tmp_path).generation == generation + 1


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\0" * 2 * SLOT_BYTES, b"\n\n{}\n"])
def test_garbage_is_set_aside_only_when_there_is_a_new_state(
    tmp_path: Path, garbage: bytes
) -> None:
    path = tmp_path / NAME
    for number in (1, 2):
        path.write_bytes(garbage)
        with pytest.raises(DamagedCheckpointError, match="checkpoint is not a valid checkpoint"):
            load(tmp_path)
        for _attempt in range(2):
            # A kill before the new state leaves the file where it is, for the next start to find.
            with closing(CheckpointFile(tmp_path)) as checkpoint:
                assert checkpoint.set_aside() == tmp_path / f"checkpoint.damaged-{number}"
            assert path.read_bytes() == garbage
        with closing(CheckpointFile(tmp_path)) as checkpoint:
            checkpoint.set_aside()
            checkpoint.store(state(1))
            checkpoint.store(state(2))
        assert same(load(tmp_path), state(2))
        path.unlink()
    kept = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert kept == {"checkpoint.damaged-1": garbage, "checkpoint.damaged-2": garbage}


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[]", b"{}", b"null", b"9" * 5000])
def test_a_slot_whose_checksum_fits_and_whose_content_does_not_is_damaged(
    tmp_path: Path, body: bytes
) -> None:
    packed = b"journal-exporter checkpoint 2 %d %08x\n%s\n" % (len(body), zlib.crc32(body), body)
    (tmp_path / NAME).write_bytes(packed.ljust(4 * len(packed), b"\0"))
    with pytest.raises(DamagedCheckpointError):
        load(tmp_path)


@pytest.mark.parametrize("error", ["EPERM", "EOPNOTSUPP"])
def test_garbage_is_renamed_on_a_file_system_without_links(tmp_path: Path, error: str) -> None:
    (tmp_path / NAME).write_bytes(b"garbage")
    code = (
        "import sys; from pathlib import Path; from journal_exporter.output.checkpoint import"
        " CheckpointFile; print(CheckpointFile(Path(sys.argv[1])).set_aside().name)"
    )
    injection = ("-e", f"inject=link,linkat:error={error}")
    done = subprocess.run(
        [
            *(need("strace"), "-qq", "-o", "/dev/null", *injection),
            *(sys.executable, "-c", code, tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "checkpoint.damaged-1\n"
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept == {"checkpoint.damaged-1": b"garbage"}


@pytest.mark.parametrize("version", [3, 10, 9999])
def test_a_checkpoint_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, version: int
) -> None:
    store(tmp_path, state(1))
    path = tmp_path / NAME
    newer = path.read_bytes().replace(b"checkpoint 2 ", b"checkpoint %d " % version)
    path.write_bytes(newer)
    with pytest.raises(ConfigError, match="is the checkpoint of a newer version; run") as refused:
        load(tmp_path)
    assert not isinstance(refused.value, DamagedCheckpointError)
    assert path.read_bytes() == newer


def test_a_checkpoint_that_is_a_pipe_is_an_error_that_names_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(
        ConfigError, match=r"can't read .*checkpoint: Not a regular file; move it away"
    ):
        load(tmp_path)


def test_a_checkpoint_that_is_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(
        ConfigError, match=r"can't read .*checkpoint: Not a regular file; move it away"
    ):
        load(tmp_path)


def test_a_checkpoint_that_is_too_large_is_damaged_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / NAME).open("wb") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(DamagedCheckpointError):
        load(tmp_path)


def test_a_pipe_in_the_place_of_the_new_file_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{NAME}.new")
    with closing(CheckpointFile(tmp_path)) as file:
        file.store(state())
    assert load(tmp_path) is not None


def test_a_missing_directory_is_an_error_to_wait_for(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="writing"):
        store(tmp_path / "missing", state(1))


def test_a_directory_that_was_removed_is_prepared_again(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    with closing(CheckpointFile(directory, lambda: directory.mkdir(exist_ok=True))) as checkpoint:
        assert not checkpoint.is_removed()
        checkpoint.store(state(1))
        assert not checkpoint.is_removed()
        directory.rename(tmp_path / "removed")
        assert checkpoint.is_removed()
        checkpoint.store(state(2))
        assert not checkpoint.is_removed()
    assert loaded(directory).written.offset == 2


def test_there_is_room_for_every_slot_from_the_start(tmp_path: Path) -> None:
    """So that a full disk can refuse no later state."""
    store(tmp_path, state(1))
    status = (tmp_path / NAME).stat()
    assert status.st_size == 4 * SLOT_BYTES
    assert status.st_blocks * 512 >= 4 * SLOT_BYTES
    assert status.st_mode & 0o777 == 0o600


@pytest.mark.parametrize("limit_bytes", [100, 4096, SLOT_BYTES, SLOT_BYTES + 100])
def test_a_first_state_that_a_full_disk_cuts_short_is_an_error_and_leaves_no_checkpoint(
    tmp_path: Path, limit_bytes: int
) -> None:
    """The kernel writes what fits and says how much that was; the rest is refused the next time."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        with pytest.raises(OutputError):
            store(tmp_path, full())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert load(tmp_path) is None
    store(tmp_path, full())
    assert same(load(tmp_path), full())


def test_a_later_state_that_is_cut_short_is_an_error_and_the_one_before_stays(
    tmp_path: Path,
) -> None:
    store(tmp_path, state(1), state(2))
    generation = loaded(tmp_path).generation
    limit_bytes = SLOT_BYTES + 100 if generation % 2 == 0 else 100
    with file_size_limit(limit_bytes), pytest.raises(OutputError):
        store(tmp_path, dataclasses.replace(state(3), generation=generation))
    assert same(load(tmp_path), state(2))
