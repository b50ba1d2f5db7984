"""The slots of the checkpoint: a whole state is always found, and a failed write is never taken for one."""

import dataclasses
from contextlib import closing
from pathlib import Path

import pytest

from journal_exporter.errors import ConfigError, OutputError
from journal_exporter.journal.batch import Position
from journal_exporter.journal.sequence import MAX_IDS, RECENT_GAPS
from journal_exporter.output.checkpoint import NAME, CheckpointFile, Intent, Progress, State, load
from journal_exporter.output.file_id import FileId
from tests.support.fakes import cursor
from tests.support.faults import file_size_limit

SLOT_BYTES = 16384
FILE = FileId(1, 2, 3, 4)


def state(offset: int = 100, sequence: dict[str, object] | None = None) -> State:
    position = Position(cursor(offset).text)
    if sequence is not None:
        position = Position(position.cursor, sequence)
    progress = Progress(position, FILE, offset)
    return State("out", "boot", "hash", durable=progress, written=progress, journal=[])


def largest() -> State:
    """Return a state with as many sequences and gaps as are ever kept."""
    sequence: dict[str, object] = {
        "ids": [[f"{n:032x}", 2**63, "b0" * 16, 2**62, n] for n in range(MAX_IDS)],
        "lost": 2**63,
        "gaps": 2**31,
        "recent": [[2**62, 2**63, 2**62]] * RECENT_GAPS,
    }
    full = state(2**62, sequence)
    return dataclasses.replace(
        full,
        intent=Intent(full.written.position, 2**62),
        output="/" + "o" * 255,
        journal=["/var/log/journal", "/run/log/journal"],
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


def test_every_field_comes_back(tmp_path: Path) -> None:
    full = dataclasses.replace(largest(), file_since_s=1.5, journal=["/a"])
    store(tmp_path, full)
    assert same(load(tmp_path), full)
    assert full.newest == full.intent.position if full.intent else None
    assert state(3).newest.cursor == cursor(3).text


def test_a_state_as_large_as_can_be_fits_its_slot(tmp_path: Path) -> None:
    assert len(largest().to_json()) < SLOT_BYTES - 100
    store(tmp_path, largest(), largest())


def test_a_state_larger_than_its_slot_is_a_bug_and_is_not_written(tmp_path: Path) -> None:
    store(tmp_path, state(1))
    too_large = dataclasses.replace(state(2), output="x" * SLOT_BYTES)
    with pytest.raises(ValueError, match="exceeds its slot"):
        store(tmp_path, too_large)
    assert same(load(tmp_path), state(1))


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 200])
def test_a_slot_that_is_torn_leaves_the_state_before(tmp_path: Path, cut: int) -> None:
    store(tmp_path, state(1), state(2), synced=False)
    path = tmp_path / NAME
    data = bytearray(path.read_bytes())
    newest = max((0, SLOT_BYTES), key=lambda at: b'"generation":2' in data[at : at + SLOT_BYTES])
    data[newest + cut : newest + cut + 200] = b"\0" * 200
    path.write_bytes(data)
    assert same(load(tmp_path), state(1))


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
def test_garbage_is_an_error_that_names_the_file_and_is_left_alone(
    tmp_path: Path, garbage: bytes
) -> None:
    path = tmp_path / NAME
    path.write_bytes(garbage)
    with pytest.raises(ConfigError, match=r"checkpoint is not a valid checkpoint.* move it away"):
        load(tmp_path)
    assert path.read_bytes() == garbage


def test_a_checkpoint_that_is_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ConfigError, match=r"can't read .*checkpoint"):
        load(tmp_path)


def test_a_missing_directory_is_an_error_to_wait_for(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="writing"):
        store(tmp_path / "missing", state(1))


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
    with file_size_limit(limit_bytes), pytest.raises(OutputError):
        store(tmp_path, largest())
    assert load(tmp_path) is None
    store(tmp_path, largest())
    assert same(load(tmp_path), largest())


def test_a_later_state_that_is_cut_short_is_an_error_and_the_one_before_stays(
    tmp_path: Path,
) -> None:
    store(tmp_path, state(1), state(2))
    generation = loaded(tmp_path).generation
    limit_bytes = SLOT_BYTES + 100 if generation % 2 == 0 else 100
    with file_size_limit(limit_bytes), pytest.raises(OutputError):
        store(tmp_path, dataclasses.replace(state(3), generation=generation))
    assert same(load(tmp_path), state(2))
