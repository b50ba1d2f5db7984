"""The table of settings: flag, environment variable, default, unit, check and help.

Guarantees: ``--help``, ``docs/reference/configuration.md`` and the checks use this table. Flags win over
variables, and variables over defaults. All problems are reported at once. A variable that starts with
``JOURNAL_EXPORTER_`` and is not a setting is an error.

To add a setting, add a field to ``Settings``.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from journal_exporter import setting_values as values
from journal_exporter.errors import ConfigError
from journal_exporter.journal.files import journal_directories
from journal_exporter.lines.format import FORMATS
from journal_exporter.quantities import duration_s, size_bytes, size_text

ENV_PREFIX = "JOURNAL_EXPORTER_"
_SERVICE_LINK = re.compile(
    r"([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_.+)?)?)"
)
"""What Kubernetes sets in every pod for a Service ``journal-exporter`` or ``journal-exporter-…``."""


def option(
    default: Any, metavar: str, help_text: str, parse: Callable[[str], Any], *, group: str
) -> Any:
    """Declare a setting. If its default is a tuple, its flag can be repeated."""
    return dataclasses.field(
        default=default,
        metadata={"metavar": metavar, "help": help_text, "parse": parse, "group": group},
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of the exporter."""

    journal_root: Path | None = option(
        None, "DIR", "Root of the host's file system; DIR/var/log/journal and DIR/run/log/journal"
        " are read as one journal. Default: / (unless --journal-directory is given).", values.path, group="journal")  # fmt: skip
    journal_directory: Path | None = option(
        None, "DIR", "Directory of journal files to read instead of those below --journal-root.", values.path, group="journal")  # fmt: skip
    start: str = option(
        "boot", "WHERE", "Where the first run begins: boot (first entry of the newest boot), head or tail."
        " Later runs resume from the checkpoint.", values.choice("boot", "head", "tail"), group="journal")  # fmt: skip
    once: bool = option(
        False, "", "Read to the end of the journal, write the lines, sync and exit; exit with an error if"
        " writing fails for 10 s. Does not pause before rotations, and serves metrics only if --metrics-address"
        " is given.", bool, group="journal")  # fmt: skip
    max_deleted_bytes: int = option(
        1 << 30, "SIZE", "Maximum disk space of deleted journal files that are kept open until they are read;"
        " beyond it, the oldest is closed, and its unread entries count as lost.", size_bytes, group="journal")  # fmt: skip
    output: Path = option(
        Path("/var/log/messages"), "FILE", "File to append lines to.", values.path, group="output")  # fmt: skip
    state_directory: Path = option(
        Path("/var/lib/journal-exporter"), "DIR", "Directory for the checkpoint: one per output, on a disk"
        " that outlives the process.", values.path, group="output")  # fmt: skip
    format: str = option(
        "rfc3339", "FORMAT", "Format of a line: rfc3339, rfc3164 (local time zone, TZ) or json.",
        values.choice(*FORMATS), group="output")  # fmt: skip
    max_priority: str = option(
        "info", "PRIORITY", "Least important priority to write: emerg to debug, or 0-7.",
        values.priority, group="filters")  # fmt: skip
    exclude_facility: tuple[str, ...] = option(
        ("mail", "cron", "authpriv"), "FACILITY", "Facility to exclude. The flag replaces the default; 'none' excludes"
        " no facility.", values.facility, group="filters")  # fmt: skip
    include_unit: tuple[str, ...] = option(
        (), "GLOB", "Write only lines of units that match, such as kube*.service.", values.unit_glob, group="filters")  # fmt: skip
    exclude_unit: tuple[str, ...] = option(
        (), "GLOB", "Write no lines of units that match.", values.unit_glob, group="filters")  # fmt: skip
    max_bytes: int = option(
        50 << 20, "SIZE", "Maximum size of the output; it is rotated before it exceeds this size.", values.max_bytes, group="rotation")  # fmt: skip
    max_age: float = option(
        0.0, "DURATION", "Age at which the output is rotated; 0 means never.", duration_s, group="rotation")  # fmt: skip
    keep_files: int = option(
        5, "N", "Number of archives to keep, 1-9.", values.keep_files, group="rotation")  # fmt: skip
    keep_bytes: int = option(
        0, "SIZE", "Maximum total size of output and archives; the oldest archives are deleted; 0 means no limit.",
        size_bytes, group="rotation")  # fmt: skip
    rotation_settle_s: float = option(
        5.0, "SECONDS", "Pause before a rotation, so that readers of the file can catch up; 0 means no pause.",
        duration_s, group="rotation")  # fmt: skip
    rotation_interval_s: float = option(
        1.0, "SECONDS", "Minimum time between two rotations.", duration_s, group="rotation")  # fmt: skip
    metrics_address: str = option(
        ":9465", "HOST:PORT", "Address that serves /metrics, /livez and /readyz; if empty, none is served.",
        values.address_text, group="operation")  # fmt: skip
    live_timeout_s: float = option(
        30.0, "SECONDS", "/livez fails if the worker has been stalled for this long.", values.positive_s,
        group="operation")  # fmt: skip
    ready_max_lag_s: float = option(
        300.0, "SECONDS", "/readyz fails if the lag exceeds this.", values.positive_s, group="operation")  # fmt: skip
    log_level: str = option(
        "info", "LEVEL", "Log level: debug, info, warning or error.",
        values.choice("debug", "info", "warning", "error"), group="operation")  # fmt: skip
    log_format: str = option(
        "text", "FORMAT", "Log format: text or json.", values.choice("text", "json"), group="operation")  # fmt: skip

    @property
    def journal_directories(self) -> list[Path]:
        """The directories that hold the journal."""
        return journal_directories(root=self.journal_root, directory=self.journal_directory)


