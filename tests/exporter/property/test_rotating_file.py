"""What the files hold, whatever is appended, however often it is rotated, killed and started again."""

import contextlib
import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from journal_exporter.output import archives
from journal_exporter.output.rotating_file import RotatingFile
from tests.support.faults import FaultPlan, Killed, Rig, entries

MAX_BYTES = 60
LINES = st.binary(max_size=80).map(lambda text: text.replace(b"\n", b"") + b"\n")


class Files(RuleBasedStateMachine):
    """The output as the pipeline uses it: a rotation where a line does not fit."""

    @initialize(keep_files=st.integers(1, 9), keep_bytes=st.sampled_from([0, 150, 400]))
    def begin(self, keep_files: int, keep_bytes: int) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "messages"
        self.keep_files, self.keep_bytes = keep_files, keep_bytes
        self.appended = b""
        self.seen: dict[int, int] = {}
        self.held: list[int] = []
        self.start()

    def start(self) -> None:
        self.output = RotatingFile(
            self.path, keep_files=self.keep_files, keep_bytes=self.keep_bytes
        )
        self.output.open()

    def names(self) -> list[Path]:
        return [path for path in archives.newest_first(self.path) if path.exists()]

    @rule(line=LINES)
    def append(self, line: bytes) -> None:
        if self.output.size_bytes and self.output.size_bytes + len(line) > MAX_BYTES:
            self.output.rotate()
        self.output.put(line)
        self.output.flush()
        self.appended += line

    @rule()
    def restart(self) -> None:
        self.output.close()
        self.start()

    @rule()
    def rotate(self) -> None:
        self.output.rotate()

    @precondition(lambda self: len(self.names()) > 0)
    @rule(renames=st.integers(0, 9))
    def die_in_a_rotation(self, renames: int) -> None:
        """Make the renames of a rotation, cut off after any of them."""
        existing = {int(path.suffix[1:]) for path in self.names() if path != self.path}
        for number in sorted(existing - set(range(1, self.keep_files + 1)), reverse=True):
            archives.archive(self.path, number).unlink()
            existing.discard(number)
        if len(existing) == self.keep_files:
            archives.archive(self.path, self.keep_files).unlink()
            existing.discard(self.keep_files)
        for old, new in archives.shift(self.path, existing, self.keep_files)[:renames]:
            if old.exists():
                old.rename(new)
        self.restart()

    @rule(fewer=st.integers(1, 9))
    def change_the_limit(self, fewer: int) -> None:
        self.keep_files = fewer
        self.restart()

    @rule()
    def run_out_of_room(self) -> None:
        self.output.delete_oldest()

    @invariant()
    def the_files_are_a_suffix_of_what_was_appended(self) -> None:
        data = b"".join(path.read_bytes() for path in reversed(self.names()))
        assert self.appended.endswith(data)

    @invariant()
    def no_file_exceeds_the_limit_but_for_a_single_line(self) -> None:
        for path in self.names():
            data = path.read_bytes()
            assert len(data) <= MAX_BYTES or data.count(b"\n") == 1
            assert data[-1:] in (b"\n", b"")

    @invariant()
    def no_file_shrinks(self) -> None:
        for path in self.names():
            status = path.stat()
            if status.st_ino not in self.seen:
                # Held open, so that its number is not used again.
                self.held.append(os.open(path, os.O_RDONLY))
            assert status.st_size >= self.seen.get(status.st_ino, 0)
            self.seen[status.st_ino] = status.st_size

    @invariant()
    def the_live_file_is_there_and_is_ours(self) -> None:
        assert not self.output.is_replaced()
        assert self.output.size_bytes == self.path.stat().st_size

    @invariant()
    def nothing_else_is_in_the_directory(self) -> None:
        allowed = {path.name for path in archives.newest_first(self.path)}
        assert {path.name for path in self.path.parent.iterdir()} <= allowed

    def teardown(self) -> None:
        if hasattr(self, "output"):
            self.output.rotate()
            kept = [path.stat().st_size for path in self.names()]
            assert len(kept) <= 1 + self.keep_files
            assert not self.keep_bytes or sum(kept) <= self.keep_bytes
            self.output.close()
            for descriptor in self.held:
                os.close(descriptor)
            self.directory.cleanup()


TestFiles = Files.TestCase


def test_a_lower_limit_deletes_the_oldest_archives_first_wherever_it_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "messages"
    for kill_at in range(9):
        for number, text in enumerate([b"5\n", b"4\n", b"3\n", b"2\n", b"1\n"]):
            (archives.archive(path, number) if number else path).write_bytes(text)
        deleted: list[str] = []

        def count(reason: str, deleted: list[str] = deleted, last: int = kill_at) -> None:
            deleted.append(reason)
            if len(deleted) > last:
                raise Killed

        output = RotatingFile(path, keep_files=2, keep_bytes=0, on_archive_deleted=count)
        output.open()
        with contextlib.suppress(Killed):
            output.rotate()
        output.close()
        names = [name for name in archives.newest_first(path) if name.exists()]
        found = b"".join(name.read_bytes() for name in reversed(names))
        assert b"1\n2\n3\n4\n5\n".endswith(found)
        assert len(deleted) == min(kill_at + 1, 3)


KILLS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 300)), max_size=6)


@given(
    messages=st.lists(st.binary(max_size=60), min_size=1, max_size=25),
    max_bytes=st.integers(80, 900),
    batch_entries=st.integers(1, 9),
    kills=KILLS,
)
def test_after_any_kills_the_files_hold_each_entry_once_in_order(
    messages: list[bytes], max_bytes: int, batch_entries: int, kills: list[tuple[int, int]]
) -> None:
    """Each kill is at some step of a run, with an append torn after some bytes."""
    with tempfile.TemporaryDirectory() as name:
        rig = Rig(Path(name), entries(messages), max_bytes=max_bytes, batch_entries=batch_entries)
        wanted = rig.wanted()
        for step, torn_bytes in kills:
            rig.run(FaultPlan(kill_at=step, torn_bytes=torn_bytes))
        rig.run()
        assert wanted.endswith(rig.data())
        assert rig.data() == wanted or len(rig.files()) == 10
        assert rig.metrics.get("recovery_mismatches") == 0
