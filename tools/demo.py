"""``make run``: the exporter on this host's journal, or on a sample that it makes and keeps feeding.

Prints what is read, where lines go and where the metrics are; Ctrl-C ends everything that it started.
"""

import argparse
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from journal_exporter.journal.files import find_files, inspect_file, journal_directories
from journal_exporter.process.state_lock import is_running

_BASE = Path("var")
_SAMPLE_ENTRIES = 10_000
_SAMPLE_RATE = 200
_ENDING = (signal.SIGINT, signal.SIGTERM)


class EndedError(Exception):
    """Ctrl-C or SIGTERM came before the exporter ran."""


def _end_early(*_: object) -> None:
    raise EndedError


def host_has_journal() -> bool:
    """Whether this host has a journal that this user may read."""
    try:
        paths = find_files(journal_directories(root=Path("/"), directory=None))
    except PermissionError:
        return False
    files = [inspect_file(path) for path in paths]
    return any(file is not None and file.state == "readable" for file in files)


def free_port(wanted: int) -> int:
    """Return the wanted port of the loopback address, or another one if it is in use."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("run: no port of 127.0.0.1 is free")


def ending_with_us(*command: str) -> list[str]:
    """Return the command so that the kernel sends it SIGTERM when this process ends, even if it is killed."""
    prefix = ["setpriv", "--pdeathsig", "TERM"]
    if shutil.which("setpriv") is None:
        return [*command]
    # util-linux before 2.33, and busybox, have a setpriv without this option.
    known = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return [*(prefix if known else ()), *command]


def start_sample(directory: Path) -> "subprocess.Popen[str]":
    """Start the sample journal's writer; return when the journal exists."""
    shutil.rmtree(directory, ignore_errors=True)
    writer = subprocess.Popen(
        ending_with_us(
            *(sys.executable, "-m", "tools.sample_journal", "--directory", str(directory)),
            *("--entries", str(_SAMPLE_ENTRIES), "--follow", "--rate", str(_SAMPLE_RATE)),
        ),
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert writer.stdout is not None  # noqa: S101
    try:
        if not writer.stdout.readline():
            raise SystemExit(writer.wait() or 1)
    except EndedError:
        writer.terminate()
        writer.wait()
        raise
    return writer


def main() -> int:
    """Run until Ctrl-C or SIGTERM."""
    for number in _ENDING:
        signal.signal(number, _end_early)
    try:
        return start()
    except EndedError:
        return 0


def start() -> int:
    """Set up the journal, print where everything is, and run."""
    options = argparse.ArgumentParser(prog="make run", description=__doc__)
    options.add_argument("--sample", action="store_true", help="use a sample journal in any case")
    sample = options.parse_args().sample or not host_has_journal()
    output, state, port = _BASE / "log" / "messages", _BASE / "state", free_port(9465)
    if is_running(state):
        print(
            f"run: another one is running here, which holds {state.absolute()}; end it first",
            file=sys.stderr,
        )
        return 2
    if sample:
        directory = (_BASE / "sample").absolute()
        # A new sample is a new journal: an old checkpoint would not fit it.
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(output.parent, ignore_errors=True)
        writer = start_sample(directory)
        reads = f"a sample journal in {directory}, {_SAMPLE_RATE} new entries a second"
        where = ["--journal-directory", str(directory), "--start", "head", "--max-bytes", "1Mi"]
        where += ["--rotation-settle-s", "1"]
    else:
        writer = None
        reads = "this host's journal, from its newest boot on"
        where = ["--journal-root", "/"]
    command = [
        *(sys.executable, "-m", "journal_exporter", "run", *where),
        *("--output", str(output), "--state-directory", str(state)),
        *("--metrics-address", f"127.0.0.1:{port}"),
    ]
    print(f"reads    {reads}")
    print(f"writes   {output.absolute()} and its archives .1 to .5")
    print(f"state    {state.absolute()}")
    print(f"metrics  http://127.0.0.1:{port}/metrics (also /livez and /readyz)")
    print(
        f"look     tail -F {output}   or   .venv/bin/journal-exporter status --state-directory {state}"
    )
    print("Ctrl-C ends it.", flush=True)
    return run(command, writer)


def run(command: list[str], writer: "subprocess.Popen[str] | None") -> int:
    """Run the exporter; SIGINT and SIGTERM end it and the writer cleanly."""
    exporter: subprocess.Popen[bytes] | None = None
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        if exporter is not None:
            exporter.terminate()

    for number in _ENDING:
        signal.signal(number, end)
    exporter = subprocess.Popen(ending_with_us(*command), process_group=0)
    if asked:
        exporter.terminate()
    try:
        code = exporter.wait()
    finally:
        if writer is not None:
            writer.terminate()
            writer.wait()
            if writer.stdout is not None:
                writer.stdout.close()
    if asked and code == -signal.SIGTERM:
        # It was asked to end before it could listen: it had nothing to finish.
        return 0
    if code < 0:
        print(f"run: {signal.Signals(-code).name} ended the exporter", file=sys.stderr)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(main())
