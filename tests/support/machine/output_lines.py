"""The lines of the output as the oracle compares them: by time and message."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.support.machine.parsed_files import Entry
from tests.support.tools import need

__all__ = [
    "excerpt",
    "is_marker",
    "key_of_entry",
    "key_of_line",
    "marked_as_lost",
    "shown_by_journalctl",
]

_LINE = re.compile(rb"(\S{26})\+00:00 (\S+) (\S+): (.*)", re.DOTALL)
_MARKER = re.compile(rb"(\d+) journal entries lost \(.*\)")
_PLAIN = re.compile(rb"[ -~]*")
_MAX_TIME_US = 1 << 55
"""The first time that is invalid for systemd."""
_SHOWN = 5
_JOURNALCTL_S = 20


def _time_text(realtime_us: int) -> bytes:
    second, rest_us = divmod(realtime_us, 1_000_000)
    return b"%s.%06d" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode(), rest_us)


def key_of_entry(entry: Entry) -> bytes | None:
    """Return time and message that an entry's line must have; None if its content is damaged."""
    sane = entry.seqnum > 0 and 0 < entry.realtime_us < _MAX_TIME_US
    if not sane or entry.monotonic_us >= _MAX_TIME_US or entry.message is None:
        return None
    if not _PLAIN.fullmatch(entry.message):
        return None
    return _time_text(entry.realtime_us) + entry.message


def key_of_line(line: bytes) -> bytes:
    """Return time and message of a line."""
    found = _LINE.fullmatch(line)
    return line if found is None else found[1] + found[4]


def shown_by_journalctl(path: Path) -> Counter[bytes]:
    """Return the keys of the entries that journalctl shows and whose messages are plain ASCII."""
    command = (need("journalctl"), f"--file={path}", "--output=json", "--all")
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_JOURNALCTL_S)
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").split(b"\n")[:-1]
    else:
        lines = done.stdout.splitlines()
    found: Counter[bytes] = Counter()
    for entry in map(json.loads, lines):
        message = entry.get("MESSAGE")
        if isinstance(message, str) and _PLAIN.fullmatch(message.encode()):
            found[_time_text(int(entry["__REALTIME_TIMESTAMP"])) + message.encode()] += 1
    return found


def excerpt(keys: Sequence[bytes]) -> str:
    """Return the first few keys, shortened, for the text of a failure."""
    return str([key[:80] for key in keys[:_SHOWN]])


def marked_as_lost(line: bytes) -> int:
    """Return how many lost entries a line reports."""
    found = _LINE.fullmatch(line)
    marker = _MARKER.fullmatch(found[4]) if found and found[3] == b"journal-exporter" else None
    return int(marker[1]) if marker else 0


def is_marker(line: bytes) -> bool:
    """Whether a line reports lost entries instead of an entry."""
    return marked_as_lost(line) > 0
