"""The command line: ``journal-exporter run | check-config | status``.

Exit codes: 0 done, 1 failed, 2 wrong use or settings (every problem is one line on standard error).
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from journal_exporter import config, log
from journal_exporter.config import FIELDS, Loaded, default_text, flag, load, variable
from journal_exporter.errors import ConfigError

_DESCRIPTION = """\
Tails the host's journal into a rotated file, every entry exactly once, and tells how it goes.

  journal-exporter run --journal-root /host --output /var/log/messages
  journal-exporter run --once --output ./messages --state-directory ./state
  journal-exporter check-config --max-bytes 100Mi
  journal-exporter status --state-directory /var/lib/journal-exporter
"""
_EPILOG = f"""\
Every flag of 'run' is also a variable: --max-bytes is {config.ENV_PREFIX}MAX_BYTES; lists are
separated by commas. Flags win. Sizes take Ki, Mi, Gi (or k, M, G), durations ms, s, min, h, d.
"""
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_GROUPS = {
    "journal": "what is read",
    "output": "what is written",
    "filters": "which entries become lines",
    "rotation": "rotation and retention",
    "operation": "operation",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser; values stay raw texts, the settings table converts them."""
    top = argparse.ArgumentParser(
        prog="journal-exporter",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in (
        ("run", "tail the journal into the output"),
        ("check-config", "print every problem of the settings, or what they come to"),
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
    status = commands.add_parser("status", help="print what an exporter has done so far")
    status.add_argument(
        "--state-directory",
        metavar="DIR",
        help=f"the exporter's (default: {default_text('state_directory')})",
    )
    status.add_argument("--json", action="store_true", help="print JSON")
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
    # Before anything else: for process 1, as in a container, the kernel drops a signal that is neither
    # handled nor blocked, and the request to end would be lost. The supervisor takes what waits.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    top = parser()
    options = top.parse_args(argv)
    if options.command != "run":
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    try:
        return _run(top, options)
    except BrokenPipeError:
        # Whoever read has seen enough; nothing more may be flushed into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ConfigError as error:
        for problem in error.problems:
            print(f"journal-exporter: {problem}", file=sys.stderr)  # noqa: T201
        return 2


def _run(top: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.version:
        from journal_exporter.monitoring.prometheus import version  # noqa: PLC0415 - only here

        return _emit(f"journal-exporter {version()}")
    if options.command is None:
        top.print_help()
        return 2
    if options.command == "status":
        return _status(vars(options), os.environ)
    loaded = load(vars(options), os.environ)
    if options.command == "check-config":
        return _show(loaded)
    log.configure(loaded.settings.log_level, loaded.settings.log_format)
    from journal_exporter.process import supervisor  # noqa: PLC0415 - needs libsystemd, the others do not

    return supervisor.run(loaded)


def _show(loaded: Loaded) -> int:
    return _emit(json.dumps(config.shown(loaded.settings), indent=2))


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
        print(f"journal-exporter: standard output: {error.strerror}", file=sys.stderr)  # noqa: T201
        # What is still buffered would be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
