"""Runs a pipeline from fluentbit/ in a real ``fluent-bit``, with its files in a directory."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.exporter import free_port
from tests.support.fluentbit import RealRecord, need_fluent_bit, read_records
from tests.support.paths import ROOT
from tests.support.servers import fetch
from tests.support.waiting import wait_for

__all__ = ["FLUENT_BIT", "Pipeline", "defaults"]

FLUENT_BIT = ROOT / "fluentbit"
_PATIENCE_S = 15


def defaults() -> dict[str, str]:
    """Return the variables of ``defaults.env``."""
    lines = (FLUENT_BIT / "defaults.env").read_text().splitlines()
    words = (word for line in lines for word in shlex.split(line, comments=True))
    pairs = (word.partition("=") for word in words)
    # Unlike a shell, shlex keeps the backslash of an escaped `$` within double quotes.
    return {name: value.replace("\\$", "$") for name, _, value in pairs}


class Pipeline:
    """A pipeline of files from ``fluentbit/``, and its directory.

    ``fragments`` and ``outputs`` are names of files without extension. Without an output, records go to a
    file that ``records`` reads.
    """

    def __init__(
        self,
        directory: Path,
        fragments: Sequence[str],
        *,
        outputs: Sequence[str] = (),
        **variables: str,
    ) -> None:
        self.directory = directory
        self.logs = directory / "containers"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.begin_s = time.time()
        (directory / "out").mkdir(exist_ok=True)
        # All files in one directory, as in the ConfigMap.
        (directory / "etc").mkdir(exist_ok=True)
        for path in FLUENT_BIT.glob("*.yaml"):
            shutil.copy(path, directory / "etc")
        self.variables = {
            **defaults(),
            "NODEOBS_CONFIG_DIR": str(directory / "etc"),
            "NODEOBS_FLUSH_S": "0.2",
            "NODEOBS_GRACE_S": "1",
            "NODEOBS_HTTP_LISTEN": "127.0.0.1",
            "NODEOBS_HTTP_PORT": str(self.port),
            "NODEOBS_STATE_DIR": str(directory / "state"),
            "NODEOBS_CONTAINER_LOGS": f"{self.logs}/*.log",
            "NODEOBS_EXCLUDE_LOGS": f"{self.logs}/*fluent-bit*.log",
            "NODEOBS_MESSAGES": str(directory / "messages"),
            **variables,
        }
        self.fragments = ["service", *fragments]
        self.outputs = list(outputs)
        self.write_main()

    def write_main(self, *more: str) -> None:
        """Write the main file, which includes the fragments and ends with the lines ``more``."""
        self.main = self.directory / "etc" / "main.yaml"
        names = (*self.fragments, *self.outputs)
        text = "includes:\n" + "".join(f"  - {name}.yaml\n" for name in names)
        if not self.outputs:
            text += (
                "pipeline:\n  outputs:\n    - name: file\n      match: '*'\n      format: msgpack\n"
                f"      path: {self.directory}/out\n      file: all\n"
            )
        self.main.write_text(text + "".join(f"{line}\n" for line in more))

    def dry_run(self) -> subprocess.CompletedProcess[str]:
        """Return the result of ``fluent-bit --dry-run``."""
        return subprocess.run(
            [need_fluent_bit(), "--dry-run", "-c", str(self.main)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.variables},
            timeout=60,
        )

    def append(self, name: str, *lines: bytes) -> None:
        """Append lines to the log of a container, and link to it as the kubelet does."""
        path = self.file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        link = self.logs / f"{name}.log"
        if not link.is_symlink():
            link.symlink_to(path)

    def file(self, name: str) -> Path:
        """Return the path of the log file that a container's link leads to."""
        return self.directory / "pods" / name / "0.log"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run Fluent Bit until the end of the block. Its log is in the file ``stderr``."""
        with (
            (self.directory / "stderr").open("ab") as err,
            (self.directory / "stdout").open("ab") as out,
        ):
            process = subprocess.Popen(
                [need_fluent_bit(), "-c", str(self.main)],
                stdout=out,
                stderr=err,
                env={**os.environ, **self.variables},
            )
            try:
                wait_for(lambda: self.get("/api/v1/health")[0] == 200, "healthy")
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page of Fluent Bit's HTTP server; status 0 while nothing answers."""
        return fetch(self.port, path)

    def records(self) -> list[RealRecord]:
        """Return the records that Fluent Bit has written so far."""
        path = self.directory / "out" / "all"
        return read_records(path, self.begin_s, time.time()) if path.exists() else []

    def wait_for(self, count: int) -> list[RealRecord]:
        """Return the records once there are that many."""
        wait_for(lambda: len(self.records()) >= count, f"{count} records")
        return self.records()
