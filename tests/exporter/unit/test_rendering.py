"""What a worker notes for the next one, and what it refuses."""

import os
from pathlib import Path

import pytest

from journal_exporter.config import Settings
from journal_exporter.errors import ConfigError, OutputError
from journal_exporter.journal.position import Position
from journal_exporter.output.checkpoint import Progress, State
from journal_exporter.output.file_id import FileId
from journal_exporter.process import rendering
from journal_exporter.process.preflight import check_state
from tests.support.fakes import batch, context

NOTES = "render-*"
PROGRESS = Progress(Position(None), FileId(1, 2, 0, 0), 0)
NOW = rendering.from_settings(Settings())
BEFORE = rendering.from_settings(
    Settings(format="json", max_priority="err", include_unit=("kube*",))
)


def state(render_hash: str, output: str = "/var/log/messages") -> State:
    return State(output, "boot", render_hash, durable=PROGRESS, written=PROGRESS)


@pytest.mark.parametrize(
    "other",
    [
        Settings(format="rfc3164"),
        Settings(format="json"),
        Settings(max_priority="debug"),
        Settings(exclude_facility=()),
        Settings(include_unit=("a.service",)),
        Settings(exclude_unit=("a.service",)),
    ],
)
def test_everything_that_determines_a_line_is_in_the_rendering(other: Settings) -> None:
    assert rendering.digest(rendering.from_settings(other)) != rendering.digest(NOW)


def test_other_settings_are_not_in_the_rendering() -> None:
    other = Settings(output=Path("/elsewhere"), max_bytes=4096, keep_files=9, start="head")
    assert rendering.from_settings(other) == NOW
    reordered = Settings(exclude_facility=("authpriv", "mail", "cron"))
    assert rendering.digest(rendering.from_settings(reordered)) == rendering.digest(NOW)


def test_the_time_zone_counts_only_where_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(zone: str) -> tuple[str, str]:
        monkeypatch.setenv("TZ", zone)
        return rendering.digest(rendering.from_settings(Settings())), rendering.digest(
            rendering.from_settings(Settings(format="rfc3164"))
        )

    utc, local = both("UTC"), both("Asia/Tokyo")
    assert utc[0] == local[0]
    assert utc[1] != local[1]


def test_a_stored_rendering_gives_the_same_lines(tmp_path: Path) -> None:
    rendering.save(tmp_path, BEFORE)
    found = rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW)
    assert found == BEFORE
    some = batch([b"hello"], [context(priority=b"3", unit=b"kubelet.service")])
    wanted = rendering.formatter(BEFORE).lines(some)
    assert wanted[0] is not None
    assert rendering.formatter(found).lines(some) == wanted != rendering.formatter(NOW).lines(some)


def notes(directory: Path) -> list[Path]:
    return sorted(directory.glob(NOTES))


def test_without_a_stored_rendering_the_present_one_is_used(tmp_path: Path) -> None:
    assert rendering.previous(tmp_path, None, NOW) == NOW
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == NOW
    rendering.save(tmp_path, BEFORE)
    assert rendering.previous(tmp_path, state(rendering.digest(NOW)), NOW) == NOW
    assert rendering.previous(tmp_path, state("of yet another run"), NOW) == NOW


@pytest.mark.parametrize(
    "garbage", [b"", b"{}", b"[]", b"\xff", b'{"format": "no such"}', b"null", b"[" * 99999]
)
def test_a_damaged_rendering_is_ignored_and_rewritten(tmp_path: Path, garbage: bytes) -> None:
    rendering.save(tmp_path, BEFORE)
    notes(tmp_path)[0].write_bytes(garbage)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == NOW
    rendering.save(tmp_path, BEFORE)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == BEFORE


def test_a_pipe_in_the_place_of_a_rendering_is_not_waited_for_and_is_replaced(
    tmp_path: Path,
) -> None:
    rendering.save(tmp_path, BEFORE)
    (path,) = notes(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == NOW
    assert rendering.last_saved(tmp_path, NOW) == NOW
    rendering.save(tmp_path, BEFORE)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == BEFORE


def test_another_rendering_under_its_name_is_ignored(tmp_path: Path) -> None:
    rendering.save(tmp_path, BEFORE)
    path = notes(tmp_path)[0]
    rendering.save(tmp_path, rendering.from_settings(Settings(format="rfc3164")))
    (other,) = set(notes(tmp_path)) - {path}
    other.rename(path)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == NOW


def test_the_rendering_of_the_run_before_stays_until_others_are_deleted(tmp_path: Path) -> None:
    """A kill may come before the checkpoint names the new one."""
    rendering.save(tmp_path, BEFORE)
    rendering.save(tmp_path, NOW)
    assert rendering.previous(tmp_path, state(rendering.digest(BEFORE)), NOW) == BEFORE
    assert rendering.previous(tmp_path, state(rendering.digest(NOW)), BEFORE) == NOW
    rendering.delete_others(tmp_path, rendering.digest(NOW))
    assert rendering.previous(tmp_path, state(rendering.digest(NOW)), BEFORE) == NOW
    assert len(notes(tmp_path)) == 1


@pytest.mark.parametrize("is_first_newer", [False, True])
def test_without_a_checkpoint_the_newest_stored_rendering_that_can_be_read_is_used(
    tmp_path: Path, *, is_first_newer: bool
) -> None:
    assert rendering.last_saved(tmp_path, NOW) == NOW
    other = rendering.from_settings(Settings(format="rfc3164"))
    newer = {True: BEFORE, False: other}[is_first_newer]
    for each in (BEFORE, other):
        rendering.save(tmp_path, each)
        path = tmp_path / f"render-{rendering.digest(each)}.json"
        time_s = 2000 if each is newer else 1000
        os.utime(path, (time_s, time_s))
    assert rendering.last_saved(tmp_path, NOW) == newer
    (tmp_path / f"render-{rendering.digest(newer)}.json").write_bytes(b"garbage")
    (older,) = [each for each in (BEFORE, other) if each is not newer]
    assert rendering.last_saved(tmp_path, NOW) == older


def test_the_same_rendering_is_not_written_again(tmp_path: Path) -> None:
    rendering.save(tmp_path, NOW)
    before = notes(tmp_path)[0].stat()
    rendering.save(tmp_path, NOW)
    assert notes(tmp_path)[0].stat().st_ino == before.st_ino


def test_a_rendering_that_can_not_be_written_is_an_error_to_wait_for(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="writing"):
        rendering.save(tmp_path / "missing", NOW)


def test_a_state_of_another_output_is_refused_with_both_names() -> None:
    check_state(None, Settings())
    check_state(state("h"), Settings())
    with pytest.raises(ConfigError, match=r"/var/log/messages, not to /elsewhere; give each"):
        check_state(state("h"), Settings(output=Path("/elsewhere")))
