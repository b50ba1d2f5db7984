"""The lock of a state directory stays with the exporter, although its directory is removed."""

import errno
from contextlib import closing
from pathlib import Path

import pytest

from journal_exporter.process.state_lock import is_running, lock_state


def test_a_directory_that_is_there_is_left_alone(tmp_path: Path) -> None:
    with closing(lock_state(tmp_path / "state", wait_s=0)) as lock:
        (tmp_path / "state/file").touch()
        lock.renew()
        assert [path.name for path in (tmp_path / "state").iterdir()] == ["file"]
        assert is_running(tmp_path / "state")


@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_directory_that_was_removed_is_created_and_locked_again(
    tmp_path: Path, *, is_made_again: bool
) -> None:
    state = tmp_path / "a/state"
    with closing(lock_state(state, wait_s=0)) as lock:
        state.rename(tmp_path / "removed")
        state.parent.rmdir()
        if is_made_again:
            state.mkdir(parents=True)
        lock.renew()
        assert is_running(state)
        assert not is_running(tmp_path / "removed")
        lock.renew()
    assert not is_running(state)


def test_a_directory_that_another_exporter_has_locked_meanwhile_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with closing(lock_state(state, wait_s=0)) as lock:
        state.rename(tmp_path / "removed")
        with closing(lock_state(state, wait_s=0)):
            with pytest.raises(BlockingIOError) as refused:
                lock.renew()
            assert refused.value.errno == errno.EAGAIN
        lock.renew()
        assert is_running(state)
