"""Checks everything that a restart can't fix before anything starts, and reports all problems at once.

Guarantees: the only thing it creates is a missing state directory. The lock and the socket that it opens stay
open for the exporter.
"""

import contextlib
import importlib.util
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from journal_exporter import setting_values
from journal_exporter.config import Loaded, Settings
from journal_exporter.errors import ConfigError
from journal_exporter.journal.files import find_files, inspect_files
from journal_exporter.monitoring.listen import listen
from journal_exporter.output import archives
from journal_exporter.output import checkpoint as checkpoints
from journal_exporter.output.checkpoint import DamagedCheckpointError, State
from journal_exporter.output.lock import is_in_use
from journal_exporter.process.paths import (
    check_directory,
    check_paths,
    check_writable,
    check_writable_output,
)
from journal_exporter.process.state_lock import StateLock, lock_state

T = TypeVar("T")
_FIXES = {
    "denied": "run as root or in the group systemd-journal",
    "unsupported": "use a libsystemd as new as the host's",
    "corrupt": "check the files with journalctl --verify --file PATH",
}


def start(loaded: Loaded, stack: contextlib.ExitStack) -> tuple[StateLock, socket.socket | None]:
    """Check everything; return the lock of the state and the listening socket, which the stack closes.

    Raises:
        ConfigError: with every problem.
    """
    settings = loaded.settings
    problems: list[str] = []

    def collect(check: Callable[[], T]) -> T | None:
        try:
            return check()
        except ConfigError as error:
            problems.extend(error.problems)
            return None

    collect(lambda: check_journal(settings))
    collect(lambda: check_paths(settings))
    before = len(problems)
    collect(lambda: check_writable_output(settings.output))
    can_be_output = len(problems) == before
    lock = collect(lambda: lock_state(settings.state_directory))
    if lock is not None:
        stack.callback(lock.close)
        collect(lambda: check_writable("--state-directory", settings.state_directory))
        collect(lambda: check_checkpoint(settings))
        if can_be_output:
            collect(lambda: check_not_in_use(settings))
    address = setting_values.address(settings.metrics_address)
    if settings.once and "metrics_address" not in loaded.given:
        address = None
    if address:
        collect(check_server)
    listener = collect(lambda: listen(*address)) if address else None
    if listener is not None:
        stack.enter_context(listener)
    if problems or lock is None:
        raise ConfigError(*problems)
    return lock, listener


def check_server() -> None:
    """Raise ``ConfigError`` if the HTTP process could not start; this process does not load what it needs."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise ConfigError(
            "--metrics-address: prometheus_client is not installed; install `node-observability[exporter]`,"
            " or give an empty address"
        )


def check_journal(settings: Settings) -> None:
    """Raise ``ConfigError`` unless at least one journal file can be read."""
    wanted = settings.journal_directory or settings.journal_root or Path("/")
    name = "--journal-directory" if settings.journal_directory else "--journal-root"
    check_directory(name, wanted, "give the path where the host's journal is mounted")
    files = inspect_files(find_files(settings.journal_directories))
    if not files:
        places = " and ".join(map(str, settings.journal_directories))
        raise ConfigError(
            f"{name}: {wanted} has no journal files: {places} must have *.journal files, directly or in a"
            " sub-directory named by a machine id"
        )
    if not any(file.state == "readable" for file in files):
        states = ", ".join(f"{file.path} ({file.state})" for file in files[:3])
        fixes = "; ".join(dict.fromkeys(_FIXES[file.state] for file in files[:3]))
        raise ConfigError(
            f"{name}: {wanted} has no journal file that can be read: {states}; {fixes}"
        )


def check_not_in_use(settings: Settings) -> None:
    """Raise ``ConfigError`` if an exporter with another state directory writes the output."""
    # During a rotation, the other exporter's file is called archive 1; afterwards there is a new one.
    output = settings.output
    if is_in_use(output, archives.archive(output, 1), output):
        raise ConfigError(
            f"--output: {output} is being written by another exporter, whose --state-directory is not"
            f" {settings.state_directory}; stop that exporter, or choose another file"
        )


def check_checkpoint(settings: Settings) -> None:
    """Raise ``ConfigError`` for a checkpoint that can't be used; the worker sets a damaged one aside."""
    with contextlib.suppress(DamagedCheckpointError):
        check_state(checkpoints.load(settings.state_directory), settings)


def check_state(state: State | None, settings: Settings) -> None:
    """Raise ``ConfigError`` if the state belongs to another output."""
    if state is not None and state.output != str(settings.output):
        raise ConfigError(
            f"--state-directory: {settings.state_directory} belongs to the output {state.output}, not to"
            f" {settings.output}; give each output its own state directory"
        )
