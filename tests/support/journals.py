"""Entries for journals of tests, and journals read back with libsystemd."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from systemd import _reader

from tools.journal_writer import export_entry

BOOT = "b" * 32
START_US = 1_793_750_000_000_000


def entries(directory: Path) -> list[dict[str, bytes]]:
    """Return the fields of all entries below a directory such as /var/log/journal, in order.

    Of a field with several values it is the last one.
    """
    found = []
    with closing(_reader._Reader(flags=0, path=str(directory))) as reader:
        reader.data_threshold = 0
        while reader._next():
            fields = reader._get_all().items()
            found.append({k: v[-1] if isinstance(v, list) else v for k, v in fields})
    return found


def messages(directory: Path, field: str = "MESSAGE") -> list[bytes]:
    """Return the values of one field, in the order of the entries that have it."""
    return [entry[field] for entry in entries(directory) if field in entry]


def numbered(
    numbers: Iterable[int], *, start_us: int = START_US, boot: str = BOOT
) -> Iterator[bytes]:
    """Yield entries for ``write_journal``, one per millisecond, with messages ``number NNNNNN …``."""
    for number in numbers:
        yield export_entry(
            [
                ("__REALTIME_TIMESTAMP", b"%d" % (start_us + number * 1000)),
                ("__MONOTONIC_TIMESTAMP", b"%d" % (number * 1000)),
                ("_BOOT_ID", boot.encode()),
                ("_HOSTNAME", b"node"),
                ("SYSLOG_IDENTIFIER", b"app"),
                ("PRIORITY", b"6"),
                ("MESSAGE", b"number %06d %064x" % (number, number * 7919)),
            ]
        )
