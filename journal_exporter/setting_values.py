"""Pure: parses the values of settings.

Every parser takes a text. It raises ``ValueError`` with what the text is not, and what to write instead;
the caller puts the text before it.
"""

import re
from collections.abc import Callable
from pathlib import Path

from journal_exporter.lines.filters import FACILITIES, PRIORITIES, facility_number, priority_number
from journal_exporter.output.archives import MAX_KEEP_FILES
from journal_exporter.quantities import duration_s, size_bytes, size_text

MIN_MAX_BYTES = 4096
_CLOSED_BRACKETS = re.compile(r"(?:[^\[]|\[!?+\]?+[^\]]*\])*")
"""As fnmatch reads them: a ']' right after the '[', or after its '!', does not close it."""
_MAX_PORT = 65535
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes"), True),
    **dict.fromkeys(("false", "0", "no", ""), False),
}


def path(text: str) -> Path:
    """Return an absolute path."""
    if not text:
        raise ValueError("is not a path; give a path")
    return Path(text).absolute()


def choice(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts only the choices."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is not one of the choices; write one of {', '.join(choices)}")
        return text

    return parse


def max_bytes(text: str) -> int:
    """Return the maximum size of a file, in bytes."""
    size = size_bytes(text)
    if size < MIN_MAX_BYTES:
        raise ValueError(f"is below the minimum of {size_text(MIN_MAX_BYTES)}")
    return size


def keep_files(text: str) -> int:
    """Return a number of archives."""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_KEEP_FILES:
        raise ValueError(f"is not a number from 1 to {MAX_KEEP_FILES}")
    return int(text)


def positive_s(text: str) -> float:
    """Return a duration above 0, in seconds."""
    seconds = duration_s(text)
    if seconds <= 0:
        raise ValueError("is not a positive duration")
    return seconds


def unit_glob(text: str) -> str:
    """Return a glob on unit names; a bare name means the service, as everywhere in systemd."""
    if not text:
        raise ValueError("is not a unit or a glob; write one, such as kubelet.service")
    if not _CLOSED_BRACKETS.fullmatch(text):
        raise ValueError("has a '[' without a ']'; write [[] for the character itself")
    return text if re.search(r"[*?\[.]", text) else f"{text}.service"


def facility(text: str) -> str:
    """Return the name of a syslog facility."""
    return FACILITIES[facility_number(text)]


def priority(text: str) -> str:
    """Return the name of a syslog priority."""
    return PRIORITIES[priority_number(text)]


def boolean(text: str) -> bool:
    """Return whether the text means true."""
    if text.lower() not in _BOOLEANS:
        raise ValueError("is not a boolean; write true or false")
    return _BOOLEANS[text.lower()]


def address(text: str) -> tuple[str, int] | None:
    """Return host and port; None for an empty text. ``[::1]:9465`` and ``:9465`` are valid."""
    if not text:
        return None
    if "/" in text:
        raise ValueError("has a scheme or a path; write HOST:PORT, such as 127.0.0.1:9465")
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("has an IPv6 address without brackets; write it as in [::1]:9465")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > _MAX_PORT:
        raise ValueError("is not HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:9465")
    return host, int(port)


def address_text(text: str) -> str:
    """Return the text itself if it is an address."""
    address(text)
    return text
