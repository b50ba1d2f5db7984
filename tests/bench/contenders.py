"""Who takes part in the catch-up: how each is started, and which lines it wrote.

All write all entries of one journal directory to a file, and format them like syslog lines.
"""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.processes import Program
from tests.support.paths import ROOT
from tools.sample_journal import MACHINE_ID

__all__ = ["DEBIAN_PYTHON", "Contender", "all_contenders", "exporter_command"]

DEBIAN_PYTHON = "/usr/bin/python3"
_RSYSLOG_CONF = """
module(load="imjournal"
  StateFile="state"
  Ratelimit.Interval="0"
  IgnorePreviousMessages="off"
  WorkAroundJournalBug="on")
global(workDirectory="{directory}" net.enableDNS="off")
action(type="omfile" file="{output}")
"""
# imjournal knows no directory: it opens "the" journal, which is that of /etc/machine-id. So it
# gets its own view of both. The namespace ends with the process.
_ENTER = """
mount --bind "$1/machine-id" /etc/machine-id
mount --bind "$2" /var/log/journal
mount -t tmpfs tmpfs /run/log
shift 2
exec "$@"
"""
_PRIVATE = ("unshare", "--mount", "--propagation=private", "sh", "-euc", _ENTER, "sh")


@dataclasses.dataclass(frozen=True, slots=True)
class Contender:
    """One way to get a journal into a file: `start` gets the journal, and a directory to use.

    `stays` is for a daemon, which is stopped when its last line is there.
    """

    name: str
    start: Callable[[Path, Path], Program]
    stays: bool = False

    def outputs(self, directory: Path) -> list[Path]:
        """Return the files that hold the lines, archives included."""
        return sorted(directory.glob("messages*"))


def exporter_command(python: str, journal: Path, directory: Path, *flags: str) -> list[str | Path]:
    """Return the command of an exporter that leaves out no entry."""
    return [
        python,
        "-m",
        "journal_exporter",
        "run",
        f"--journal-directory={journal}",
        f"--output={directory / 'messages'}",
        f"--state-directory={directory / 'state'}",
        "--start=head",
        "--max-priority=debug",
        "--exclude-facility=none",
        "--log-level=warning",
        *flags,
    ]


def _exporter(python: str) -> Callable[[Path, Path], Program]:
    def start(journal: Path, directory: Path) -> Program:
        command = exporter_command(python, journal, directory, "--once")
        return Program(command, directory=ROOT)

    return start


def _journalctl(journal: Path, directory: Path) -> Program:
    command = ("journalctl", "-q", "-o", "short", f"--directory={journal}")
    return Program(command, output=directory / "messages")


def _rsyslog(journal: Path, directory: Path) -> Program:
    (directory / "machine-id").write_text(f"{MACHINE_ID}\n")
    configuration = directory / "rsyslog.conf"
    text = _RSYSLOG_CONF.format(directory=directory, output=directory / "messages")
    configuration.write_text(text)
    enter = (*_PRIVATE, directory, journal)
    daemon = ("rsyslogd", "-n", "-f", configuration, "-i", directory / "pid")
    return Program([*enter, *daemon])


def _naive(journal: Path, directory: Path) -> Program:
    command = (sys.executable, "-m", "tests.bench.naive", journal, directory / "messages")
    return Program(command, directory=ROOT)


def _runs(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return not subprocess.run(command, check=False, capture_output=True).returncode


def all_contenders() -> tuple[Sequence[Contender], list[str]]:
    """Return who can run on this machine, and a sentence for each who can't."""
    contenders = [Contender("ours", _exporter(sys.executable))]
    missing = []
    if _runs(DEBIAN_PYTHON, "-c", "import systemd._reader"):
        contenders.append(Contender("ours, Debian's Python", _exporter(DEBIAN_PYTHON)))
    else:
        missing.append(f"{DEBIAN_PYTHON} has no systemd module: install python3-systemd")
    contenders.append(Contender("journalctl -o short", _journalctl))
    if _runs("rsyslogd", "-v") and _runs("unshare", "--mount", "true"):
        contenders.append(Contender("rsyslog imjournal", _rsyslog, stays=True))
    else:
        missing.append("rsyslogd, or the permission to make a mount namespace, is missing")
    contenders.append(Contender("naive Python loop", _naive))
    return contenders, missing
