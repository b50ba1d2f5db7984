"""A simulated host on which a real systemd-journald runs, with its own clocks and boot ids."""

import shutil
import socket
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.support.journald import Journald
from tests.support.machine.base import Machine, Message
from tests.support.machine.clock import MachineClock
from tests.support.machine.file_writer import ONLINE
from tests.support.machine.seeded_random import SeededRandom
from tests.support.sockets import connected
from tests.support.tools import need

__all__ = ["JournaldMachine"]

_STATE_OFFSET = 16
_TIMEOUT_S = 20.0


class JournaldMachine(Machine):
    """A machine that has booted. ``environment`` sets the format of the files, see ``Journald``."""

    frees_blocks = True

    def __init__(
        self,
        root: Path,
        rng: SeededRandom,
        clock: MachineClock,
        *,
        storage: Literal["persistent", "auto"] = "persistent",
        split_mode: str = "uid",
        max_file_size: str = "512K",
        environment: dict[str, str],
    ) -> None:
        super().__init__(root, rng)
        self._clock = clock
        self._storage = storage
        root.mkdir(parents=True)
        self._begin_boot()
        self._journald = Journald(
            root,
            storage=storage,
            split_mode=split_mode,
            max_file_size=max_file_size,
            environment={**environment, **clock.environment},
        )
        self._journald.start()

    def close(self) -> None:
        self._journald.kill()
        self._clock.close()

    def time_s(self) -> float:
        return self._clock.time_s()

    def log(self, messages: Sequence[Message]) -> None:
        for uid, message in messages:
            fields = [("MESSAGE", message), ("PRIORITY", b"6"), ("SYSLOG_IDENTIFIER", b"app")]
            self._journald.send_fields(fields, uid)
        self._journald.sync()

    def log_at_once(self, messages: Sequence[Message]) -> None:
        self._clock.freeze()
        self.log(messages)
        self._clock.run()

    def rotate(self) -> None:
        self._journald.rotate()

    def flush(self) -> None:
        self._journald.flush()
        self.life += 1

    def relinquish(self) -> None:
        directory, name = self.root / "run/systemd/journal", "io.systemd.journal"
        with connected(directory, name, _TIMEOUT_S, socket.SOCK_STREAM) as varlink:
            varlink.sendall(b'{"method":"io.systemd.Journal.RelinquishVar"}\0')
            reply = varlink.recv(4096)
        assert b"error" not in reply, reply
        self.life += 1

    def vacuum(self, keep_files: int) -> None:
        for directory in (self._journald.persistent, self._journald.runtime):
            if directory.exists():
                subprocess.run(
                    (
                        need("journalctl"),
                        f"--directory={directory}",
                        f"--vacuum-files={keep_files}",
                    ),
                    check=True,
                    capture_output=True,
                )

    def step_clock(self, seconds: float) -> None:
        self._clock.step(seconds)

    def restart(self, *, clean: bool) -> None:
        self._end(clean=clean)
        self._start()

    def boot(self, seconds: float, *, clean: bool) -> None:
        self._end(clean=clean)
        if not clean:
            self._leave_as_being_written()
        shutil.rmtree(self.root / "run/systemd")
        (self.root / "run/systemd/journal").mkdir(parents=True)
        shutil.rmtree(self.root / "run/log/journal", ignore_errors=True)
        if self._storage == "persistent":
            (self.root / "run/systemd/journal/flushed").touch()
        self._clock.step(seconds)
        self._begin_boot()
        self._start()

    def change_machine_id(self) -> None:
        (self.root / "etc/machine-id").write_text(f"{self.rng.id().hex()}\n")

    def _start(self) -> None:
        journald = self._journald
        journald.machine_id = (self.root / "etc/machine-id").read_text().strip()
        journald.persistent = journald.persistent.with_name(journald.machine_id)
        journald.runtime = journald.runtime.with_name(journald.machine_id)
        journald.start()

    def _begin_boot(self) -> None:
        self.boot_id = self.rng.id().hex()
        (self.root / "boot_id").write_text(f"{uuid.UUID(self.boot_id)}\n")
        self._clock.begin_boot()

    def _end(self, *, clean: bool) -> None:
        if clean:
            self._journald.stop()
        else:
            self._journald.kill()
        self.life += 1

    def _leave_as_being_written(self) -> None:
        """Mark files as online, as a power cut leaves them: journald renames such files at its next start."""
        for path in self._journald.persistent.glob("*.journal"):
            if "@" not in path.name and self.rng.happens(0.5):
                with path.open("r+b") as file:
                    file.seek(_STATE_OFFSET)
                    file.write(bytes([ONLINE]))
