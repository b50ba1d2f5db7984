"""Checks everything that a restart can't fix before anything starts, and reports all problems at once.

Guarantees: the only thing it creates is a missing state directory. The lock and the socket that it opens stay
open for the exporter.
"""

import contextlib
import importlib.util
import json
import os
import socket
import stat
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
from journal_exporter.output.checkpoint import State
from journal_exporter.output.lock import is_in_use
from journal_exporter.process.state_lock import lock_state

T = TypeVar("T")
_MAX_PATHS_BYTES = 12 << 10
_FIXES = {
    "denied": "run as root or in the group systemd-journal",
    "unsupported": "use a libsystemd as new as the host's",
    "corrupt": "check the files with journalctl --verify --file PATH",
}


def start(loaded: Loaded, stack: contextlib.ExitStack) -> socket.socket | None:
    """Check everything, lock the state directory, and return the listening socket; the stack closes both.

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
    collect(lambda: check_output(settings.output))
    lock_fd = collect(lambda: lock_state(settings.state_directory))
    if lock_fd is not None:
        stack.callback(os.close, lock_fd)
        collect(lambda: check_writable("--state-directory", settings.state_directory))
        collect(lambda: check_state(checkpoints.load(settings.state_directory), settings))
        collect(lambda: check_not_in_use(settings))
    address = setting_values.address(settings.metrics_address)
    if settings.once and "metrics_address" not in loaded.given:
        address = None
    if address:
        collect(check_server)
    listener = collect(lambda: listen(*address)) if address else None
    if listener is not None:
        stack.enter_context(listener)
    if problems:
        raise ConfigError(*problems)
    return listener


def check_server() -> None:
    """Raise ``ConfigError`` if the HTTP process could not start; this process does not load what it needs."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise ConfigError(
            "--metrics-address: prometheus_client is not installed; install `node-observability[exporter]`,"
            " or give an empty address"
        )


def check_directory(name: str, path: Path, fix: str) -> None:
    """Raise ``ConfigError`` unless ``path`` is a directory; ``name`` is the flag, ``fix`` what to do."""
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise ConfigError(f"{name}: {path} is not a directory; {fix}")
    except FileNotFoundError:
        raise ConfigError(f"{name}: {path} does not exist; {fix}") from None
    except OSError as error:
        raise ConfigError(f"{name}: {path} can't be accessed: {error.strerror}; {fix}") from error


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


def check_paths(settings: Settings) -> None:
    """Raise ``ConfigError`` for an output with a path in the state or the journal, or one too long."""
    output, state = settings.output, settings.state_directory
    own = output.parent == state and (
        output.name == checkpoints.NAME or output.name.startswith("render-")
    )
    if output == state or own:
        raise ConfigError(
            f"--output: {output} is part of --state-directory {state}; choose another file"
        )
    if any(output.is_relative_to(directory) for directory in settings.journal_directories):
        raise ConfigError(
            f"--output: {output} is inside the journal's directory; choose another file"
        )
    # The checkpoint stores them, in slots of 16 KiB.
    paths = [str(path) for path in (output, *settings.journal_directories)]
    if len(json.dumps(paths)) > _MAX_PATHS_BYTES:
        raise ConfigError(
            f"--output: {output} and the journal's directories exceed 12 KiB in total; choose shorter paths"
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


def check_state(state: State | None, settings: Settings) -> None:
    """Raise ``ConfigError`` if the state belongs to another output."""
    if state is not None and state.output != str(settings.output):
        raise ConfigError(
            f"--state-directory: {settings.state_directory} belongs to the output {state.output}, not to"
            f" {settings.output}; give each output its own state directory"
        )


def check_output(path: Path) -> None:
    """Raise ``ConfigError`` for an output that can never be written; a full or read-only disk may change."""
    existing = next(place for place in (path, *path.parents) if os.path.lexists(place))
    mode = existing.lstat().st_mode
    if existing == path and stat.S_ISDIR(mode):
        raise ConfigError(
            f"--output: {path} is a directory; choose a file in it, such as {path / 'messages'}"
        )
    if existing == path and stat.S_ISLNK(mode):
        raise ConfigError(
            f"--output: {path} is a symbolic link, which a rotation would rename; give the file that it"
            f" points to, {path.resolve()}"
        )
    if existing == path and not stat.S_ISREG(mode):
        raise ConfigError(f"--output: {path} is not a regular file; choose another file")
    if existing != path and not existing.is_dir():
        raise ConfigError(
            f"--output: {path} is below {existing}, which is not a directory; choose another file"
        )
    for archive in archives.newest_first(path)[1:]:
        if archive.is_dir():
            raise ConfigError(
                f"--output: {path} can't keep its archives, because {archive} is a directory; move the"
                " directory away, or choose another file"
            )
    check_writable("--output", existing)
    if existing == path:
        # A rotation renames the file, and creates a new one.
        check_writable("--output", path.parent)


def check_writable(name: str, path: Path) -> None:
    """Raise ``ConfigError`` if this user may not write the path; a full or read-only disk may change."""
    read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    mode = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    if not read_only and not os.access(path, mode):
        raise ConfigError(
            f"{name}: user {os.getuid()} can't write {path}; grant write permission, or choose another path"
        )
