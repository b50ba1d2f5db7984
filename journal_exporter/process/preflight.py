"""What is looked at before anything is started: all that a restart can't cure, every problem at once.

Guarantees: nothing is written but a state directory that is missing; what it opens stays open for
the exporter.
"""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from journal_exporter import config
from journal_exporter.config import Loaded, Settings
from journal_exporter.errors import ConfigError
from journal_exporter.journal.files import find_files, inspect_file, journal_directories
from journal_exporter.monitoring.listen import listen
from journal_exporter.output import archives
from journal_exporter.output import checkpoint as checkpoints
from journal_exporter.output.checkpoint import State
from journal_exporter.output.lock import is_written
from journal_exporter.process.state_lock import lock_state

T = TypeVar("T")
_MAX_PATHS_BYTES = 12 << 10


def start(loaded: Loaded, stack: contextlib.ExitStack) -> socket.socket | None:
    """Check everything, take the lock, and return what listens; the stack gives both back.

    Raises:
        ConfigError: with every problem there is.
    """
    settings = loaded.settings
    problems: list[str] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except ConfigError as error:
            problems.extend(error.problems)
            return None

    attempt(lambda: check_journal(settings))
    attempt(lambda: check_places(settings))
    attempt(lambda: check_output(settings.output))
    lock_fd = attempt(lambda: lock_state(settings.state_directory))
    if lock_fd is not None:
        stack.callback(os.close, lock_fd)
        attempt(
            lambda: check_writable(
                f"--state-directory {settings.state_directory}", settings.state_directory
            )
        )
        attempt(lambda: check_state(checkpoints.load(settings.state_directory), settings))
        attempt(lambda: check_alone(settings))
    address = config.address(settings.metrics_address)
    if settings.once and "metrics_address" not in loaded.given:
        address = None
    listener = attempt(lambda: listen(*address)) if address else None
    if listener is not None:
        stack.enter_context(listener)
    if problems:
        raise ConfigError(*problems)
    return listener


def check_directory(name: str, path: Path, fix: str) -> None:
    """Refuse what is no directory.

    Raises:
        ConfigError: it is missing, something else, or below a directory that can't be searched.
    """
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise ConfigError(f"{name} {path} is no directory; {fix}")
    except FileNotFoundError:
        raise ConfigError(f"{name} {path} does not exist; {fix}") from None
    except OSError as error:
        raise ConfigError(f"{name} {path} can't be looked at: {error.strerror}; {fix}") from error


def check_journal(settings: Settings) -> None:
    """Refuse a journal that can't be read.

    Raises:
        ConfigError: a directory is missing or unreadable, or there is no readable file.
    """
    wanted = settings.journal_directory or settings.journal_root or Path("/")
    name = "--journal-directory" if settings.journal_directory else "--journal-root"
    check_directory(name, wanted, "name where the host's journal is mounted")
    directories = journal_directories(
        root=settings.journal_root, directory=settings.journal_directory
    )
    files = [file for path in find_files(directories) if (file := inspect_file(path)) is not None]
    if not files:
        places = " and ".join(map(str, directories))
        raise ConfigError(
            f"{name} {wanted}: there are no journal files in {places}; name where *.journal files are,"
            " in it or in a sub-directory named by a machine id"
        )
    if not any(file.state == "readable" for file in files):
        states = ", ".join(f"{file.path} ({file.state})" for file in files[:3])
        raise ConfigError(
            f"{name} {wanted}: no journal file can be read: {states}; run as root or in the group"
            " systemd-journal, with a libsystemd as new as the host's"
        )


def check_places(settings: Settings) -> None:
    """Refuse an output that would overwrite the state or the journal.

    Raises:
        ConfigError: it would.
    """
    output, state = settings.output, settings.state_directory
    own = output.parent == state and (
        output.name == checkpoints.NAME or output.name.startswith("render-")
    )
    if output == state or own:
        raise ConfigError(
            f"--output {output} is part of --state-directory {state}; name another file"
        )
    directories = journal_directories(
        root=settings.journal_root, directory=settings.journal_directory
    )
    if any(output.is_relative_to(directory) for directory in directories):
        raise ConfigError(f"--output {output} is inside the journal's directory; name another file")
    # The checkpoint holds them, in slots of 16 KiB.
    if len(json.dumps([str(path) for path in (output, *directories)])) > _MAX_PATHS_BYTES:
        raise ConfigError(
            f"--output {output} and the journal's directories have too long names together; name"
            " shorter ones"
        )


def check_alone(settings: Settings) -> None:
    """Refuse an output that another exporter writes, from another state directory.

    Raises:
        ConfigError: it does.
    """
    # In the middle of a rotation, the other's file is called archive 1; at its end, there is a new one.
    output = settings.output
    if is_written(output, archives.archive(output, 1), output):
        raise ConfigError(
            f"--output {output} is being written by another exporter, whose --state-directory"
            f" is not {settings.state_directory}; end that one, or name another file"
        )


def check_state(state: State | None, settings: Settings) -> None:
    """Refuse a state that belongs to another output.

    Raises:
        ConfigError: it does.
    """
    if state is not None and state.output != str(settings.output):
        raise ConfigError(
            f"--state-directory {settings.state_directory} belongs to the output {state.output},"
            f" not to {settings.output}; give each output a state directory of its own"
        )


def check_output(path: Path) -> None:
    """Refuse an output that can never be written; a disk that is full or read-only may change.

    Raises:
        ConfigError: it is no regular file, or we lack the right to write it.
    """
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    mode = there.lstat().st_mode
    if there == path and stat.S_ISDIR(mode):
        raise ConfigError(
            f"--output {path} is a directory; name a file in it, as in {path}/messages"
        )
    if there == path and stat.S_ISLNK(mode):
        raise ConfigError(
            f"--output {path} is a symbolic link, which a rotation would rename; name the file that it"
            f" leads to, {path.resolve()}"
        )
    if there == path and not stat.S_ISREG(mode):
        raise ConfigError(f"--output {path} is no regular file; name another file")
    if there != path and not there.is_dir():
        raise ConfigError(f"--output {path}: {there} is no directory; name another file")
    for archive in archives.newest_first(path)[1:]:
        if archive.is_dir():
            raise ConfigError(
                f"--output {path}: its archives can't be kept, since {archive} is a directory; move it"
                " away, or name another file"
            )
    check_writable(f"--output {path}", there)
    if there == path:
        # Rotating renames the file, and makes another.
        check_writable(f"--output {path}", path.parent)


def check_writable(name: str, path: Path) -> None:
    """Refuse what this user may not write; a disk that is read-only or full for now may change.

    Raises:
        ConfigError: it may not.
    """
    read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    mode = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    if not read_only and not os.access(path, mode):
        raise ConfigError(
            f"{name}: {path} can't be written by user {os.getuid()}; give it the right to, or name"
            " another"
        )
