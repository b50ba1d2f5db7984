"""The fields of an entry that lines and filters need, by the journal's names."""

from typing import NamedTuple

Field = bytes | list[bytes] | None
"""A field's value as systemd-python gives it: absent, or a list when an entry has it twice."""


class Context(NamedTuple):
    """The fields of an entry that many entries share; everything of a line but time and message."""

    identifier: bytes | None
    pid: bytes | None
    host: bytes | None
    priority: bytes | None
    facility: bytes | None
    comm: bytes | None = None
    syslog_pid: bytes | None = None
    transport: bytes | None = None
    unit: bytes | None = None
    subject_unit: bytes | None = None


CONTEXT_FIELDS = (
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_HOSTNAME",
    "PRIORITY",
    "SYSLOG_FACILITY",
    "_COMM",
    "SYSLOG_PID",
    "_TRANSPORT",
    "_SYSTEMD_UNIT",
    "UNIT",
)
"""The journal's names for the fields of ``Context``, in its order (systemd.journal-fields(7))."""
BASIC_FIELDS = CONTEXT_FIELDS[:5]
"""Enough for an entry that has them all, unless lines or filters need its unit."""
NO_CONTEXT: tuple[Field, ...] = (None,) * len(BASIC_FIELDS)
"""The context of an entry of which nothing is known."""