FIELDS = {field.name: field for field in dataclasses.fields(Settings)}


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return ENV_PREFIX + name.upper()


def default_text(name: str) -> str:
    """Return a setting's default as users write it."""
    default = FIELDS[name].default
    if default is None or default is False or default == ():
        return ""
    if isinstance(default, tuple):
        return ",".join(default)
    if FIELDS[name].metadata["parse"] in (size_bytes, values.max_bytes):
        return size_text(int(str(default)))
    return f"{default:g}" if isinstance(default, float) else str(default)


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and the names of those that a flag or a variable set."""

    settings: Settings
    given: frozenset[str]


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Loaded:
    """Merge flags (texts by setting name; lists where repeatable) and environment variables.

    Raises:
        ConfigError: with every problem.
    """
    problems = _unknown_variables(environ)
    parsed: dict[str, Any] = {}
    for name, field in FIELDS.items():
        origin, raw = flag(name), flags.get(name)
        if raw is None or raw is False:
            origin, raw = variable(name), environ.get(variable(name))
        if raw is None:
            continue
        parsed[name] = field.default
        try:
            parsed[name] = _parse(field, raw)
        except ValueError as error:
            problems.append(f"{origin}: {error}")
    if {"journal_root", "journal_directory"} <= parsed.keys():
        problems.append("--journal-root and --journal-directory exclude each other; remove one")
    settings = Settings(**parsed)
    if not problems:
        problems += _cross_checks(settings)
    if problems:
        raise ConfigError(*problems)
    return Loaded(settings, frozenset(parsed))


def _parse(field: "dataclasses.Field[Any]", raw: Any) -> Any:
    if field.default is False:
        return raw if isinstance(raw, bool) else _parse_one(values.boolean, raw)
    parse = field.metadata["parse"]
    if not isinstance(field.default, tuple):
        return _parse_one(parse, raw)
    texts = raw if isinstance(raw, list) else [raw]
    texts = [part.strip() for text in texts for part in text.split(",")]
    if texts in (["none"], [""]):
        return ()
    if "none" in texts:
        raise ValueError("none can't be combined with other values; remove it, or the others")
    return tuple(_parse_one(parse, text) for text in texts)


def _parse_one(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{text or 'an empty value'} {error}") from None


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {variable(name) for name in FIELDS}
    problems = []
    for name in sorted(environ):
        rest = name.removeprefix(ENV_PREFIX)
        if rest == name or name in known or _SERVICE_LINK.fullmatch(rest):
            continue
        import difflib  # noqa: PLC0415 - an eighth of the start-up time, for an error's text

        # Without the prefix, which would make all names similar.
        close = difflib.get_close_matches(rest, [key.upper() for key in FIELDS], 1)
        hint = f"; did you mean {ENV_PREFIX}{close[0]}?" if close else "; unset the variable"
        problems.append(f"{name}: unknown setting{hint}")
    return problems


def _cross_checks(settings: Settings) -> Sequence[str]:
    problems = []
    if settings.keep_bytes and settings.keep_bytes < settings.max_bytes:
        problems.append(
            f"--keep-bytes: {size_text(settings.keep_bytes)} is below --max-bytes"
            f" ({size_text(settings.max_bytes)}), so no archive could be kept; raise it, or write 0 for no limit"
        )
    return problems


def shown(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    return {
        name: str(value) if isinstance(value := getattr(settings, name), Path) else value
        for name in FIELDS
    }
