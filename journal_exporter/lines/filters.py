"""Pure: decides which entries become lines.

The default is what rsyslog on Amazon Linux wrote to ``/var/log/messages``:
``*.info;mail.none;authpriv.none;cron.none``.
"""

import dataclasses
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence

from journal_exporter.journal.fields import Context

PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    *(f"local{number}" for number in range(8)),
)
_PRIORITY_ALIASES = {"panic": 0, "error": 3, "warn": 4}
_NOTICE = 5
_KERN, _USER = 0, 1


def priority_number(name: str) -> int:
    """Return 6 for ``info`` or ``6``.

    Raises:
        ValueError: it is not a priority; the name is not part of the message.
    """
    number = _number(name, PRIORITIES, _PRIORITY_ALIASES)
    if number is None:
        raise ValueError(f"is not a priority; write one of {', '.join(PRIORITIES)}, or 0-7")
    return number


def facility_number(name: str) -> int:
    """Return 10 for ``authpriv`` or ``10``.

    Raises:
        ValueError: it is not a facility; the name is not part of the message.
    """
    number = _number(name, FACILITIES, {})
    if number is None:
        raise ValueError(f"is not a facility; write one of {', '.join(FACILITIES)}, or 0-23")
    return number


def _number(name: str, names: Sequence[str], aliases: Mapping[str, int]) -> int | None:
    key = name.strip().lower()
    if key.isascii() and key.isdigit() and int(key) < len(names):
        return int(key)
    return names.index(key) if key in names else aliases.get(key)


def priority_of(context: Context) -> int:
    """Return the entry's priority; notice if it has no valid one, as in rsyslog."""
    value = context.priority
    if value is not None and len(value) == 1 and value.isdigit() and value < b"8":
        return int(value)
    return _NOTICE


def facility_of(context: Context) -> int:
    """Return the entry's facility; without one kern for the kernel, and without a valid one user."""
    value = context.facility
    if value is None:
        return _KERN if context.transport == b"kernel" else _USER
    if value.isdigit() and len(value) <= 2 and int(value) < len(FACILITIES):  # noqa: PLR2004
        return int(value)
    return _USER


def unit_of(context: Context) -> str:
    """Return the unit that the entry is about; empty if there is none.

    What systemd itself logs about a unit belongs to that unit, as with ``journalctl --unit``.
    """
    unit = context.subject_unit if context.pid == b"1" else None
    return (unit or context.unit or b"").decode("utf-8", "replace")


@dataclasses.dataclass(frozen=True, slots=True)
class EntryFilter:
    """The rules for entries; an entry must pass all of them.

    ``include_units`` and ``exclude_units`` are shell globs on the unit's name. With ``include_units``,
    entries without a unit (the kernel's) are excluded, as with ``journalctl --unit``.
    """

    max_priority: int = 6
    exclude_facilities: frozenset[int] = frozenset({2, 9, 10})
    include_units: tuple[str, ...] = ()
    exclude_units: tuple[str, ...] = ()

    def accepts(self, context: Context) -> bool:
        """Whether the entry becomes a line."""
        if priority_of(context) > self.max_priority:
            return False
        if facility_of(context) in self.exclude_facilities:
            return False
        if not self.include_units and not self.exclude_units:
            return True
        unit = unit_of(context)
        if self.include_units and not (unit and _matches(unit, self.include_units)):
            return False
        return not (unit and _matches(unit, self.exclude_units))


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(re.fullmatch(fnmatch.translate(glob), name) for glob in globs)
