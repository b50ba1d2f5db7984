"""The one table of settings: flag, environment variable, default, unit, check and help.

Guarantees: ``--help``, ``docs/reference/configuration.md`` and the checks come from this table; flags win
over variables, variables over defaults; every problem is reported at once; a variable that starts with
``JOURNAL_EXPORTER_`` and is no setting is an error.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from journal_exporter.errors import ConfigError
from journal_exporter.lines.filters import FACILITIES, PRIORITIES, facility_number, priority_number
from journal_exporter.lines.format import FORMATS
from journal_exporter.output.archives import MAX_KEEP_FILES
from journal_exporter.quantities import duration_s, size_bytes, size_text

ENV_PREFIX = "JOURNAL_EXPORTER_"
_SERVICE_LINK = re.compile(
    r"([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_.+)?)?)"
)
"""What Kubernetes sets in every pod for a Service ``journal-exporter`` or ``journal-exporter-…``."""
MIN_MAX_BYTES = 4096
_CLOSED_BRACKETS = re.compile(r"(?:[^\[]|\[!?+\]?+[^\]]*\])*")
"""As fnmatch reads them: a ']' right behind the '[', or behind its '!', does not close it."""
_MAX_PORT = 65535


def _path(text: str) -> Path:
    if not text:
        raise ValueError("empty; name a path")
    return Path(text).absolute()


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return parse


def _max_bytes(text: str) -> int:
    size = size_bytes(text)
    if size < MIN_MAX_BYTES:
        raise ValueError(f"too small; write at least {MIN_MAX_BYTES} (bytes), as in 50Mi")
    return size


def _keep_files(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_KEEP_FILES:
        raise ValueError(f"write a number from 1 to {MAX_KEEP_FILES}")
    return int(text)


def _positive_s(text: str) -> float:
    seconds = duration_s(text)
    if seconds <= 0:
        raise ValueError("write a duration above 0")
    return seconds


def _glob(text: str) -> str:
    if not text:
        raise ValueError("empty; write a unit or a glob, as in kubelet.service")
    if not _CLOSED_BRACKETS.fullmatch(text):
        raise ValueError("a '[' without its ']'; write [[] for the character itself")
    # A bare name means the service, as everywhere in systemd.
    return text if re.search(r"[*?\[.]", text) else f"{text}.service"


def _facility(text: str) -> str:
    return FACILITIES[facility_number(text)]


def _priority(text: str) -> str:
    return PRIORITIES[priority_number(text)]


def address(text: str) -> tuple[str, int] | None:
    """Return host and port; None for an empty text. ``[::1]:9465`` and ``:9465`` are good.

    Raises:
        ValueError: it is no address.
    """
    if not text:
        return None
    if "/" in text:
        raise ValueError("write HOST:PORT without a scheme or a path, as in 127.0.0.1:9465")
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("write an IPv6 address in brackets, as in [::1]:9465")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > _MAX_PORT:
        raise ValueError("write HOST:PORT with a port from 0 to 65535, as in 127.0.0.1:9465")
    return host, int(port)


def _address_text(text: str) -> str:
    address(text)
    return text


def option(
    default: Any, metavar: str, help_text: str, parse: Callable[[str], Any], *, group: str
) -> Any:
    """Declare a setting. A tuple as default makes its flag repeatable."""
    return dataclasses.field(
        default=default,
        metadata={"metavar": metavar, "help": help_text, "parse": parse, "group": group},
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the exporter."""

    journal_root: Path | None = option(
        None, "DIR", "Root of the host's file system: reads DIR/var/log/journal and DIR/run/log/journal"
        " as one. Default / (where --journal-directory is not given).", _path, group="journal")  # fmt: skip
    journal_directory: Path | None = option(
        None, "DIR", "Read this one directory of journal files instead.", _path, group="journal")  # fmt: skip
    start: str = option(
        "boot", "WHERE", "Where the first run begins: boot (the newest boot's first entry), head or tail."
        " Later runs go on from the checkpoint.", _choice("boot", "head", "tail"), group="journal")  # fmt: skip
    once: bool = option(
        False, "", "Read to the journal's end, write, sync, exit. No pauses before rotations; metrics"
        " only where --metrics-address is given.", bool, group="journal")  # fmt: skip
    output: Path = option(
        Path("/var/log/messages"), "FILE", "File that lines are appended to.", _path, group="output")  # fmt: skip
    state_directory: Path = option(
        Path("/var/lib/journal-exporter"), "DIR", "Where the checkpoint is kept: one directory an output,"
        " on a disk that outlives the process.", _path, group="output")  # fmt: skip
    format: str = option(
        "rfc3339", "FORMAT", "Form of a line: rfc3339, rfc3164 (local time zone, TZ) or json.",
        _choice(*FORMATS), group="output")  # fmt: skip
    max_priority: str = option(
        "info", "PRIORITY", "Least important priority that becomes a line: emerg to debug, or 0-7.",
        _priority, group="filters")  # fmt: skip
    exclude_facility: tuple[str, ...] = option(
        ("mail", "cron", "authpriv"), "FACILITY", "Facility to leave out; the flag replaces the default,"
        " 'none' leaves out none.", _facility, group="filters")  # fmt: skip
    include_unit: tuple[str, ...] = option(
        (), "GLOB", "Only lines of units that match, as in 'kube*.service'.", _glob, group="filters")  # fmt: skip
    exclude_unit: tuple[str, ...] = option(
        (), "GLOB", "No lines of units that match.", _glob, group="filters")  # fmt: skip
    max_bytes: int = option(
        50 << 20, "SIZE", "Size at which the output is rotated.", _max_bytes, group="rotation")  # fmt: skip
    max_age: float = option(
        0.0, "DURATION", "Age at which the output is rotated; 0 is never.", duration_s, group="rotation")  # fmt: skip
    keep_files: int = option(
        5, "N", "Archives kept, 1-9.", _keep_files, group="rotation")  # fmt: skip
    keep_bytes: int = option(
        0, "SIZE", "Total size of output and archives; the oldest archives go first; 0 is no limit.",
        size_bytes, group="rotation")  # fmt: skip
    rotation_settle_s: float = option(
        5.0, "SECONDS", "Pause before a rotation in which readers of the file catch up; 0 is off.",
        duration_s, group="rotation")  # fmt: skip
    rotation_interval_s: float = option(
        1.0, "SECONDS", "Least time between two rotations.", duration_s, group="rotation")  # fmt: skip
    metrics_address: str = option(
        ":9465", "HOST:PORT", "Where /metrics, /livez and /readyz are served; empty switches them off.",
        _address_text, group="operation")  # fmt: skip
    live_timeout_s: float = option(
        30.0, "SECONDS", "/livez fails when the loop has not turned for so long.", _positive_s,
        group="operation")  # fmt: skip
    ready_max_lag_s: float = option(
        300.0, "SECONDS", "/readyz fails when reading is further behind.", _positive_s, group="operation")  # fmt: skip
    log_level: str = option(
        "info", "LEVEL", "Own log: debug, info, warning or error.",
        _choice("debug", "info", "warning", "error"), group="operation")  # fmt: skip
    log_format: str = option(
        "text", "FORMAT", "Own log: text or json.", _choice("text", "json"), group="operation")  # fmt: skip


