"""The command line: ``journal-exporter run | check-config | status``.

Every problem is one line on standard error. The exit codes are those of ``exit_codes``.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from journal_exporter import config, exit_codes, log
from journal_exporter.config import FIELDS, default_text, flag, load, variable
from journal_exporter.errors import ConfigError

_DESCRIPTION = """\
Writes the host's journal to a rotated file, every entry exactly once, and serves metrics and probes.

  journal-exporter run --journal-root /host --output /var/log/messages
  journal-exporter run --once --output ./messages --state-directory ./state
  journal-exporter check-config --max-bytes 100Mi
  journal-exporter status --state-directory /var/lib/journal-exporter
"""
_EPILOG = f"""\
Every flag of 'run' is also an environment variable, for example {config.ENV_PREFIX}MAX_BYTES for
--max-bytes. Flags win over variables. In a variable, commas separate the values of a list.
Sizes take the suffixes Ki, Mi, Gi (or k, M, G), durations ms, s, min, h, d.

{exit_codes.TABLE}"""
_END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_GROUPS = {
    "journal": "journal",
    "output": "output",
    "filters": "filters",
    "rotation": "rotation",
    "operation": "operation",
}


class _Parser(argparse.ArgumentParser):
    """A parser that fails if its help can't be written; argparse ignores that."""

    def print_help(self, file: object = None) -> None:
        """Print the help; exit with an error if it can't be written."""
        del file
        if code := _emit(self.format_help().rstrip("\n")):
            self.exit(code)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; values stay texts, which the table of settings parses."""
    top = _Parser(
        prog="journal-exporter",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, text in (
        ("run", "write the journal to the output"),
        ("check-config", "print the effective settings, or every problem in them and their paths"),
    ):
        command = commands.add_parser(
            name,
            help=text,
            description=text.capitalize() + ".",
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _add_settings(command)
    text = "print the checkpoint, lag, files and gaps of an exporter"
    status = commands.add_parser(
        "status", help=text, description=text.capitalize() + ".", allow_abbrev=False
    )
    status.add_argument(
        "--state-directory",
        metavar="DIR",
        help=f"the exporter's state directory. Default: {default_text('state_directory')}.",
    )
    status.add_argument("--json", action="store_true", help="print JSON instead of text")
    return top


def _add_settings(command: argparse.ArgumentParser) -> None:
    groups = {key: command.add_argument_group(title) for key, title in _GROUPS.items()}
    for name, field in FIELDS.items():
        group = groups[field.metadata["group"]]
        text = field.metadata["help"].replace("%", "%%")
        default = default_text(name)
        if field.default is False:
            group.add_argument(flag(name), action="store_true", help=text)
            continue
        group.add_argument(
            flag(name),
            metavar=field.metadata["metavar"],
            action="append" if isinstance(field.default, tuple) else "store",
            help=f"{text} Default: {default}." if default else text,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    # First of all: for process 1, as in a container, the kernel drops a signal that is neither handled nor
    # blocked, and the request to end would be lost. The supervisor takes blocked signals.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _END_SIGNALS)
    _open_streams()
    top = parser()
    try:
        options = top.parse_args(argv)
        if options.command != "run":
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return _run(top, options)
    except SystemExit:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        raise
    except BrokenPipeError:
        # The reader has closed the pipe; nothing more may be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.ERROR
    except ConfigError as error:
        return _fail(*error.problems)
    except ImportError as error:
        package = str(error.name).partition(".")[0]
        if package == __package__:
            raise
        if isinstance(error, ModuleNotFoundError):
            return _fail(f"{package} is not installed; install `node-observability[exporter]`")
        # Such as libsystemd.so.0, which the Python package does not contain.
        return _fail(f"{package} can't be loaded: {error}; install what it needs")


def _open_streams() -> None:
    """Replace closed streams, which are None: output must fail, and problems must not become output.

    What the locale can't show is escaped, as Python does it on standard error.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(top: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.version:
        from importlib import metadata  # noqa: PLC0415 - only here

        return _emit(f"journal-exporter {metadata.version('node-observability')}")
    if options.command is None:
        top.print_help()
        return exit_codes.ERROR
    if options.command == "status":
        return _status(vars(options), os.environ)
    loaded = load(vars(options), os.environ)
    if options.command == "check-config":
        from journal_exporter.process import paths  # noqa: PLC0415 - only here

        if problems := paths.problems(loaded.settings):
            return _fail(*problems)
        return _emit(json.dumps(config.shown(loaded.settings), indent=2))
    log.configure(loaded.settings.log_level, loaded.settings.log_format)
    from journal_exporter.process import supervisor  # noqa: PLC0415 - only this command needs libsystemd

    return supervisor.run(loaded)


def _status(options: Mapping[str, object], environ: Mapping[str, str]) -> int:
    from journal_exporter import status  # noqa: PLC0415 - only here

    flags = {"state_directory": options["state_directory"]}
    known = {key: text for key, text in environ.items() if key == variable("state_directory")}
    found = status.collect(load(flags, known).settings.state_directory)
    return _emit(status.as_json(found) if options["json"] else status.text(found))


def _emit(text: str) -> int:
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python would write the buffered rest again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(f"standard output: {error.strerror}")
    return exit_codes.SUCCESS


def _fail(*problems: str) -> int:
    # Where standard error can't be written, only the exit code is left.
    with contextlib.suppress(OSError):
        for problem in problems:
            print(f"journal-exporter: {problem}", file=sys.stderr)  # noqa: T201
    return exit_codes.ERROR
