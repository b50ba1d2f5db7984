"""Checks the paths of the settings, as far as they exist; creates and opens nothing."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from journal_exporter.config import Settings
from journal_exporter.errors import ConfigError
from journal_exporter.output import archives
from journal_exporter.output import checkpoint as checkpoints

_MAX_PATHS_BYTES = 12 << 10


def problems(settings: Settings) -> list[str]:
    """Return what is wrong with the paths wherever the exporter runs.

    What is missing is no problem: a configuration may be checked on another machine, by another user.
    """
    journal = settings.journal_directory or settings.journal_root
    flag = "--journal-directory" if settings.journal_directory else "--journal-root"
    checks: list[Callable[[], None]] = [
        lambda: check_paths(settings),
        lambda: check_output(settings.output),
        lambda: _check_kind("--state-directory", settings.state_directory),
    ]
    if journal is not None:
        checks.append(lambda: _check_kind(flag, journal))
    found: list[str] = []
    for check in checks:
        try:
            check()
        except ConfigError as error:
            found += error.problems
    return found


def _check_kind(name: str, path: Path) -> None:
    existing = _nearest(path)
    if not os.path.isdir(existing):  # noqa: PTH112 - as below
        below = "" if existing == path else f" is below {existing}, which"
        raise ConfigError(f"{name}: {path}{below} is not a directory; choose another directory")


def check_directory(name: str, path: Path, fix: str) -> None:
    """Raise ``ConfigError`` unless ``path`` is a directory; ``name`` is the flag, ``fix`` what to do."""
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise ConfigError(f"{name}: {path} is not a directory; {fix}")
    except FileNotFoundError:
        raise ConfigError(f"{name}: {path} does not exist; {fix}") from None
    except OSError as error:
        raise ConfigError(f"{name}: {path} can't be accessed: {error.strerror}; {fix}") from error


def check_paths(settings: Settings) -> None:
    """Raise ``ConfigError`` for an output with a path in the state or the journal, or one too long."""
    output, state = settings.output, settings.state_directory
    own = output.parent == state and (output.name.startswith((checkpoints.NAME, "render-")))
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


def check_output(path: Path) -> None:
    """Raise ``ConfigError`` for an output that can never be written, whoever the user is."""
    existing = _nearest(path)
    mode = existing.lstat().st_mode
    if existing == path and stat.S_ISDIR(mode):
        raise ConfigError(
            f"--output: {path} is a directory; choose a file in it, such as {path / 'messages'}"
        )
    if existing == path and stat.S_ISLNK(mode):
        raise ConfigError(
            f"--output: {path} is a symbolic link, which a rotation would rename; give the file that it"
            f" points to, {os.path.realpath(path)}"
        )
    if existing == path and not stat.S_ISREG(mode):
        raise ConfigError(f"--output: {path} is not a regular file; choose another file")
    if existing != path and not os.path.isdir(existing):  # noqa: PTH112 - likewise
        raise ConfigError(
            f"--output: {path} is below {existing}, which is not a directory; choose another file"
        )
    for archive in archives.newest_first(path)[1:]:
        # Path's methods raise where this user may not look.
        if os.path.exists(archive) and not os.path.isfile(archive):  # noqa: PTH110, PTH113
            raise ConfigError(
                f"--output: {path} can't keep its archives, because {archive} is not a regular file; move it"
                " away, or choose another file"
            )
    _check_name(path, existing)


def check_writable_output(path: Path) -> None:
    """Raise ``ConfigError`` for an output that this user can't write; a full or read-only disk may change."""
    check_output(path)
    existing = _nearest(path)
    check_writable("--output", existing)
    if existing == path:
        # A rotation renames the file, and creates a new one.
        check_writable("--output", path.parent)


def _nearest(path: Path) -> Path:
    """Return the path, or its nearest parent that this user can see."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def _check_name(path: Path, existing: Path) -> None:
    limit_bytes = os.pathconf(existing, "PC_NAME_MAX")
    name_bytes = len(os.fsencode(archives.archive(path, archives.MAX_KEEP_FILES).name))
    if name_bytes > limit_bytes:
        raise ConfigError(
            f"--output: the name of {path} is too long for its archives: {name_bytes} of {limit_bytes} bytes;"
            " choose a shorter name"
        )


def check_writable(name: str, path: Path) -> None:
    """Raise ``ConfigError`` if this user may not write the path; a full or read-only disk may change."""
    read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    mode = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    if not read_only and not os.access(path, mode):
        raise ConfigError(
            f"{name}: user {os.getuid()} can't write {path}; grant write permission, or choose another path"
        )