FIELDS = {field.name: field for field in dataclasses.fields(Settings)}


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return ENV_PREFIX + name.upper()


def default_text(name: str) -> str:
    """Return a setting's default as people write it."""
    default = FIELDS[name].default
    if default is None or default is False or default == ():
        return ""
    if isinstance(default, tuple):
        return ",".join(default)
    if FIELDS[name].metadata["parse"] in (size_bytes, _max_bytes):
        return size_text(int(str(default)))
    return f"{default:g}" if isinstance(default, float) else str(default)


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and which of them somebody set."""

    settings: Settings
    given: frozenset[str]


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Loaded:
    """Merge flags (raw texts by setting name; lists where repeatable) and environment.

    Raises:
        ConfigError: with every problem.
    """
    problems = _unknown_variables(environ)
    values: dict[str, Any] = {}
    given: set[str] = set()
    for name, field in FIELDS.items():
        origin, raw = flag(name), flags.get(name)
        if raw is None or raw is False:
            origin, raw = variable(name), environ.get(variable(name))
        if raw is None:
            continue
        given.add(name)
        try:
            values[name] = _convert(field, raw)
        except ValueError as error:
            problems.append(f"{origin}={_shown(raw)}: {error}")
    if "journal_root" in given and "journal_directory" in given:
        problems.append("--journal-root and --journal-directory exclude each other; keep one")
    settings = Settings(**values)
    if not problems:
        problems += _cross_checks(settings)
    if problems:
        raise ConfigError(*problems)
    return Loaded(settings, frozenset(given))


def _shown(raw: Any) -> str:
    return ",".join(raw) if isinstance(raw, list) else str(raw)


def _convert(field: "dataclasses.Field[Any]", raw: Any) -> Any:
    parse = field.metadata["parse"]
    if field.default is False:
        return _boolean(raw)
    if not isinstance(field.default, tuple):
        return parse(raw)
    texts = raw if isinstance(raw, list) else raw.split(",")
    texts = [part.strip() for text in texts for part in text.split(",")]
    if texts in (["none"], [""]):
        return ()
    if "none" in texts:
        raise ValueError("'none' stands alone; leave it out, or the others")
    return tuple(parse(text) for text in texts)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "false": False,
        "0": False,
        "no": False,
        "": False,
    }
    if raw.lower() not in words:
        raise ValueError("write true or false")
    return words[raw.lower()]


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {variable(name) for name in FIELDS}
    problems = []
    for name in sorted(environ):
        rest = name.removeprefix(ENV_PREFIX)
        if rest == name or name in known or _SERVICE_LINK.fullmatch(rest):
            continue
        import difflib  # noqa: PLC0415 - an eighth of the start-up time, for an error's text

        # Without the prefix: it is most of a name, and would make everything alike.
        close = difflib.get_close_matches(rest, [key.upper() for key in FIELDS], 1)
        hint = f"; did you mean {ENV_PREFIX}{close[0]}?" if close else "; unset it"
        problems.append(f"{name} is no setting{hint}")
    return problems


def _cross_checks(settings: Settings) -> Sequence[str]:
    problems = []
    if settings.keep_bytes and settings.keep_bytes < settings.max_bytes:
        problems.append(
            f"--keep-bytes {settings.keep_bytes} is below --max-bytes {settings.max_bytes}: no archive"
            " would ever be kept; raise it, or write 0 for no limit"
        )
    return problems


def shown(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    return {
        name: str(value) if isinstance(value := getattr(settings, name), Path) else value
        for name in FIELDS
    }
